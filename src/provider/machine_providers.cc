#include "provider/machine_providers.h"

#include <memory>
#include <utility>

#include "provider/computer_system.h"
#include "provider/element_setting_data.h"
#include "provider/host_instances.h"
#include "provider/interop.h"
#include "provider/last_applied_snapshot.h"
#include "provider/listed_class.h"
#include "provider/machine_configurations.h"
#include "provider/machine_part.h"
#include "provider/paths.h"
#include "provider/service_affects_element.h"
#include "provider/settings_define_state.h"
#include "provider/shutdown_component.h"
#include "provider/single_machine_service.h"
#include "provider/snapshot_of_virtual_system.h"
#include "provider/summary_information.h"
#include "provider/system_device.h"
#include "provider/virtual_system_management_service.h"
#include "provider/virtual_system_setting_data.h"
#include "provider/virtual_system_setting_data_component.h"

namespace cohort::provider {
namespace {

using Instances = std::vector<cim::Instance>;

constexpr const char* kServices[] = {"Msvm_VirtualSystemManagementService",
                                     "Msvm_CollectionManagementService",
                                     "Msvm_CollectionSnapshotService",
                                     "Msvm_CollectionReferencePointService",
                                     "Msvm_VirtualSystemSnapshotService",
                                     "Msvm_VirtualSystemReferencePointService",
                                     "Cohort_PackageService"};

class Adding {
 public:
  Adding(Broker& broker, const MachineProviderNeeds& needs)
      : broker_(broker), needs_(needs), host_name_(needs.surroundings.host_name) {}

  void machines() {
    add<ComputerSystemProvider>(needs_.hypervisor, needs_.state, needs_.clock, needs_.surroundings);
    add<ShutdownComponentProvider>(needs_.hypervisor, needs_.state, needs_.surroundings);
    add<SystemDeviceProvider>(needs_.hypervisor);
    add<VirtualSystemSettingDataProvider>(needs_.hypervisor, configurations());
    add<SettingsDefineStateProvider>(needs_.hypervisor);
    add<ElementSettingDataProvider>(needs_.hypervisor, needs_.state);
    add<ServiceAffectsElementProvider>(needs_.hypervisor, needs_.state, host_name_);
    for (const PartClass& of : part_classes()) add<MachinePartProvider>(of, configurations());
    add<VirtualSystemSettingDataComponentProvider>(configurations());
    using Snapshots = SnapshotOfVirtualSystemProvider;
    add<Snapshots>(Snapshots::Which::kAll, needs_.hypervisor, needs_.state);
    add<Snapshots>(Snapshots::Which::kCurrent, needs_.hypervisor, needs_.state);
    add<LastAppliedSnapshotProvider>(needs_.state);
    broker_.add(cim::kVirtualizationNamespace, make_single_snapshot_service(needs_.surroundings));
    broker_.add(cim::kVirtualizationNamespace, make_single_reference_point_service(needs_.surroundings));
    const cim::Class& summary = *needs_.schema.find(cim::kVirtualizationNamespace)->find("Msvm_SummaryInformation");
    add<VirtualSystemManagementService>(
        SummaryReader(needs_.hypervisor, configurations(), needs_.state, needs_.clock, summary, host_name_),
        needs_.surroundings);
  }

  void hosted() {
    auto& machines = static_cast<service::MachineControl&>(needs_.hypervisor);
    add<ListedAssociation>("Msvm_HostedDependency", [&machines, host = host_name_]() -> Result<Instances> {
      COHORT_ASSIGN(const auto conditions, machines.conditions());
      Instances pairs;
      for (const auto& each : conditions)
        pairs.push_back(on_host("Msvm_HostedDependency", host, path_of_machine(each.id)));
      return pairs;
    });
    add<ListedAssociation>("Msvm_HostedService", [host = host_name_]() -> Result<Instances> {
      Instances pairs;
      for (const char* name : kServices)
        pairs.push_back(on_host("Msvm_HostedService", host, path_of_service(name, host)));
      return pairs;
    });
  }

  void host() {
    add_host("Win32_ComputerSystem", [](const HostFacts& facts, const std::string& host, WallTime) {
      return Instances{win32_computer_system(facts, host)};
    });
    add_host("Win32_ComputerSystemProduct", [](const HostFacts& facts, const std::string&, WallTime) {
      return Instances{win32_computer_system_product(facts)};
    });
    add_host("Win32_OperatingSystem", [](const HostFacts& facts, const std::string& host, WallTime now) {
      return Instances{win32_operating_system(facts, host, now)};
    });
    add_host("Win32_Processor",
             [](const HostFacts& facts, const std::string& host, WallTime) { return win32_processors(facts, host); });
    broker_.add(cim::kHostNamespace, std::make_unique<ListedAssociation>(
                                         "Win32_ComputerSystemProcessor",
                                         [facts = needs_.host_facts, host = host_name_]() -> Result<Instances> {
                                           return processors_of_host(facts(), host);
                                         }));
    auto& hypervisor = needs_.hypervisor;
    list(cim::kHostNamespace, "CIM_DataFile", [&hypervisor, host = host_name_]() -> Result<Instances> {
      COHORT_ASSIGN(const auto info, hypervisor.host());
      return Instances{machine_service_file(host, info.hypervisor_version)};
    });
  }

  void interop() {
    const auto namespaces = needs_.schema.namespaces();
    const auto id = [facts = needs_.host_facts] { return facts().uuid; };
    list(cim::kInteropNamespace, "CIM_ObjectManager",
         [host = host_name_, id]() -> Result<Instances> { return Instances{object_manager(host, id())}; });
    list(cim::kInteropNamespace, "CIM_Namespace", [host = host_name_, id, namespaces]() -> Result<Instances> {
      return namespace_instances(host, id(), namespaces);
    });
    broker_.add(cim::kInteropNamespace,
                std::make_unique<ListedAssociation>("CIM_NamespaceInManager",
                                                    [host = host_name_, id, namespaces]() -> Result<Instances> {
                                                      return namespaces_in_manager(host, id(), namespaces);
                                                    }));
    list(cim::kInteropNamespace, "CIM_RegisteredProfile",
         []() -> Result<Instances> { return Instances{registered_profile()}; });
    broker_.add(cim::kInteropNamespace, std::make_unique<ListedAssociation>("Cohort_ElementConformsToProfile",
                                                                            [host = host_name_]() -> Result<Instances> {
                                                                              return Instances{central_instance(host)};
                                                                            }));
  }

 private:
  using OfHost = Instances (*)(const HostFacts& facts, const std::string& host_name, WallTime now);

  static cim::Instance on_host(const char* association, const std::string& host, cim::ObjectPath what) {
    return pair_of(association, "Antecedent", path_of_host(host), "Dependent", std::move(what));
  }

  template <typename Provider, typename... Arguments>
  void add(Arguments&&... arguments) {
    broker_.add(cim::kVirtualizationNamespace, std::make_unique<Provider>(std::forward<Arguments>(arguments)...));
  }
  void list(std::string_view namespace_name, const char* class_name, ListInstances list) {
    broker_.add(namespace_name, std::make_unique<ListedClass>(class_name, std::move(list)));
  }
  void add_host(const char* class_name, OfHost of_host) {
    list(cim::kHostNamespace, class_name,
         [facts = needs_.host_facts, host = host_name_, &clock = needs_.clock, of_host]() -> Result<Instances> {
           return of_host(facts(), host, clock.wall());
         });
  }
  [[nodiscard]] MachineConfigurations configurations() const { return {needs_.hypervisor, needs_.state}; }

  Broker& broker_;
  const MachineProviderNeeds& needs_;
  const std::string& host_name_;
};

}  // namespace

void add_machine_providers(Broker& broker, const MachineProviderNeeds& needs) {
  Adding adding(broker, needs);
  adding.machines();
  adding.hosted();
  adding.host();
  adding.interop();
}

}  // namespace cohort::provider
