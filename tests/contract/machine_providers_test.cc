// Machines as clients see them, with libvirt's test driver behind the providers.
#include "provider/machine_providers.h"

#include <gtest/gtest.h>

#include <chrono>
#include <iostream>

#include "base/temporary_folder.h"
#include "hypervisor/libvirt_hypervisor.h"
#include "provider/paths.h"
#include "service/testing/fake_state_store.h"

namespace cohort::provider {
namespace {

using Instances = std::vector<cim::Instance>;

// The providers over a connection to libvirt.
class Face {
 public:
  explicit Face(const std::string& uri) : hypervisor_(std::move(hypervisor::open_libvirt(uri).value())) {
    add_machine_providers(broker_,
                          {schema_, *hypervisor_, store_, clock_, [] { return read_host_facts(); }, {"host", {}}});
  }

  Instances list(cim::Selection what, std::string_view in = cim::kVirtualizationNamespace) {
    const auto response = broker_.handle({std::string(in), cim::ListObjects{std::move(what), {}, {}}}, caller_);
    if (const auto* failed = std::get_if<cim::OperationFailed>(&response)) ADD_FAILURE() << failed->description;
    const auto* objects = std::get_if<cim::Objects>(&response);
    return objects == nullptr ? Instances() : objects->instances;
  }
  bool has(const cim::ObjectPath& path) {
    return std::holds_alternative<cim::Objects>(
        broker_.handle({std::string(path.namespace_name), cim::GetInstance{path, {}}}, caller_));
  }
  std::uint32_t request(const cim::ObjectPath& machine, std::uint16_t state) {
    const auto response =
        broker_.handle({std::string(cim::kVirtualizationNamespace),
                        cim::InvokeMethod{machine, "RequestStateChange", {{"RequestedState", cim::Value(state)}}}},
                       caller_);
    return *std::get<cim::MethodResult>(response).return_value.get_if<std::uint32_t>();
  }
  cim::Response modify(cim::Instance instance) {
    return broker_.handle({std::string(cim::kVirtualizationNamespace), cim::ModifyInstance{std::move(instance), {}}},
                          caller_);
  }
  service::Hypervisor& hypervisor() { return *hypervisor_; }
  const cim::Schema& schema() const { return schema_; }

 private:
  std::unique_ptr<service::Hypervisor> hypervisor_;
  service::FakeStateStore store_;
  SystemClock clock_;
  cim::Schema schema_ = cim::Schema::built_in().value();
  Broker broker_{schema_, "host", clock_};
  Caller caller_{"somebody", Right::kAdminister};
};

std::uint16_t enabled_state(Face& face, const MachineId& id) {
  const auto found =
      face.list(cim::QueryFor{"WQL", "SELECT * FROM Msvm_ComputerSystem WHERE Name = '" + upper(id.str()) + "'"});
  const auto* state = found.empty() ? nullptr : found.front().at("EnabledState").get_if<std::uint16_t>();
  return state == nullptr ? std::uint16_t{0} : *state;
}

TEST(MachineProvidersOverLibvirt, ListEveryClass) {
  Face face("test:///default");
  for (const auto name : face.schema().namespaces()) {
    for (const cim::Class& of : face.schema().find(name)->classes()) {
      for (const auto& instance : face.list(cim::InstancesOf{of.name, true, true}, name)) {
        EXPECT_TRUE(face.has(instance.path)) << of.name;
      }
    }
  }
  EXPECT_EQ(face.list(cim::InstancesOf{"Msvm_ComputerSystem"}).size(), 2U);
  EXPECT_EQ(face.list(cim::InstancesOf{"Msvm_VirtualSystemSettingData"}).size(), 1U);
}

// Clients send back the whole instance that they have read.
TEST(MachineProvidersOverLibvirt, KeepNotes) {
  Face face("test:///default");
  auto settings = face.list(cim::InstancesOf{"Msvm_VirtualSystemSettingData"}).at(0);
  settings.set("Notes", cim::Value::array_of(std::vector<std::string>{"for the shop", "ask <ada>"}));
  EXPECT_TRUE(std::holds_alternative<cim::Done>(face.modify(settings)));
  const MachineId id = face.hypervisor().find_machine("test")->id;
  EXPECT_EQ(face.hypervisor().hardware(id)->description, "for the shop\nask <ada>");
  settings.set("SecureBootEnabled", cim::Value(true));
  const auto refused = face.modify(settings);
  ASSERT_TRUE(std::holds_alternative<cim::OperationFailed>(refused));
  EXPECT_EQ(std::get<cim::OperationFailed>(refused).status, cim::Status::kNotSupported);
}

TEST(MachineProvidersOverLibvirt, ChangePower) {
  Face face("test:///default");
  const MachineId id = face.hypervisor().find_machine("test")->id;
  const auto machine = path_of_machine(id);
  EXPECT_EQ(face.request(machine, 32768), 0U);
  EXPECT_EQ(enabled_state(face, id), 32768U);
  EXPECT_EQ(face.request(machine, 2), 0U);
  EXPECT_EQ(face.request(machine, 2), 32775U);
  EXPECT_EQ(face.request(machine, 4), 0U);
  EXPECT_EQ(enabled_state(face, id), 3U);
  EXPECT_EQ(face.request(machine, 2), 0U);
  EXPECT_EQ(face.request(machine, 3), 0U);
  EXPECT_EQ(enabled_state(face, id), 3U);
}

// --- many machines ---

std::string host_of(int machines) {
  std::string xml = "<node>";
  for (int i = 0; i < machines; ++i) {
    xml += fmt::format(
        "<domain type='test'><name>machine-{0:04}</name><uuid>5b1f0c51-62f7-4f0e-9f2e-0000{0:08x}</uuid>"
        "<memory>1048576</memory><vcpu>2</vcpu><os><type>hvm</type></os><devices>"
        "<disk type='file' device='disk'><source file='/disks/{0}.img'/><target dev='vda' bus='virtio'/></disk>"
        "<interface type='network'><mac address='52:54:00:00:{1:02x}:{2:02x}'/><source network='default'/></interface>"
        "</devices></domain>",
        i, i / 256, i % 256);
  }
  return xml + "</node>";
}

template <typename Work>
Milliseconds time_of(const Work& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - begin);
}

// The aim is a second, and ten milliseconds for one. Here, beside other tests, it must not be of another order.
TEST(MachineProvidersOverLibvirt, ListAThousandMachinesInAMoment) {
  const TemporaryFolder folder;
  ASSERT_TRUE(create_file(folder.path() / "host.xml", host_of(1000)));
  Face face("test://" + (folder.path() / "host.xml").string());
  // Each of libvirt's connections reads that file when it is opened.
  face.list(cim::InstancesOf{"Msvm_VirtualSystemSettingData"});
  for (const char* of : {"Msvm_ComputerSystem", "Msvm_VirtualSystemSettingData", "Msvm_SettingsDefineState",
                         "Msvm_MemorySettingData", "Msvm_VirtualSystemSettingDataComponent"}) {
    Instances found;
    const auto took = time_of([&] { found = face.list(cim::InstancesOf{of}); });
    EXPECT_GE(found.size(), 1000U) << of;
    EXPECT_LT(took, std::chrono::seconds(10)) << of;
    std::cout << of << ": " << found.size() << " in " << took.count() << " ms\n";
  }
  const auto id = MachineId::parse("5b1f0c51-62f7-4f0e-9f2e-0000000003e7").value();
  const auto took = time_of([&] {
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE(face.has(path_of_machine(id)));
      EXPECT_TRUE(face.has(path_of_settings(id)));
    }
  });
  EXPECT_LT(took, std::chrono::seconds(10));
  std::cout << "one machine and its settings: " << static_cast<double>(took.count()) / 100 << " ms\n";
}

}  // namespace
}  // namespace cohort::provider
