#include "cim/schema.h"

#include <array>
#include <string>

#include "cim/mof.h"
#include "cim/schema_files.h"

namespace cohort::cim {
namespace {

Result<ClassStore> compiled(const std::vector<std::string_view>& files) {
  ClassStore store;
  for (const std::string_view file : files) {
    COHORT_TRY(compile_mof("schema/" + std::string(file) + ".mof", schema_file(file), store));
  }
  return store;
}

}  // namespace

Result<Schema> Schema::built_in() {
  const std::array<std::pair<std::string_view, std::vector<std::string_view>>, 3> namespaces = {{
      {kVirtualizationNamespace,
       {"qualifiers", "core", "system_settings", "jobs", "machines", "devices", "resources", "machine_services",
        "collections", "collection_reference_points", "collection_snapshots", "cohort"}},
      {kInteropNamespace, {"qualifiers", "core", "interop"}},
      {kHostNamespace, {"qualifiers", "host"}},
  }};
  Schema schema;
  for (const auto& [name, files] : namespaces) {
    COHORT_ASSIGN(ClassStore store, compiled(files));
    schema.add(name, std::move(store));
  }
  return schema;
}

const ClassStore* Schema::find(std::string_view namespace_name) const {
  const auto found = stores_.find(namespace_name);
  return found == stores_.end() ? nullptr : &found->second;
}

std::vector<std::string_view> Schema::namespaces() const {
  std::vector<std::string_view> names;
  for (const auto& [name, store] : stores_) names.push_back(name);
  return names;
}

void Schema::add(std::string_view namespace_name, ClassStore store) {
  stores_.insert_or_assign(std::string(namespace_name), std::move(store));
}

}  // namespace cohort::cim
