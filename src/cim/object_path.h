// Object paths as text: [\\HOST\]namespace:Class.Key="value",… in the untyped forms that WMI and CIM-XML clients write.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cim/value.h"

namespace cohort::cim {

// No class has nearly as many; whoever reads paths of strangers takes no more.
inline constexpr std::size_t kMaxKeys = 64;

// Reads
//   \\HOST\root\virtualization\v2:Class.Key="value",Other=5       (WMI; slashes either way)
//   //HOST/root/virtualization/v2:Class.Key="value"
//   root/virtualization/v2:Class.Key="value"
//   Class.Key="value"      Class="value" (the only key)      Class=@ (the only instance)      Class
// Values are strings in double or single quotes with \" \' and \\, numbers (sint64, uint64 or real64), TRUE and FALSE,
// and datetimes without quotes. A reference is a string in quotes that holds a path; see same_key_value.
// Fails with kInvalidArgument, with the place in the text.
[[nodiscard]] Result<ObjectPath> parse_object_path(std::string_view text);

// \\HOST\root\virtualization\v2:Class.Key="value", as WMI writes it, if there is a host; else as below.
[[nodiscard]] std::string to_text(const ObjectPath& path);
// root/virtualization/v2:Class.Key="value", as CIM-XML's header CIMObject has it. The host is left out.
[[nodiscard]] std::string to_local_text(const ObjectPath& path);

}  // namespace cohort::cim
