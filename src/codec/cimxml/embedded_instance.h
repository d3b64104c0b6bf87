// Instances in strings: how the settings of a method arrive.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cim/class_store.h"

namespace cohort::codec::cimxml {

// Reads an instance in any of the dialects in use: CIM DTD 2.0 and WMI DTD 2.0 text (with what these wrap around the
// INSTANCE), the serializer of PowerShell's CIM cmdlets, a bare INSTANCE, and MOF ("instance of X { … };").
// Fails with kInvalidArgument: no instance, a class that is not there, a property that the class does not have, a value
// that is not of its type, instances nested deeper than cim::kMaxNesting.
[[nodiscard]] Result<cim::Instance> read_embedded_instance(std::string_view text, const cim::ClassStore& store);

// The text of an instance as INSTANCE, NAME being the first attribute of each property (there are readers that rely on
// it).
[[nodiscard]] std::string embedded_text(const cim::Instance& instance);

}  // namespace cohort::codec::cimxml
