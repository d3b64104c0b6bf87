// What members have reached, in the few levels that the classes have.
#pragma once

#include "domain/snapshot.h"

namespace cohort::provider {

// A machine that was off is as consistent as its guest left it.
[[nodiscard]] bool is_application_consistent(const MemberSnapshot& member);
// All members are.
[[nodiscard]] bool is_application_consistent(const Snapshot& snapshot);

}  // namespace cohort::provider
