#include "provider/reached_consistency.h"

#include <algorithm>

namespace cohort::provider {

bool is_application_consistent(const MemberSnapshot& member) {
  return member.consistency.level == Consistency::kApplication || member.consistency.level == Consistency::kOff;
}

bool is_application_consistent(const Snapshot& snapshot) {
  return std::ranges::all_of(snapshot.members,
                             [](const MemberSnapshot& member) { return is_application_consistent(member); });
}

}  // namespace cohort::provider
