#include "cim/schema.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace cohort::cim {
namespace {

const Schema& schema() {
  static const Result<Schema> built = Schema::built_in();
  EXPECT_TRUE(built) << built.error().message;
  return *built;
}

const ClassStore& virtualization() { return *schema().find("ROOT/Virtualization/v2"); }

std::string declared_type(const Declaration& declaration) {
  const std::string type = declaration.type == Type::kReference ? declaration.reference_class + " REF"
                                                                : std::string(to_string(declaration.type));
  return type + (declaration.is_array ? "[]" : "");
}

// "in string Name; in+out CIM_Collection REF Result"
std::string signature(const Method& method) {
  std::string text;
  for (const Parameter& each : method.parameters) {
    const std::string direction = is_in(each) ? (is_out(each) ? "in+out" : "in") : "out";
    const std::string type =
        each.type == Type::kReference ? each.reference_class + " REF" : std::string(to_string(each.type));
    text += (text.empty() ? "" : "; ") + direction + " " + type + " " + each.name + (each.is_array ? "[]" : "");
  }
  return text;
}

// The rows of a class in the table: properties "  Name type [key]", methods "  Name(parameters)".
void expect_row(const Class& of, const std::string& row) {
  if (const std::size_t open = row.find('('); open != std::string::npos) {
    const Method* const method = find_named(of.methods, row.substr(0, open));
    ASSERT_NE(method, nullptr) << of.name << ": " << row;
    EXPECT_EQ(row, method->name + "(" + signature(*method) + ")") << of.name;
    return;
  }
  const Property* const property = find_named(of.properties, row.substr(0, row.find(' ')));
  ASSERT_NE(property, nullptr) << of.name << ": " << row;
  const std::string expected = property->name + " " + declared_type(*property);
  EXPECT_TRUE(row == expected || row == expected + " key") << of.name << ": " << row << ", not " << expected;
}

// Each class of the interface, with its superclass, properties and methods, as its documentation lists them.
TEST(Schema, HasEveryClassOfTheInterfaceWithItsTypes) {
  std::ifstream table(std::string(COHORT_GOLDEN_FOLDER) + "/schema/classes.txt");
  std::string line;
  const Class* of = nullptr;
  std::size_t rows = 0;
  while (std::getline(table, line)) {
    ++rows;
    if (line.starts_with("  ")) {
      if (of != nullptr) expect_row(*of, line.substr(2));
      continue;
    }
    std::istringstream words(line);
    std::string name;
    std::string colon;
    std::string superclass;
    words >> name >> colon >> superclass;
    const std::string store = name == "CIM_ElementConformsToProfile" ? "root/interop" : "root/virtualization/v2";
    of = schema().find(store)->find(name);
    EXPECT_NE(of, nullptr) << name;
    if (of == nullptr) continue;
    EXPECT_EQ(of->superclass, superclass.starts_with('[') ? "" : superclass) << name;
    for (const auto* const qualifier : {"Association", "Abstract"}) {
      EXPECT_EQ(has_qualifier(of->qualifiers, qualifier), line.find(qualifier) != std::string::npos)
          << name << " " << qualifier;
    }
  }
  EXPECT_GT(rows, 800U);
}

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

// What references and embedded instances name is there.
TEST(Schema, EveryClassThatIsNamedIsThere) {
  const auto check = [](const Declaration& declaration, const std::string& where) {
    const std::string name = declaration.reference_class + embedded_class(declaration).value_or("");
    EXPECT_TRUE(name.empty() || virtualization().find(name) != nullptr) << where << " names " << name;
  };
  for (const Class& each : virtualization().classes()) {
    EXPECT_NE(find_named(each.qualifiers, "Description"), nullptr) << each.name;
    for (const Property& property : each.properties) check(property, each.name + "." + property.name);
    for (const Method& method : each.methods) {
      for (const Parameter& one : method.parameters) check(one, each.name + "." + method.name + "." + one.name);
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
