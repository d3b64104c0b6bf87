// Lists of class declarations, which Windows' Get-CimClass reads batch by batch (DSP0227, 15; MS-WSMV 3.1.4.8).
//
// The classes of a namespace never change, so that the context of a list says which one it is and where it goes on:
// nobody keeps it, and it does not expire.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cim/operation.h"

namespace cohort::codec::wsman {

struct ClassList {
  std::string namespace_name;
  std::string class_name;                     // of the superclass; empty: all classes
  bool is_deep = true;                        // also those that are derived at a distance
  cim::Shape shape = cim::Shape::kInstances;  // declarations, paths, or both
  std::size_t first = 0;                      // how many of them the client has
  std::uint32_t most = 0;                     // so many more with one reply
};

// Without `most`, which each pull says anew.
[[nodiscard]] std::string to_context(const ClassList& list);
// Nothing if it is no such context.
[[nodiscard]] std::optional<ClassList> parse_class_context(std::string_view context);

}  // namespace cohort::codec::wsman
