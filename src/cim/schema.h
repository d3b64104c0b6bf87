// The classes that this program serves, by namespace: schema/*.mof, compiled into the program.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "cim/class_store.h"

namespace cohort::cim {

inline constexpr std::string_view kVirtualizationNamespace = "root/virtualization/v2";
inline constexpr std::string_view kInteropNamespace = "root/interop";
inline constexpr std::string_view kHostNamespace = "root/cimv2";

// Threads: may be read by any number of threads.
class Schema {
 public:
  // Compiles the texts that are built in. Takes some milliseconds; to be done once.
  // Fails, with the file and the place, only if the texts are wrong, which the tests rule out.
  [[nodiscard]] static Result<Schema> built_in();

  // The classes of a namespace; nullptr if it is not served.
  [[nodiscard]] const ClassStore* find(std::string_view namespace_name) const;
  [[nodiscard]] std::vector<std::string_view> namespaces() const;
  // For schemas of tests.
  void add(std::string_view namespace_name, ClassStore store);

 private:
  NameMap<ClassStore> stores_;
};

}  // namespace cohort::cim
