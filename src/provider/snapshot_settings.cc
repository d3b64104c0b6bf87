#include "provider/snapshot_settings.h"

#include "provider/parameters.h"

namespace cohort::provider {

Result<ConsistencyWish> consistency_in(const cim::Instance* settings) {
  switch (const auto level = setting<std::uint8_t>(settings, "ConsistencyLevel", 0)) {
    case 0:
      return ConsistencyWish::kBest;
    case 1:
      return ConsistencyWish::kApplication;
    case 2:
      return ConsistencyWish::kCrash;
    default:
      return fail(ErrorCode::kInvalidArgument, "ConsistencyLevel is 1 (application) or 2 (crash), and not {}.", level);
  }
}

Result<void> check_guest_backup_type(const cim::Instance* settings) {
  constexpr std::uint8_t kCopy = 2;
  const auto type = setting<std::uint8_t>(settings, "GuestBackupType", 0);
  if (type <= kCopy) return {};
  return fail(ErrorCode::kInvalidArgument, "GuestBackupType is 1 (full) or 2 (copy), and not {}.", type);
}

}  // namespace cohort::provider
