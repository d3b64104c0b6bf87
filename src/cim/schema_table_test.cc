// The whole schema against tests/golden/schema/classes.txt: classes, properties, methods and parameters, with whatever
// of their qualifiers means something to clients. After a wanted change: run with COHORT_ACCEPT=1, read the difference.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "cim/schema.h"
#include "cim/value_text.h"

namespace cohort::cim {
namespace {

const std::string kTable = COHORT_GOLDEN_FOLDER "/schema/classes.txt";

std::string list_of(const Value& value, const std::string& between) {
  std::string text;
  for (const Element& each : value.elements()) text += (text.empty() ? "" : between) + to_text(each);
  return text;
}

// " = 5", " = { 2 }"
std::string default_text(const Value& value) {
  if (value.is_null()) return "";
  return value.is_array() ? " = { " + list_of(value, ", ") + " }" : " = " + to_text(value.element());
}

// "string[]", "CIM_System REF"
std::string type_text(const Declaration& declaration) {
  const std::string type = declaration.type == Type::kReference ? declaration.reference_class + " REF"
                                                                : std::string(to_string(declaration.type));
  return type + (declaration.is_array ? "[]" : "");
}

// " key write maxlen(256) embedded(Msvm_Error)"
std::string qualifier_text(const Declaration& declaration) {
  std::string text;
  for (const char* const name : {"Key", "Write", "Required", "Aggregate"}) {
    if (has_qualifier(declaration.qualifiers, name)) text += std::string(" ") + name;
  }
  for (const char* const name : {"MaxLen", "EmbeddedInstance", "CIMType"}) {
    const Qualifier* const found = find_named(declaration.qualifiers, name);
    if (found != nullptr) text += std::string(" ") + name + "(" + to_text(found->value.element()) + ")";
  }
  return text;
}

// "    : 0 Unknown | 1 Other"
std::string value_rows(const std::vector<Qualifier>& qualifiers, const std::string& indent) {
  const Qualifier* const map = find_named(qualifiers, "ValueMap");
  const Qualifier* const values = find_named(qualifiers, "Values");
  if (map == nullptr || values == nullptr) return "";
  std::string text;
  for (std::size_t i = 0; i < std::min(map->value.elements().size(), values->value.elements().size()); ++i) {
    text += (i == 0 ? "" : " | ") + to_text(map->value.elements()[i]) + " " + to_text(values->value.elements()[i]);
  }
  return indent + ": " + text + "\n";
}

std::string property_rows(const Property& property) {
  return "  " + type_text(property) + " " + property.name + qualifier_text(property) +
         default_text(property.default_value) + "\n" + value_rows(property.qualifiers, "    ");
}

std::string parameter_rows(const Parameter& parameter) {
  const std::string direction = is_in(parameter) ? (is_out(parameter) ? "in out" : "in") : "out";
  return "    " + direction + " " + type_text(parameter) + " " + parameter.name + qualifier_text(parameter) + "\n" +
         value_rows(parameter.qualifiers, "      ");
}

std::string method_rows(const Method& method) {
  std::string text = "  " + std::string(to_string(method.return_type)) + " " + method.name + "()" +
                     (has_qualifier(method.qualifiers, "Static") ? " Static" : "") + "\n" +
                     value_rows(method.qualifiers, "    ");
  for (const Parameter& each : method.parameters) text += parameter_rows(each);
  return text;
}

// What the class declares itself, and how what it inherits has become.
std::string class_rows(const Class& of) {
  std::string text = of.name + (of.superclass.empty() ? "" : " : " + of.superclass);
  for (const char* const name : {"Association", "Aggregation", "Abstract"}) {
    if (has_qualifier(of.qualifiers, name)) text += std::string(" ") + name;
  }
  text += "\n";
  for (const Property& each : of.properties) {
    if (!each.is_propagated) text += property_rows(each);
  }
  for (const Method& each : of.methods) {
    if (!each.is_propagated) text += method_rows(each);
  }
  return text;
}

// The classes of root/virtualization/v2, and those that only the others have.
std::string whole_table(const Schema& schema) {
  const ClassStore& shared = *schema.find(kVirtualizationNamespace);
  std::string text;
  for (const std::string_view space : {kVirtualizationNamespace, kInteropNamespace, kHostNamespace}) {
    text += "# " + std::string(space) + "\n";
    for (const Class& each : schema.find(space)->classes()) {
      const bool is_shared = space != kVirtualizationNamespace && shared.find(each.name) != nullptr;
      if (!is_shared) text += class_rows(each);
    }
  }
  return text;
}

TEST(SchemaTable, IsWhatTheGoldenFileSays) {
  const auto schema = Schema::built_in();
  ASSERT_TRUE(schema);
  const std::string text = whole_table(*schema);
  if (std::getenv("COHORT_ACCEPT") != nullptr) std::ofstream(kTable) << text;
  std::istringstream is(text);
  std::ifstream wanted(kTable);
  std::string row;
  std::string wanted_row;
  std::string class_name;
  std::size_t rows = 0;
  while (std::getline(wanted, wanted_row)) {
    ++rows;
    if (!wanted_row.starts_with(' ')) class_name = wanted_row;
    ASSERT_TRUE(std::getline(is, row)) << "the schema ends before " << class_name << ", " << wanted_row;
    ASSERT_EQ(row, wanted_row) << "in " << class_name;
  }
  EXPECT_FALSE(std::getline(is, row)) << "the schema also has " << row;
  EXPECT_GT(rows, 1500U);
}

}  // namespace
}  // namespace cohort::cim
