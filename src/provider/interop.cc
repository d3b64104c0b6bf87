#include "provider/interop.h"

#include <utility>

#include "cim/schema.h"
#include "provider/paths.h"

namespace cohort::provider {
namespace {

using cim::Value;

constexpr const char* kSystemClass = "Msvm_ComputerSystem";
constexpr const char* kManagerClass = "CIM_ObjectManager";
constexpr const char* kNamespaceClass = "CIM_Namespace";
constexpr const char* kProfileClass = "CIM_RegisteredProfile";

std::string manager_name(const std::string& id) { return "cohortd:" + id; }

using Keys = std::vector<cim::NamedValue>;

Keys manager_keys(const std::string& host_name, const std::string& id) {
  return {{"SystemCreationClassName", Value(kSystemClass)},
          {"SystemName", Value(host_name)},
          {"CreationClassName", Value(kManagerClass)},
          {"Name", Value(manager_name(id))}};
}

Keys namespace_keys(const std::string& host_name, const std::string& id, std::string_view name) {
  return {{"SystemCreationClassName", Value(kSystemClass)},
          {"SystemName", Value(host_name)},
          {"ObjectManagerCreationClassName", Value(kManagerClass)},
          {"ObjectManagerName", Value(manager_name(id))},
          {"CreationClassName", Value(kNamespaceClass)},
          {"Name", Value(name)}};
}

Keys profile_keys() { return {{"InstanceID", Value("Cohort:CollectionSnapshots")}}; }

cim::ObjectPath path_with(const char* class_name, Keys keys) {
  cim::ObjectPath path;
  path.namespace_name = cim::kInteropNamespace;
  path.class_name = class_name;
  path.keys = std::move(keys);
  return path;
}

cim::Instance instance_with(const char* class_name, Keys keys) {
  cim::Instance instance;
  instance.class_name = class_name;
  instance.properties = std::move(keys);
  return instance;
}

}  // namespace

cim::Instance object_manager(const std::string& host_name, const std::string& id) {
  cim::Instance manager = instance_with(kManagerClass, manager_keys(host_name, id));
  manager.set("ElementName", Value("Cohort"));
  manager.set("Description", Value("Cohort version " COHORT_VERSION));  // pywbem reads what stands behind "version"
  manager.set("Version", Value(COHORT_VERSION));
  manager.set("GatherStatisticalData", Value(false));
  manager.set("EnabledState", Value(std::uint16_t{2}));
  manager.set("Started", Value(true));
  return manager;
}

std::vector<cim::Instance> namespace_instances(const std::string& host_name, const std::string& id,
                                               const std::vector<std::string_view>& namespaces) {
  constexpr std::uint16_t kOther = 1;
  constexpr std::uint16_t kCim = 2;
  std::vector<cim::Instance> all;
  for (const std::string_view name : namespaces) {
    cim::Instance one = instance_with(kNamespaceClass, namespace_keys(host_name, id, name));
    one.set("ElementName", Value(name));
    one.set("ClassInfo", Value(kOther));
    one.set("DescriptionOfClassInfo", Value("Cohort " COHORT_VERSION));
    one.set("ClassType", Value(kCim));
    all.push_back(std::move(one));
  }
  return all;
}

std::vector<cim::Instance> namespaces_in_manager(const std::string& host_name, const std::string& id,
                                                 const std::vector<std::string_view>& namespaces) {
  std::vector<cim::Instance> all;
  for (const std::string_view name : namespaces) {
    all.push_back(pair_of("CIM_NamespaceInManager", "Antecedent", path_with(kManagerClass, manager_keys(host_name, id)),
                          "Dependent", path_with(kNamespaceClass, namespace_keys(host_name, id, name))));
  }
  return all;
}

cim::Instance registered_profile() {
  constexpr std::uint16_t kOther = 1;
  constexpr std::uint16_t kNotAdvertised = 2;
  cim::Instance profile = instance_with(kProfileClass, profile_keys());
  profile.set("RegisteredOrganization", Value(kOther));
  profile.set("OtherRegisteredOrganization", Value("Cohort"));
  profile.set("RegisteredName", Value("Collection Snapshots"));
  profile.set("RegisteredVersion", Value(COHORT_VERSION));
  profile.set("AdvertiseTypes", Value::array_of(std::vector{kNotAdvertised}));
  return profile;
}

cim::Instance central_instance(const std::string& host_name) {
  return pair_of("Cohort_ElementConformsToProfile", "ConformantStandard", path_with(kProfileClass, profile_keys()),
                 "ManagedElement", path_of_service("Msvm_CollectionSnapshotService", host_name));
}

}  // namespace cohort::provider
