#include "daemon/operation_names.h"

#include <array>

#include "cim/object_path.h"

namespace cohort::daemon {
namespace {

constexpr std::array<std::string_view, 14> kNames = {
    "get_instance",      "create_instance",       "modify_instance",   "delete_instance",     "list_objects",
    "open_enumeration",  "pull_objects",          "close_enumeration", "invoke_method",       "get_class",
    "enumerate_classes", "enumerate_class_names", "get_qualifier",     "enumerate_qualifiers"};
static_assert(kNames.size() == std::variant_size_v<cim::Operation>);

}  // namespace

std::string_view name_of(const cim::Operation& operation) { return kNames.at(operation.index()); }

bool is_question(const cim::Operation& operation) {
  return std::holds_alternative<cim::GetInstance>(operation) || std::holds_alternative<cim::ListObjects>(operation) ||
         std::holds_alternative<cim::OpenEnumeration>(operation) || std::holds_alternative<cim::PullObjects>(operation);
}

Change change_of(const cim::Operation& operation) {
  if (const auto* const invoked = std::get_if<cim::InvokeMethod>(&operation)) {
    return {invoked->method, cim::to_local_text(invoked->path)};
  }
  if (const auto* const created = std::get_if<cim::CreateInstance>(&operation)) {
    return {"create", created->instance.class_name};
  }
  if (const auto* const modified = std::get_if<cim::ModifyInstance>(&operation)) {
    return {"modify", cim::to_local_text(modified->instance.path)};
  }
  const auto* const deleted = std::get_if<cim::DeleteInstance>(&operation);
  return {"delete", deleted == nullptr ? "" : cim::to_local_text(deleted->path)};
}

}  // namespace cohort::daemon
