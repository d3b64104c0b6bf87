// What clients ask root/interop first: this server, its namespaces, and what it implements.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cim/value.h"

namespace cohort::provider {

// CIM_ObjectManager; `id` is unlike that of any other host.
[[nodiscard]] cim::Instance object_manager(const std::string& host_name, const std::string& id);
// CIM_Namespace, one for each.
[[nodiscard]] std::vector<cim::Instance> namespace_instances(const std::string& host_name, const std::string& id,
                                                             const std::vector<std::string_view>& namespaces);
// CIM_NamespaceInManager.
[[nodiscard]] std::vector<cim::Instance> namespaces_in_manager(const std::string& host_name, const std::string& id,
                                                               const std::vector<std::string_view>& namespaces);
// CIM_RegisteredProfile: there is none of the DMTF's that is implemented whole; the one is our own.
[[nodiscard]] cim::Instance registered_profile();
// Cohort_ElementConformsToProfile: the profile's central instance is the service for snapshots of collections.
[[nodiscard]] cim::Instance central_instance(const std::string& host_name);

}  // namespace cohort::provider
