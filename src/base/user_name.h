// Names of this host's users.
#pragma once

#include <sys/types.h>

#include <string>

namespace cohort {

// As the user is called; the number where it has no name.
[[nodiscard]] std::string user_name(uid_t user);

}  // namespace cohort
