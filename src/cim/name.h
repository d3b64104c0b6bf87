// Names of classes, properties, methods, parameters, qualifiers and namespaces.
//
// They compare without regard to the case of ASCII letters, and keep the case in which they were written (DSP0004).
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace cohort::cim {

[[nodiscard]] bool same_name(std::string_view a, std::string_view b);

struct NameLess {
  using is_transparent = void;  // NOLINT(readability-identifier-naming): the standard library asks for this name
  [[nodiscard]] bool operator()(std::string_view a, std::string_view b) const;
};

template <typename T>
using NameMap = std::map<std::string, T, NameLess>;

// A letter or '_', then letters, digits and '_'. At most 256 bytes.
[[nodiscard]] bool is_name(std::string_view text);

// Names joined by '/': "root/virtualization/v2".
[[nodiscard]] bool is_namespace_name(std::string_view text);

// The entry of that name in a list of things that have a `name`; nullptr if there is none.
template <typename List>
[[nodiscard]] auto* find_named(List& list, std::string_view name) {
  for (auto& each : list) {
    if (same_name(each.name, name)) return &each;
  }
  return static_cast<decltype(&*list.begin())>(nullptr);
}

}  // namespace cohort::cim
