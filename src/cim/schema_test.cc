#include "cim/schema.h"

#include <gtest/gtest.h>

namespace cohort::cim {
namespace {

const Schema& schema() {
  static const Result<Schema> built = Schema::built_in();
  EXPECT_TRUE(built) << built.error().message;
  return *built;
}

const ClassStore& virtualization() { return *schema().find("ROOT/Virtualization/v2"); }

TEST(Schema, ServesTheNamespacesThatClientsAskFor) {
  EXPECT_EQ(schema().namespaces(),
            (std::vector<std::string_view>{"root/cimv2", "root/interop", "root/virtualization/v2"}));
  EXPECT_EQ(schema().find("root/virtualization"), nullptr);
  EXPECT_NE(schema().find(kHostNamespace)->find("Win32_ComputerSystemProduct"), nullptr);
  EXPECT_NE(schema().find(kInteropNamespace)->find("CIM_Namespace"), nullptr);
}

std::vector<std::string> keys_of(std::string_view name) {
  std::vector<std::string> keys;
  for (const Property& each : virtualization().find(name)->properties) {
    if (is_key(each)) keys.push_back(each.name);
  }
  return keys;
}

TEST(Schema, KeysAreThoseThatPathsName) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(keys_of("Msvm_ComputerSystem"), (Names{"Name", "CreationClassName"}));
  EXPECT_EQ(keys_of("Msvm_CollectionSnapshotService"),
            (Names{"Name", "SystemCreationClassName", "SystemName", "CreationClassName"}));
  EXPECT_EQ(keys_of("Msvm_SnapshotCollection"), (Names{"CollectionID"}));
  EXPECT_EQ(keys_of("Msvm_VirtualSystemSettingData"), (Names{"InstanceID"}));
  EXPECT_EQ(keys_of("Msvm_ConcreteJob"), (Names{"InstanceID"}));
  EXPECT_EQ(keys_of("Msvm_AffectedJobElement"), (Names{"AffectedElement", "AffectingElement"}));
}

// An instance that can be enumerated needs a path.
TEST(Schema, EveryConcreteClassThatIsNoEmbeddedValueHasAKey) {
  for (const Class& each : virtualization().classes()) {
    const bool is_value = each.name == "Msvm_Error" || each.name == "Msvm_VirtualMachineToDisks" ||
                          each.name == "Cohort_Package" || each.name.starts_with("Msvm_SummaryInformation");
    EXPECT_TRUE(is_abstract(each) || is_value || !keys_of(each.name).empty()) << each.name;
  }
}

TEST(Schema, ValuesAndValueMapsAreAsLong) {
  const auto check = [](const std::vector<Qualifier>& qualifiers, const std::string& where) {
    const Qualifier* const map = find_named(qualifiers, "ValueMap");
    const Qualifier* const values = find_named(qualifiers, "Values");
    EXPECT_EQ(map == nullptr, values == nullptr) << where;
    if (map != nullptr && values != nullptr) {
      EXPECT_EQ(map->value.elements().size(), values->value.elements().size()) << where;
    }
  };
  for (const Class& each : virtualization().classes()) {
    for (const Property& property : each.properties) check(property.qualifiers, each.name + "." + property.name);
    for (const Method& method : each.methods) {
      check(method.qualifiers, each.name + "." + method.name);
      for (const Parameter& one : method.parameters)
        check(one.qualifiers, each.name + "." + method.name + "." + one.name);
    }
  }
}

// Other compilers of MOF look for what references and embedded instances name when they come to the class that does.
TEST(Schema, EveryClassThatIsNamedIsDeclaredBefore) {
  for (const std::string_view space : schema().namespaces()) {
    NameMap<bool> declared;
    const auto check = [&](const Declaration& declaration, const std::string& where) {
      const std::string name = declaration.reference_class + embedded_class(declaration).value_or("");
      EXPECT_TRUE(name.empty() || declared.contains(name)) << where << " names " << name;
    };
    for (const Class& each : schema().find(space)->classes()) {
      declared.emplace(each.name, true);
      EXPECT_NE(find_named(each.qualifiers, "Description"), nullptr) << each.name;
      for (const Property& property : each.properties) check(property, each.name + "." + property.name);
      for (const Method& method : each.methods) {
        for (const Parameter& one : method.parameters) check(one, each.name + "." + method.name + "." + one.name);
      }
    }
  }
}

// DSP0004, Override; cimmof refuses others.
TEST(Schema, AReferenceIsOverriddenWithAClassBelow) {
  for (const std::string_view space : schema().namespaces()) {
    const ClassStore& store = *schema().find(space);
    for (const Class& each : store.classes()) {
      const Class* const above = store.find(each.superclass);
      for (const Property& property : each.properties) {
        const Property* const overridden = above == nullptr ? nullptr : find_named(above->properties, property.name);
        if (overridden == nullptr || property.type != Type::kReference) continue;
        EXPECT_TRUE(store.is_a(property.reference_class, overridden->reference_class))
            << each.name << "." << property.name << ": " << property.reference_class << " is no "
            << overridden->reference_class;
      }
    }
  }
}

TEST(Schema, SettingsArriveAsInstancesOfTheirClass) {
  const Method& exporting =
      *find_named(virtualization().find("Msvm_CollectionSnapshotService")->methods, "ExportSnapshot");
  EXPECT_EQ(embedded_class(*find_named(exporting.parameters, "ExportSettingData")),
            "Msvm_CollectionSnapshotExportSettingData");
  const Method& taking =
      *find_named(virtualization().find("Msvm_CollectionSnapshotService")->methods, "CreateSnapshot");
  EXPECT_EQ(embedded_class(*find_named(taking.parameters, "SnapshotSettings")),
            "Msvm_VirtualSystemSnapshotSettingData");
}

}  // namespace
}  // namespace cohort::cim
