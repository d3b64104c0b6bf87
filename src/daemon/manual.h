// The daemon's manual pages, from the tables that the program itself goes by.
#pragma once

#include <string>
#include <string_view>

namespace cohort::daemon {

// The page "cohortd" (section 8) or "cohortd.conf" (section 5), as roff; empty for other names.
[[nodiscard]] std::string manual_page(std::string_view name);

}  // namespace cohort::daemon
