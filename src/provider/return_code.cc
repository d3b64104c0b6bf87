#include "provider/return_code.h"

#include "provider/paths.h"

namespace cohort::provider {
namespace {

struct Row {
  ErrorCode code;
  std::uint32_t snapshots;
  std::uint32_t management;
};

// What is not listed has failed.
constexpr Row kRows[] = {
    {ErrorCode::kUnsupported, 1, 32770}, {ErrorCode::kTimeout, 3, 32772},       {ErrorCode::kInvalidArgument, 4, 32773},
    {ErrorCode::kNotFound, 4, 32773},    {ErrorCode::kAlreadyExists, 4, 32773}, {ErrorCode::kInvalidState, 5, 32775},
    {ErrorCode::kInUse, 5, 32774},       {ErrorCode::kPermission, 2, 32769},
};
constexpr Row kFailed{ErrorCode::kInternal, 2, 32768};

}  // namespace

std::uint32_t return_code(ErrorCode code, CodeFamily family) {
  const Row* row = &kFailed;
  for (const Row& each : kRows) {
    if (each.code == code) row = &each;
  }
  return family == CodeFamily::kSnapshots ? row->snapshots : row->management;
}

cim::MethodResult returned(std::uint32_t code, std::vector<cim::NamedValue> out) {
  return {cim::Value(code), std::move(out)};
}

cim::MethodResult started(const Job& job) { return returned(kJobStarted, {{"Job", cim::Value(path_of_job(job))}}); }

}  // namespace cohort::provider
