// Machines, their settings and the host as clients see them: the providers behind a broker, over fakes.
#include "provider/machine_providers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "cim/object_path.h"
#include "cim/typed.h"
#include "provider/listed_class.h"
#include "provider/paths.h"
#include "service/testing/lab.h"

namespace cohort::provider {
namespace {

using cim::Value;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr const char* kHost = "host.example";

HostFacts some_facts() {
  HostFacts facts;
  facts.uuid = "0e6c1f0a-6f3e-4b8c-9a55-2f7f3a1d7c11";
  facts.maker = "Maker";
  facts.model = "Model 5";
  facts.os_name = "Debian GNU/Linux 12 (bookworm)";
  facts.kernel = "6.1.0-18-amd64";
  facts.architecture = "x86_64";
  facts.memory = std::uint64_t{16} << 30;
  facts.processors = {{"CPU @ 2 GHz", "Intel", 2000, 4, 8}, {"CPU @ 2 GHz", "Intel", 2000, 4, 8}};
  return facts;
}

MachineHardware some_hardware() {
  MachineHardware hardware;
  hardware.description = "the shop's";
  hardware.architecture = "x86_64";
  hardware.machine_type = "pc-q35-7.2";
  hardware.memory = std::uint64_t{2048} << 20;
  hardware.memory_at_start = std::uint64_t{1024} << 20;
  hardware.processors = 2;
  hardware.has_uefi = true;
  hardware.boot_order = {BootDevice::kDisk, BootDevice::kNetwork};
  hardware.drives = {{"vda", DriveKind::kDisk, "virtio", "/disks/web-vda.qcow2", false, false},
                     {"hdc", DriveKind::kCdrom, "ide", "", true, false}};
  hardware.cards = {{"52:54:00:00:00:0a", "virtio", "default", true}};
  return hardware;
}

class MachineProvidersTest : public ::testing::Test {
 protected:
  MachineProvidersTest() {
    lab.add_shop();
    lab.hypervisor.change("web", [&](service::FakeMachine& machine) {
      machine.hardware = some_hardware();
      machine.process = 4711;
      machine.started = started = lab.clock.wall() - std::chrono::seconds(90);
    });
    add_machine_providers(broker, {schema, lab.hypervisor, lab.store, lab.clock, some_facts, {kHost, {}}});
    lab.control.clear();
  }

  cim::Response ask(cim::Operation operation, std::string_view in = cim::kVirtualizationNamespace) {
    return broker.handle({std::string(in), std::move(operation)}, caller);
  }
  std::vector<cim::Instance> list(cim::Selection what, std::string_view in = cim::kVirtualizationNamespace) {
    const auto response = ask(cim::ListObjects{std::move(what)}, in);
    if (const auto* failed = std::get_if<cim::OperationFailed>(&response)) ADD_FAILURE() << failed->description;
    const auto* objects = std::get_if<cim::Objects>(&response);
    return objects == nullptr ? std::vector<cim::Instance>() : objects->instances;
  }
  std::vector<cim::Instance> query(const std::string& text, std::string_view in = cim::kVirtualizationNamespace) {
    return list(cim::QueryFor{"WQL", text}, in);
  }
  std::vector<cim::Instance> all(const std::string& class_name, std::string_view in = cim::kVirtualizationNamespace) {
    return list(cim::InstancesOf{class_name}, in);
  }
  cim::Instance get(const cim::ObjectPath& path) {
    const auto response = ask(cim::GetInstance{path});
    const auto* objects = std::get_if<cim::Objects>(&response);
    if (objects == nullptr || objects->instances.size() != 1) {
      ADD_FAILURE() << "there is no such instance";
      return {};
    }
    return objects->instances.front();
  }
  MachineId id(const std::string& name) { return lab.hypervisor.find_machine(name)->id; }
  cim::Instance machine(const std::string& name) { return get(path_of_machine(id(name))); }
  std::uint32_t request(const std::string& name, std::uint16_t state) {
    const auto response =
        ask(cim::InvokeMethod{path_of_machine(id(name)), "RequestStateChange", {{"RequestedState", Value(state)}}});
    const auto* result = std::get_if<cim::MethodResult>(&response);
    const auto* code = result == nullptr ? nullptr : result->return_value.get_if<std::uint32_t>();
    return code == nullptr ? 0xffff'ffff : *code;
  }
  Result<std::vector<cim::Instance>> summaries(std::vector<cim::NamedValue> parameters) {
    const auto path = path_of_service("Msvm_VirtualSystemManagementService", kHost);
    const auto response = ask(cim::InvokeMethod{path, "GetSummaryInformation", std::move(parameters)});
    const auto* result = std::get_if<cim::MethodResult>(&response);
    if (result == nullptr) return fail(ErrorCode::kInternal, "failed");
    if (result->return_value != Value(std::uint32_t{0})) return fail(ErrorCode::kInvalidArgument, "refused");
    std::vector<cim::Instance> found;
    for (const auto& each : result->out.front().value.elements()) {
      found.push_back(*std::get<cim::Shared<cim::Instance>>(each));
    }
    return found;
  }
  Snapshot take() { return lab.take_of_shop("monday").value(); }

  service::Lab lab;
  WallTime started;  // of "web"
  cim::Schema schema = cim::Schema::built_in().value();
  Broker broker{schema, kHost, lab.clock};
  Caller caller{"somebody", Right::kOperate};
};

std::string text(const cim::Instance& instance, std::string_view property) {
  const auto* value = instance.at(property).get_if<std::string>();
  return value == nullptr ? "(no text)" : *value;
}
template <typename T>
T number(const cim::Instance& instance, std::string_view property) {
  const auto* value = instance.at(property).get_if<T>();
  if (value == nullptr) ADD_FAILURE() << property << " is no number of that type";
  return value == nullptr ? T{0} : *value;
}
std::vector<std::string> texts(const std::vector<cim::Instance>& instances, std::string_view property) {
  std::vector<std::string> found;
  for (const auto& each : instances) found.push_back(text(each, property));
  return found;
}
Value codes(const std::vector<std::uint32_t>& codes) { return Value::array_of(codes); }

// --- every class ---

TEST_F(MachineProvidersTest, EveryInstanceIsFoundByItsPathAndHasEveryProperty) {
  take();
  std::size_t classes = 0;
  for (const auto name : schema.namespaces()) {
    for (const cim::Class& of : schema.find(name)->classes()) {
      const auto instances = list(cim::InstancesOf{of.name, true, true}, name);
      classes += instances.empty() ? 0U : 1U;
      for (const auto& instance : instances) {
        EXPECT_EQ(instance.properties.size(), of.properties.size()) << of.name;
        for (const auto& key : instance.path.keys) EXPECT_FALSE(key.value.is_null()) << of.name << "." << key.name;
        const auto response = ask(cim::GetInstance{instance.path}, name);
        const auto* found = std::get_if<cim::Objects>(&response);
        ASSERT_NE(found, nullptr) << of.name;
        EXPECT_EQ(found->instances.front().path, instance.path) << of.name;
      }
    }
  }
  EXPECT_EQ(classes, 32U);
}

TEST_F(MachineProvidersTest, EveryAssociationLeadsToInstancesThatAreThere) {
  take();
  for (const auto name : schema.namespaces()) {
    for (const cim::Class& of : schema.find(name)->classes()) {
      if (!cim::is_association(of)) continue;
      for (const auto& pair : list(cim::InstancesOf{of.name, true, true}, name)) {
        for (const auto& property : pair.properties) {
          const auto* end = property.value.reference();
          // Those are shown by the others.
          if (end == nullptr || end->class_name.find("Collection") != std::string::npos) continue;
          if (end->class_name == "Cohort_PackageService") continue;
          const auto response = ask(cim::GetInstance{*end}, name);
          EXPECT_TRUE(std::holds_alternative<cim::Objects>(response)) << of.name << "." << property.name;
        }
      }
    }
  }
}

// --- computer systems ---

TEST_F(MachineProvidersTest, ListsTheHostAndItsMachines) {
  const auto systems = all("CIM_ComputerSystem");
  EXPECT_THAT(texts(systems, "ElementName"), ElementsAre(kHost, "archive", "cache", "database", "web"));
  EXPECT_EQ(text(systems.front(), "Caption"), "Hosting Computer System");
  EXPECT_EQ(text(systems.front(), "Description"), "Microsoft Hosting Computer System");
  EXPECT_EQ(text(systems.back(), "Caption"), "Virtual Machine");
  EXPECT_EQ(text(systems.back(), "Name"), upper(id("web").str()));
}

TEST_F(MachineProvidersTest, TellsHowMachinesAre) {
  const auto web = machine("web");
  EXPECT_EQ(number<std::uint16_t>(web, "EnabledState"), 2U);
  EXPECT_EQ(number<std::uint16_t>(web, "HealthState"), 5U);
  EXPECT_EQ(number<std::uint16_t>(web, "EnhancedSessionModeState"), 3U) << "not allowed";
  EXPECT_EQ(number<std::uint64_t>(web, "OnTimeInMilliseconds"), 90'000U);
  EXPECT_EQ(number<std::uint32_t>(web, "ProcessID"), 4711U);
  EXPECT_EQ(*web.at("TimeOfLastStateChange").get_if<cim::Datetime>(), cim::Datetime::at(started));
  EXPECT_EQ(number<std::uint16_t>(machine("archive"), "EnabledState"), 3U);
  EXPECT_TRUE(machine("archive").at("TimeOfLastStateChange").is_null());
  EXPECT_EQ(number<std::uint16_t>(machine("cache"), "EnabledState"), 9U);
  lab.hypervisor.change("archive", [](auto& machine) { machine.is_saved = true; });
  EXPECT_EQ(number<std::uint16_t>(machine("archive"), "EnabledState"), 6U);
  lab.hypervisor.set_power("database", PowerState::kOther);
  EXPECT_EQ(number<std::uint16_t>(machine("database"), "HealthState"), 20U);
}

TEST_F(MachineProvidersTest, FindsMachinesInAnyCaseOfLetters) {
  auto path = path_of_machine(id("web"));
  path.keys[1].value = Value(id("web").str());
  EXPECT_EQ(text(get(path), "ElementName"), "web");
  EXPECT_EQ(text(get(path_of_host("HOST.example")), "ElementName"), kHost);
}

TEST_F(MachineProvidersTest, KnowsNoMachineThatIsNotThere) {
  for (const auto& path :
       {path_of_machine(MachineId::generate()), path_of_host("elsewhere"), path_of_settings(MachineId::generate())}) {
    const auto response = ask(cim::GetInstance{path});
    const auto* failed = std::get_if<cim::OperationFailed>(&response);
    ASSERT_NE(failed, nullptr);
    EXPECT_EQ(failed->status, cim::Status::kNotFound);
  }
}

TEST_F(MachineProvidersTest, LooksAtOneMachineToTellOfOne) {
  machine("web");
  get(path_of_settings(id("web")));
  query("ASSOCIATORS OF {Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',Name='" + upper(id("web").str()) +
        "'} WHERE AssocClass = Msvm_SettingsDefineState ResultClass = Msvm_VirtualSystemSettingData");
  query("ASSOCIATORS OF {Msvm_VirtualSystemSettingData.InstanceID='" + settings_id(id("web")) +
        "'} WHERE AssocClass = Msvm_VirtualSystemSettingDataComponent");
  EXPECT_EQ(lab.control.count("conditions"), 0U);
  EXPECT_EQ(lab.control.count("snapshots"), 0U);
}

TEST_F(MachineProvidersTest, FailsInsteadOfListingHalf) {
  lab.control.fail_next("conditions", ErrorCode::kHypervisor);
  EXPECT_TRUE(std::holds_alternative<cim::OperationFailed>(ask(cim::ListObjects{cim::InstancesOf{"CIM_System"}})));
}

// --- power ---

TEST_F(MachineProvidersTest, ChangesPower) {
  EXPECT_EQ(request("archive", 2), 0U);
  EXPECT_EQ(lab.hypervisor.power("archive"), PowerState::kRunning);
  EXPECT_EQ(request("cache", 2), 0U);  // resumes
  EXPECT_EQ(lab.hypervisor.power("cache"), PowerState::kRunning);
  EXPECT_EQ(request("cache", 9), 0U);
  EXPECT_EQ(lab.hypervisor.power("cache"), PowerState::kPaused);
  EXPECT_EQ(request("cache", 32777), 0U);
  EXPECT_EQ(request("cache", 32768), 0U);
  EXPECT_EQ(lab.hypervisor.power("cache"), PowerState::kPaused);
  EXPECT_EQ(request("cache", 3), 0U);
  EXPECT_EQ(lab.hypervisor.power("cache"), PowerState::kOff);
  EXPECT_EQ(request("database", 11), 0U);
  EXPECT_EQ(request("database", 4), 0U);
  EXPECT_EQ(lab.hypervisor.power("database"), PowerState::kOff);
}

TEST_F(MachineProvidersTest, RefusesPowerChangesThatTheStateDoesNotAllow) {
  constexpr std::uint32_t kInvalid = 32775;
  EXPECT_EQ(request("web", 2), kInvalid);      // runs
  EXPECT_EQ(request("archive", 4), kInvalid);  // off
  EXPECT_EQ(request("archive", 3), kInvalid);
  EXPECT_EQ(request("cache", 9), kInvalid);  // paused
  EXPECT_EQ(request("web", 6), kInvalid);    // saving is not offered
  EXPECT_EQ(request("web", 777), kInvalid);
  EXPECT_EQ(lab.hypervisor.power("web"), PowerState::kRunning);
}

TEST_F(MachineProvidersTest, SaysWithTheClasssOwnCodesWhatFailed) {
  lab.control.fail_next("change_power web", ErrorCode::kHypervisor);
  EXPECT_EQ(request("web", 3), 32775U);
  lab.control.fail_next("change_power web", ErrorCode::kPermission);
  EXPECT_EQ(request("web", 3), 32769U);
  EXPECT_EQ(lab.hypervisor.power("web"), PowerState::kRunning);
}

TEST_F(MachineProvidersTest, LetsNobodyTurnOffTheHost) {
  const auto response =
      ask(cim::InvokeMethod{path_of_host(kHost), "RequestStateChange", {{"RequestedState", Value(std::uint16_t{3})}}});
  EXPECT_EQ(std::get<cim::MethodResult>(response).return_value, Value(std::uint32_t{32775}));
}

TEST_F(MachineProvidersTest, DoesNotChangePowerForThoseWhoMayOnlyLook) {
  caller.right = Right::kLook;
  EXPECT_EQ(request("web", 3), 0xffff'ffffU);
  EXPECT_EQ(lab.hypervisor.power("web"), PowerState::kRunning);
}

TEST_F(MachineProvidersTest, LeavesPowerAloneWhileASnapshotIsTaken) {
  Snapshot snapshot = take();
  snapshot.id = SnapshotId::generate();
  snapshot.name = "tuesday";
  snapshot.state = SnapshotState::kCreating;
  ASSERT_TRUE(lab.kept.add_snapshot(snapshot));
  EXPECT_EQ(request("web", 3), 32775U);
  const auto component = path_of_shutdown_component(id("web"));
  const auto asked = ask(cim::InvokeMethod{component, "InitiateShutdown", {{"Force", Value(false)}}});
  EXPECT_EQ(std::get<cim::MethodResult>(asked).return_value, Value(std::uint32_t{32774}));
  EXPECT_EQ(lab.hypervisor.power("web"), PowerState::kRunning);
}

TEST_F(MachineProvidersTest, HasAShutdownComponentForEachMachineThatIsNotOff) {
  EXPECT_THAT(texts(all("Msvm_ShutdownComponent"), "SystemName"),
              UnorderedElementsAre(upper(id("cache").str()), upper(id("database").str()), upper(id("web").str())));
  const auto through = [&](const std::string& name) {
    return query("ASSOCIATORS OF {Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',Name='" + id(name).str() +
                 "'} WHERE AssocClass=Msvm_SystemDevice ResultClass=Msvm_ShutdownComponent");
  };
  EXPECT_THAT(texts(through("web"), "DeviceID"), ElementsAre(settings_id(id("web")) + "\\Shutdown"));
  EXPECT_THAT(through("archive"), IsEmpty());
  auto elsewhere = path_of_shutdown_component(id("web"));
  elsewhere.keys.back().value = Value("another device");
  EXPECT_TRUE(std::holds_alternative<cim::OperationFailed>(ask(cim::GetInstance{elsewhere})));
}

TEST_F(MachineProvidersTest, AsksTheGuestToShutDownThroughItsComponent) {
  const auto shut_down = [&](const std::string& name) {
    auto path = path_of_shutdown_component(id(name));
    path.keys[1].value = Value(id(name).str());  // in lower case, as libvirt writes UUIDs
    return ask(
        cim::InvokeMethod{path, "InitiateShutdown", {{"Force", Value(false)}, {"Reason", Value("maintenance")}}});
  };
  EXPECT_EQ(std::get<cim::MethodResult>(shut_down("web")).return_value, Value(std::uint32_t{0}));
  EXPECT_EQ(lab.hypervisor.power("web"), PowerState::kOff);
  EXPECT_TRUE(std::holds_alternative<cim::OperationFailed>(shut_down("web"))) << "it is off, and has none";
  EXPECT_EQ(std::get<cim::MethodResult>(shut_down("cache")).return_value, Value(std::uint32_t{32775})) << "paused";
  caller.right = Right::kLook;
  EXPECT_TRUE(std::holds_alternative<cim::OperationFailed>(shut_down("database")));
  EXPECT_EQ(lab.hypervisor.power("database"), PowerState::kRunning);
}

// --- settings ---

TEST_F(MachineProvidersTest, TellsTheSettingsOfAMachine) {
  const auto settings = get(path_of_settings(id("web")));
  const std::string uuid = upper(id("web").str());
  EXPECT_EQ(text(settings, "InstanceID"), "Microsoft:" + uuid);
  EXPECT_EQ(text(settings, "VirtualSystemIdentifier"), uuid);
  EXPECT_EQ(text(settings, "VirtualSystemType"), "Microsoft:Hyper-V:System:Realized");
  EXPECT_EQ(text(settings, "ElementName"), "web");
  EXPECT_EQ(text(settings, "BIOSGUID"), "{" + uuid + "}");
  EXPECT_EQ(text(settings, "VirtualSystemSubType"), "Microsoft:Hyper-V:SubType:2");
  EXPECT_EQ(text(settings, "Version"), "pc-q35-7.2");
  EXPECT_EQ(settings.at("Notes"), Value::array_of(std::vector<std::string>{"the shop's"}));
  EXPECT_EQ(settings.at("BootOrder"), Value::array_of(std::vector<std::uint16_t>{2, 3}));
  EXPECT_EQ(number<std::uint16_t>(settings, "AutomaticStartupAction"), 2U);
  EXPECT_EQ(number<std::uint16_t>(settings, "NetworkBootPreferredProtocol"), 4096U);
  EXPECT_EQ(settings.at("IncrementalBackupEnabled"), Value(true));
  EXPECT_EQ(settings.at("PauseAfterBootFailure"), Value(false));
  EXPECT_TRUE(settings.at("CreationTime").is_null());
}

TEST_F(MachineProvidersTest, KeepsTheNotesThatAreWritten) {
  const auto snapshot = take();
  const auto write = [this](const cim::ObjectPath& path, const char* property, Value value) {
    cim::Instance changed{path.class_name, {{property, std::move(value)}}, path};
    const auto response = ask(cim::ModifyInstance{std::move(changed)});
    const auto* failed = std::get_if<cim::OperationFailed>(&response);
    return failed == nullptr ? cim::Status{} : failed->status;
  };
  const Value lines = Value::array_of(std::vector<std::string>{"for the shop", "ask ada"});
  EXPECT_EQ(write(path_of_settings(id("web")), "Notes", lines), cim::Status::kAccessDenied) << "by an operator";
  caller.right = Right::kAdminister;
  EXPECT_EQ(write(path_of_settings(id("web")), "Notes", lines), cim::Status{});
  EXPECT_EQ(lab.hypervisor.hardware(id("web"))->description, "for the shop\nask ada");
  EXPECT_EQ(write(path_of_settings(id("web")), "BIOSGUID", Value("x")), cim::Status::kNotSupported);
  EXPECT_EQ(write(path_of_settings(id("web")), "ElementName", Value("x")), cim::Status::kNotSupported);
  EXPECT_EQ(
      write(path_of_snapshot_settings(snapshot.id, id("web")), "Notes", Value::array_of(std::vector<std::string>{"x"})),
      cim::Status::kNotSupported);
  EXPECT_EQ(write(path_of_settings(id("web")), "Notes", Value::null(cim::Type::kString, true)), cim::Status{});
  EXPECT_TRUE(get(path_of_settings(id("web"))).at("Notes").is_null());
}

TEST_F(MachineProvidersTest, TellsTheSettingsThatASnapshotKeeps) {
  const auto snapshot = take();
  const auto settings = get(path_of_snapshot_settings(snapshot.id, id("web")));
  EXPECT_EQ(text(settings, "VirtualSystemType"), "Microsoft:Hyper-V:Snapshot:Recovery");
  EXPECT_EQ(text(settings, "VirtualSystemIdentifier"), upper(id("web").str()));
  EXPECT_EQ(text(settings, "ElementName"), "monday");
  EXPECT_EQ(*settings.at("CreationTime").get_if<cim::Datetime>(), cim::Datetime::at(snapshot.instant));
  EXPECT_THAT(all("Msvm_VirtualSystemSettingData"), SizeIs(8));
  EXPECT_THAT(query("SELECT * FROM Msvm_VirtualSystemSettingData "
                    "WHERE VirtualSystemType = 'Microsoft:Hyper-V:System:Realized'"),
              SizeIs(4));
}

TEST_F(MachineProvidersTest, HidesSnapshotsThatAreNotWhole) {
  Snapshot snapshot = take();
  snapshot.state = SnapshotState::kDeleting;
  ASSERT_TRUE(lab.kept.update_snapshot(snapshot));
  EXPECT_THAT(all("Msvm_VirtualSystemSettingData"), SizeIs(4));
  EXPECT_THAT(all("Msvm_SnapshotOfVirtualSystem"), IsEmpty());
}

TEST_F(MachineProvidersTest, TellsTheNewestSnapshotOfAMachine) {
  take();
  const auto second = lab.take_of_shop("tuesday").value();
  const std::string of_web = "ASSOCIATORS OF {Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',Name='" +
                             upper(id("web").str()) + "'} WHERE AssocClass = ";
  EXPECT_THAT(texts(query(of_web + "Msvm_SnapshotOfVirtualSystem"), "ElementName"),
              UnorderedElementsAre("monday", "tuesday"));
  EXPECT_THAT(texts(query(of_web + "Msvm_MostCurrentSnapshotInBranch"), "InstanceID"),
              ElementsAre(snapshot_settings_id(second.id, id("web"))));
}

TEST_F(MachineProvidersTest, TellsTheSnapshotThatAMachineGoesOnFrom) {
  Snapshot monday = take();
  const auto tuesday = lab.take_of_shop("tuesday").value();
  monday.arrival = tuesday.arrival + 1;  // what going back to it does
  ASSERT_TRUE(lab.kept.update_snapshot(monday));
  const std::string of_web = "ASSOCIATORS OF {Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',Name='" +
                             upper(id("web").str()) + "'} WHERE AssocClass = ";
  const auto current = [&] { return texts(query(of_web + "Msvm_MostCurrentSnapshotInBranch"), "ElementName"); };
  EXPECT_THAT(current(), ElementsAre("monday"));
  EXPECT_THAT(texts(query(of_web + "Msvm_LastAppliedSnapshot"), "ElementName"), ElementsAre("monday"))
      << "though no job tells of it";
  ASSERT_TRUE(lab.take_of_shop("wednesday"));
  EXPECT_THAT(current(), ElementsAre("wednesday"));
  ASSERT_TRUE(lab.convert("wednesday"));
  EXPECT_THAT(current(), ElementsAre("monday")) << "a reference point is no snapshot";
}

TEST_F(MachineProvidersTest, TellsTheParentOfASnapshot) {
  const Snapshot monday = take();
  EXPECT_TRUE(get(path_of_snapshot_settings(monday.id, id("web"))).at("Parent").is_null());
  ASSERT_TRUE(lab.create_reference_point("between"));
  const auto tuesday = lab.take_of_shop("tuesday").value();
  const std::string parent = cim::to_text(path_of_snapshot_settings(monday.id, id("web")));
  EXPECT_EQ(text(get(path_of_snapshot_settings(tuesday.id, id("web"))), "Parent"), parent);
  const auto listed = query(
      "SELECT * FROM Msvm_VirtualSystemSettingData WHERE ElementName = 'tuesday' AND "
      "VirtualSystemIdentifier = '" +
      upper(id("web").str()) + "'");
  EXPECT_THAT(texts(listed, "Parent"), ElementsAre(parent));
}

TEST_F(MachineProvidersTest, TellsThePartsOfAMachine) {
  const std::string parts_of_web = "ASSOCIATORS OF {Msvm_VirtualSystemSettingData.InstanceID='" +
                                   settings_id(id("web")) +
                                   "'} WHERE AssocClass = Msvm_VirtualSystemSettingDataComponent ResultClass = ";
  const auto memory = query(parts_of_web + "Msvm_MemorySettingData");
  ASSERT_THAT(memory, SizeIs(1));
  EXPECT_EQ(number<std::uint64_t>(memory.front(), "VirtualQuantity"), 1024U);
  EXPECT_EQ(number<std::uint64_t>(memory.front(), "Limit"), 2048U);
  EXPECT_EQ(text(memory.front(), "AllocationUnits"), "byte * 2^20");
  const auto processors = query(parts_of_web + "Msvm_ProcessorSettingData");
  ASSERT_THAT(processors, SizeIs(1));
  EXPECT_EQ(number<std::uint64_t>(processors.front(), "VirtualQuantity"), 2U);
  const auto ports = query(parts_of_web + "Msvm_SyntheticEthernetPortSettingData");
  EXPECT_THAT(texts(ports, "Address"), ElementsAre("52540000000A"));
  const auto connections = query(parts_of_web + "Msvm_EthernetPortAllocationSettingData");
  EXPECT_THAT(texts(connections, "LastKnownSwitchName"), ElementsAre("default"));
  EXPECT_TRUE(connections.front().at("HostResource").is_null());
}

TEST_F(MachineProvidersTest, TellsTheWayFromAnImageToItsController) {
  const std::string prefix = settings_id(id("web"));
  const auto images = all("Msvm_StorageAllocationSettingData");
  ASSERT_THAT(images, SizeIs(1));  // the drive for CDs is empty, and the other machines have none
  EXPECT_EQ(text(images.front(), "InstanceID"), prefix + "\\vda\\L");
  EXPECT_EQ(images.front().at("HostResource"), Value::array_of(std::vector<std::string>{"/disks/web-vda.qcow2"}));
  const auto devices = query("ASSOCIATORS OF {Msvm_VirtualSystemSettingData.InstanceID='" + prefix +
                             "'} WHERE ResultClass = Msvm_ResourceAllocationSettingData");
  EXPECT_THAT(texts(devices, "InstanceID"), UnorderedElementsAre(prefix + "\\ide\\1", prefix + "\\scsi\\0",
                                                                 prefix + "\\vda\\D", prefix + "\\hdc\\D"));
  const auto parent_of = [&](const cim::Instance& child) {
    // As libvirt's driver looks for it: by the end of the path's text.
    const auto is_parent = [&](const cim::Instance& each) {
      std::string id;
      for (const char c : text(each, "InstanceID")) id += c == '\\' ? std::string("\\\\") : std::string(1, c);
      return text(child, "Parent").ends_with(id + "\"");
    };
    return std::ranges::find_if(devices, is_parent);
  };
  const auto drive = parent_of(images.front());
  ASSERT_NE(drive, devices.end());
  EXPECT_EQ(text(*drive, "AddressOnParent"), "0");
  const auto controller = parent_of(*drive);
  ASSERT_NE(controller, devices.end());
  EXPECT_EQ(number<std::uint16_t>(*controller, "ResourceType"), 6U);
}

TEST_F(MachineProvidersTest, HasAControllerWithoutDrivesToo) {
  const std::string prefix = settings_id(id("archive"));
  EXPECT_THAT(texts(query("ASSOCIATORS OF {Msvm_VirtualSystemSettingData.InstanceID='" + prefix +
                          "'} WHERE ResultClass = Msvm_ResourceAllocationSettingData"),
                    "InstanceID"),
              ElementsAre(prefix + "\\scsi\\0"));
}

TEST_F(MachineProvidersTest, TellsThePartsThatASnapshotKeeps) {
  const auto snapshot = take();
  const auto parts =
      query("ASSOCIATORS OF {Msvm_VirtualSystemSettingData.InstanceID='" +
            snapshot_settings_id(snapshot.id, id("web")) + "'} WHERE ResultClass = Msvm_StorageAllocationSettingData");
  ASSERT_THAT(parts, SizeIs(1));
  EXPECT_EQ(text(parts.front(), "SnapshotId"), upper(snapshot.id.str()));
  EXPECT_EQ(number<std::uint64_t>(parts.front(), "VirtualQuantity"), 8U);  // blocks of 512
  const auto group = query("ASSOCIATORS OF {Msvm_StorageAllocationSettingData.InstanceID='" +
                           snapshot_settings_id(snapshot.id, id("web")) + "\\\\vda\\\\L'}");
  EXPECT_THAT(texts(group, "ElementName"), ElementsAre("monday"));
}

// --- the management service ---

TEST_F(MachineProvidersTest, SummarizesAllMachines) {
  const auto found = summaries({{"RequestedInformation", codes({0, 1, 4, 100, 103, 105})}}).value();
  EXPECT_THAT(texts(found, "ElementName"), ElementsAre("archive", "cache", "database", "web"));
  const auto& web = found.back();
  EXPECT_EQ(web.class_name, "Msvm_SummaryInformation");
  EXPECT_EQ(text(web, "Name"), upper(id("web").str()));
  EXPECT_EQ(number<std::uint16_t>(web, "NumberOfProcessors"), 2U);
  EXPECT_EQ(number<std::uint16_t>(web, "EnabledState"), 2U);
  EXPECT_EQ(number<std::uint64_t>(web, "MemoryUsage"), 1024U);
  EXPECT_EQ(number<std::uint64_t>(web, "UpTime"), 90'000U);
  EXPECT_TRUE(web.at("HealthState").is_null());  // not asked for
  EXPECT_EQ(web.properties.size(),
            schema.find(cim::kVirtualizationNamespace)->find("Msvm_SummaryInformation")->properties.size());
}

TEST_F(MachineProvidersTest, SummarizesChosenMachinesAndSnapshots) {
  const auto snapshot = take();
  const Value chosen = Value::array(cim::Type::kReference,
                                    {cim::Element(cim::Shared(path_of_settings(id("web")))),
                                     cim::Element(cim::Shared(path_of_snapshot_settings(snapshot.id, id("cache"))))});
  const auto found = summaries({{"SettingData", chosen}, {"RequestedInformation", codes({1, 2, 3, 107})}}).value();
  EXPECT_THAT(texts(found, "ElementName"), ElementsAre("web", "monday"));
  EXPECT_EQ(text(found.front(), "Notes"), "the shop's");
  EXPECT_THAT(found.front().at("Snapshots").elements(), SizeIs(1));
  EXPECT_FALSE(found.back().at("CreationTime").is_null());
}

TEST_F(MachineProvidersTest, SummarizesConnectionsAndWhatIsAtWork) {
  const auto tasks_of_web = [this] {
    const auto found = summaries({{"RequestedInformation", codes({1, 9, 108, 120})}}).value();
    EXPECT_EQ(found.back().at("VirtualSwitchNames"), Value::array_of(std::vector<std::string>{"default"}));
    EXPECT_EQ(found.back().at("SwapFilesInUse"), Value(false));
    return found.back().at("AsynchronousTasks").elements();
  };
  EXPECT_THAT(tasks_of_web(), IsEmpty());
  Job job;
  job.id = JobId::generate();
  job.type = JobType::kTakeSnapshot;
  job.state = JobState::kRunning;
  job.works_on.collection = lab.store.collections()->front().id;
  ASSERT_TRUE(lab.kept.add_job(job));
  const auto tasks = tasks_of_web();
  ASSERT_THAT(tasks, SizeIs(1));
  const auto task = *std::get<cim::Shared<cim::Instance>>(tasks.front());
  EXPECT_EQ(task.class_name, "Msvm_ConcreteJob");
  EXPECT_EQ(text(task, "InstanceID"), upper(job.id.str()));
  EXPECT_EQ(number<std::uint16_t>(task, "JobState"), 4U);
}

TEST_F(MachineProvidersTest, SummarizesWhatIsNotThereWithoutAName) {
  const Value chosen =
      Value::array(cim::Type::kReference, {cim::Element(cim::Shared(path_of_settings(MachineId::generate()))),
                                           cim::Element(cim::Shared(path_of_settings(id("web"))))});
  const auto found = summaries({{"SettingData", chosen}, {"RequestedInformation", codes({1})}}).value();
  EXPECT_THAT(texts(found, "Name"), ElementsAre("", upper(id("web").str())));
  EXPECT_TRUE(found.front().at("ElementName").is_null());
}

TEST_F(MachineProvidersTest, KnowsTheNumbersThatMicrosoftsToolsAskFor) {
  const auto web = [this](std::vector<std::uint32_t> numbers) {
    return summaries({{"RequestedInformation", codes(numbers)}}).value().back();
  };
  constexpr std::int32_t kUnknown = 2147483647;
  const auto of_sample = web({113, 121});  // the sample about second level paging
  EXPECT_EQ(number<std::int32_t>(of_sample, "AvailableMemoryBuffer"), kUnknown);
  EXPECT_EQ(of_sample.at("SwapFilesInUse"), Value(false));
  EXPECT_TRUE(of_sample.at("MemoryAvailable").is_null());
  // The tool for clusters.
  const auto basic = web({0, 1, 100, 101, 103, 112, 105, 2, 109, 115, 114, 136, 104, 3, 111, 110});
  EXPECT_EQ(text(basic, "HostComputerSystemName"), kHost);
  EXPECT_EQ(number<std::int32_t>(basic, "MemoryAvailable"), kUnknown);
  const auto others = web({133, 134, 135});
  EXPECT_EQ(text(others, "VirtualSystemSubType"), "Microsoft:Hyper-V:SubType:2");
  EXPECT_EQ(text(others, "OtherEnabledState"), text(web({132}), "OtherEnabledState"));
  EXPECT_TRUE(others.at("SwapFilesInUse").is_null());
}

TEST_F(MachineProvidersTest, RefusesNumbersThatStandForNothing) {
  for (const std::uint32_t none : {12U, 99U, 124U, 131U, 137U}) {
    EXPECT_FALSE(summaries({{"RequestedInformation", codes({1, none})}})) << none;
  }
  EXPECT_FALSE(summaries({}));
}

TEST_F(MachineProvidersTest, RefusesMoreSettingsThanThereCouldBe) {
  const auto of = [this](std::size_t count) {
    const std::vector<cim::Element> same(count, cim::Element(cim::Shared(path_of_settings(id("web")))));
    return summaries(
        {{"SettingData", Value::array(cim::Type::kReference, same)}, {"RequestedInformation", codes({1})}});
  };
  EXPECT_THAT(of(1000).value(), SizeIs(1000));
  EXPECT_FALSE(of(1001));
}

TEST_F(MachineProvidersTest, SaysWhichMethodsAreNotSupported) {
  const auto returned_by = [&](const char* method) {
    caller.right = Right::kAdminister;
    const auto path = path_of_service("Msvm_VirtualSystemManagementService", kHost);
    const auto response = ask(cim::InvokeMethod{path, method, {}});
    return std::get<cim::MethodResult>(response).return_value;
  };
  EXPECT_EQ(returned_by("DefineSystem"), Value(std::uint32_t{1}));
  EXPECT_EQ(returned_by("DestroySystem"), Value(std::uint32_t{1}));
  EXPECT_EQ(returned_by("ExportSystemDefinition"), Value(std::uint32_t{32770}));
  EXPECT_EQ(returned_by("ValidatePlannedSystem"), Value(std::uint32_t{32770}));
}

// --- what clients send (protocols.md) ---

TEST_F(MachineProvidersTest, AnswersLibvirtsQueries) {
  EXPECT_THAT(texts(query("SELECT * FROM Msvm_ComputerSystem WHERE Name != __SERVER AND ElementName = 'web' "), "Name"),
              ElementsAre(upper(id("web").str())));
  EXPECT_THAT(texts(query("select * from Msvm_ComputerSystem where Description = \"Microsoft Virtual Machine\" "
                          "and (EnabledState != 0 and EnabledState != 3 and EnabledState != 32769)"),
                    "ElementName"),
              ElementsAre("cache", "database", "web"));
  EXPECT_THAT(query("select * from Win32_ComputerSystemProduct", cim::kHostNamespace), SizeIs(1));
  EXPECT_THAT(query("select * from Win32_OperatingSystem", cim::kHostNamespace), SizeIs(1));
  EXPECT_THAT(texts(query("ASSOCIATORS OF {Win32_ComputerSystem.Name='" + std::string(kHost) +
                              "'} WHERE AssocClass = Win32_ComputerSystemProcessor ResultClass = Win32_Processor",
                          cim::kHostNamespace),
                    "DeviceID"),
              ElementsAre("CPU0", "CPU1"));
  // What is not here is an empty list: a fault ends what the driver was asked for.
  EXPECT_THAT(query("ASSOCIATORS OF {Msvm_VirtualSystemSettingData.InstanceID='" + settings_id(id("web")) +
                    "'} WHERE AssocClass = Msvm_VirtualSystemSettingDataComponent "
                    "ResultClass = Msvm_SerialPortSettingData"),
              IsEmpty());
  EXPECT_THAT(query("SELECT * FROM Msvm_VirtualEthernetSwitch "), IsEmpty());
}

TEST_F(MachineProvidersTest, AnswersVirtWhosQueries) {
  EXPECT_THAT(texts(query("select UUID from Win32_ComputerSystemProduct", cim::kHostNamespace), "UUID"),
              ElementsAre("0E6C1F0A-6F3E-4B8C-9A55-2F7F3A1D7C11"));
  const auto files = query(R"(select * from CIM_Datafile where Path = '\\windows\\system32\\' and FileName='vmms')",
                           cim::kHostNamespace);
  EXPECT_THAT(texts(files, "Version"), ElementsAre("1.0"));  // the hypervisor's
  EXPECT_THAT(texts(query("select DNSHostName, NumberOfProcessors from Win32_ComputerSystem", cim::kHostNamespace),
                    "DNSHostName"),
              ElementsAre("host"));
}

// --- the host, and root/interop ---

TEST_F(MachineProvidersTest, TellsOfTheHost) {
  const auto system = all("Win32_ComputerSystem", cim::kHostNamespace).at(0);
  EXPECT_EQ(number<std::uint32_t>(system, "NumberOfProcessors"), 2U);
  EXPECT_EQ(number<std::uint32_t>(system, "NumberOfLogicalProcessors"), 16U);
  EXPECT_EQ(number<std::uint64_t>(system, "TotalPhysicalMemory"), std::uint64_t{16} << 30);
  EXPECT_EQ(text(system, "Domain"), "example");
  const auto os = all("Win32_OperatingSystem", cim::kHostNamespace).at(0);
  EXPECT_EQ(text(os, "Version"), "6.1.0");
  EXPECT_EQ(text(os, "Caption"), "Debian GNU/Linux 12 (bookworm)");
  EXPECT_EQ(number<std::uint64_t>(os, "TotalVisibleMemorySize"), std::uint64_t{16} << 20);
  EXPECT_THAT(texts(all("Win32_Processor", cim::kHostNamespace), "DeviceID"), ElementsAre("CPU0", "CPU1"));
  EXPECT_EQ(text(all("Win32_ComputerSystemProduct", cim::kHostNamespace).at(0), "IdentifyingNumber"), "None");
}

TEST_F(MachineProvidersTest, TellsTheNamespaces) {
  EXPECT_THAT(texts(all("CIM_Namespace", cim::kInteropNamespace), "Name"),
              UnorderedElementsAre("root/cimv2", "root/interop", "root/virtualization/v2"));
  EXPECT_THAT(all("CIM_NamespaceInManager", cim::kInteropNamespace), SizeIs(3));
  EXPECT_THAT(texts(all("CIM_RegisteredProfile", cim::kInteropNamespace), "RegisteredName"),
              ElementsAre("Collection Snapshots"));
}

// The central instance lies in another namespace than the profile.
TEST_F(MachineProvidersTest, LeadsFromTheProfileToItsCentralInstance) {
  const auto service = path_of_service("Msvm_CollectionSnapshotService", kHost);
  broker.add(cim::kVirtualizationNamespace,
             std::make_unique<ListedClass>(service.class_name, [&]() -> Result<std::vector<cim::Instance>> {
               return std::vector{cim::Instance{service.class_name, service.keys, {}}};
             }));
  const auto profile = all("CIM_RegisteredProfile", cim::kInteropNamespace).at(0).path;
  for (const auto& [shape, result_class] :
       {std::pair(cim::Shape::kPaths, "CIM_Service"), std::pair(cim::Shape::kInstancesWithPaths, "CIM_Service"),
        std::pair(cim::Shape::kPaths, "Msvm_CollectionSnapshotService")}) {
    const auto response = ask(
        cim::ListObjects{
            cim::AssociatorsOf{profile, "CIM_ElementConformsToProfile", result_class, "", "ManagedElement"}, shape},
        cim::kInteropNamespace);
    const auto* found = std::get_if<cim::Objects>(&response);
    ASSERT_NE(found, nullptr) << std::get<cim::OperationFailed>(response).description;
    ASSERT_THAT(found->instances, SizeIs(1));
    EXPECT_EQ(found->instances.front().path.namespace_name, cim::kVirtualizationNamespace);
    EXPECT_TRUE(cim::same_instance(found->instances.front().path, service));
  }
}

TEST_F(MachineProvidersTest, TellsWhatTheHostHas) {
  const auto on_host = query("ASSOCIATORS OF {Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',Name='" +
                             std::string(kHost) + "'} WHERE AssocClass = Msvm_HostedDependency");
  EXPECT_THAT(on_host, SizeIs(4));
}

}  // namespace
}  // namespace cohort::provider
