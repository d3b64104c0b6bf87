// CIM operations for the log and the metrics.
#pragma once

#include <string>
#include <string_view>

#include "cim/operation.h"

namespace cohort::daemon {

// "get_instance", "invoke_method", …
[[nodiscard]] std::string_view name_of(const cim::Operation& operation);
// Whether it may be given up, as nothing comes of it but its answer. What is pulled is not: it would be lost.
[[nodiscard]] bool is_question(const cim::Operation& operation);

// What a change is for: its method ("ExportSnapshot", "modify") and the path of its object.
struct Change {
  std::string method, object;
};
[[nodiscard]] Change change_of(const cim::Operation& operation);

}  // namespace cohort::daemon
