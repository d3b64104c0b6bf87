// The texts of schema/*.mof. CMake makes their source; a part of schema.h.
#pragma once

#include <string_view>

namespace cohort::cim {

// The text of schema/NAME.mof. REQUIRES: there is such a file.
[[nodiscard]] std::string_view schema_file(std::string_view name);

}  // namespace cohort::cim
