#include "cim/mof.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cohort::cim {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kQualifiers = R"(
#pragma locale ("en_US")
Qualifier Key : boolean = false, Scope(property, reference), Flavor(DisableOverride);
Qualifier Abstract : boolean = false, Scope(class), Flavor(Restricted);
Qualifier Association : boolean = false, Scope(association), Flavor(DisableOverride);
Qualifier Description : string = null, Scope(any), Flavor(Translatable);
Qualifier ValueMap : string[] = null, Scope(property, method);
Qualifier MaxLen : uint32 = null, Scope(property);
Qualifier Out : boolean = false, Scope(parameter);
)";

// Every test but the first speaks of a text that stands on line 1 of "x.mof".
std::string problem(std::string_view text) {
  ClassStore store;
  EXPECT_TRUE(compile_mof("qualifiers", kQualifiers, store));
  const auto compiled = compile_mof("x.mof", text, store);
  return compiled ? "" : compiled.error().message;
}

TEST(Mof, AClassHasAllThatIsDeclared) {
  ClassStore store;
  ASSERT_TRUE(compile_mof("qualifiers", kQualifiers, store));
  const auto compiled = compile_mof("x.mof", R"(
// a comment
[Abstract, Description("two " /* another */ "words\t\x41")]
class Base {
    [Key, MaxLen(256)] string Id;
    [ValueMap {"0", "1"}] uint16 State[] = { 1, 2 };
    uint8 Fixed[4];
    real32 Share = 1.5;
    datetime Begun = "20260301120000.000000+000";
    boolean On = TRUE;
    sint64 Low = -0x10;
    uint8 Bits = 101b;
    uint8 Octal = 017;
    char16 Letter = 'x';
};
class Derived : Base {
    Base REF Other;
    [Description("starts")] uint32 Start([Out] Base REF Job, string Names[]);
    uint32 Stop();
};)",
                                    store);
  ASSERT_TRUE(compiled) << compiled.error().message;
  const Class& base = *store.find("base");
  EXPECT_TRUE(is_abstract(base));
  EXPECT_EQ(find_named(base.qualifiers, "description")->value, Value("two words\tA"));
  EXPECT_TRUE(is_key(base.properties[0]));
  EXPECT_EQ(find_named(base.properties[0].qualifiers, "MaxLen")->value, Value(std::uint32_t{256}));
  EXPECT_EQ(base.properties[1].default_value, Value::array_of<std::uint16_t>({1, 2}));
  EXPECT_EQ(base.properties[2].array_size, 4U);
  EXPECT_EQ(base.properties[3].default_value, Value(1.5F));
  EXPECT_EQ(base.properties[5].default_value, Value(true));
  EXPECT_EQ(base.properties[6].default_value, Value(std::int64_t{-16}));
  EXPECT_EQ(base.properties[7].default_value, Value(std::uint8_t{5}));
  EXPECT_EQ(base.properties[8].default_value, Value(std::uint8_t{15}));
  EXPECT_EQ(base.properties[9].default_value, Value(u'x'));
  const Class& derived = *store.find("Derived");
  EXPECT_EQ(find_named(derived.properties, "Other")->reference_class, "Base");
  const Method& start = *find_named(derived.methods, "start");
  ASSERT_EQ(start.parameters.size(), 2U);
  EXPECT_TRUE(is_out(start.parameters[0]));
  EXPECT_EQ(start.parameters[0].type, Type::kReference);
  EXPECT_TRUE(start.parameters[1].is_array);
}

TEST(Mof, AnErrorNamesFileLineAndColumn) {
  EXPECT_EQ(problem("class A {\n  strange X;\n};"), "x.mof:2:3: there is no type \"strange\"");
  EXPECT_EQ(problem("class A {\n  string X\n};"), "x.mof:3:1: \";\" expected");
  EXPECT_EQ(problem("\n\nclass A : B {\n};"), "x.mof:3:1: A: there is no superclass B.");
  EXPECT_EQ(problem("[Unknown] class A {};"), "x.mof:1:2: the qualifier Unknown is not declared");
  EXPECT_EQ(problem("[Key] class A {};"), "x.mof:1:7: A: the qualifier Key may not stand here.");
}

TEST(Mof, RefusesWhatIsNotMof) {
  for (const auto* const text : {"class A {",
                                 "class A {}",
                                 "class {};",
                                 "class A { uint8 X = 256; };",
                                 "class A { uint8 X[] = 5; };",
                                 "class A { uint8 X = {5}; };",
                                 "class A { string X = \"a\n\"; };",
                                 "class A { string X = \"\\q\"; };",
                                 "class A { string X = \"\\x\"; };",
                                 "/* no end",
                                 "class A { string X = 'ab'; };",
                                 "%",
                                 "\"",
                                 "#include (\"x\")",
                                 "#pragma include (\"x\")",
                                 "instance of A { };",
                                 "Qualifier X : boolean;",
                                 "class A { string X[-1]; };",
                                 "class A { uint8 X[] = {1, \"2\"}; };",
                                 "Qualifier X : boolean = false, Scope(any), Flavor(Sour);",
                                 "class A { Other Y; };",
                                 "class A { reference Y; };",
                                 "class A { uint32 M(string); };"}) {
    EXPECT_THAT(problem(text), StartsWith("x.mof:")) << text;
  }
  EXPECT_EQ(problem(""), "");
}

TEST(MofInstance, IsReadWithItsNestedInstances) {
  const auto read = parse_mof_instance(R"(
instance of Msvm_CollectionSnapshotExportSettingData
{
    CopyVmStorage = TRUE;
    BackupIntent = 1;
    DifferentialBackupBase = NULL;
    Disks = {"a", "b"};
    Inner = instance of X { Y = 18446744073709551615; };
    Several = {instance of X { Y = 1; }, instance of X { Y = 2; }};
};)");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->class_name, "Msvm_CollectionSnapshotExportSettingData");
  EXPECT_EQ(read->at("copyvmstorage"), Value(true));
  EXPECT_EQ(read->at("BackupIntent"), Value(std::int64_t{1}));
  EXPECT_TRUE(read->at("DifferentialBackupBase").is_null());
  EXPECT_EQ(read->at("Disks"), Value::array_of<std::string>({"a", "b"}));
  EXPECT_EQ(read->at("Inner").instance()->at("Y"), Value(std::uint64_t{18446744073709551615U}));
  EXPECT_EQ(read->at("Several").elements().size(), 2U);
}

TEST(MofInstance, RefusesWhatIsNone) {
  EXPECT_FALSE(parse_mof_instance(""));
  EXPECT_FALSE(parse_mof_instance("instance of X { A = 1; A = 2; };"));
  EXPECT_FALSE(parse_mof_instance("instance of X { A = 1; }; more"));
  EXPECT_FALSE(parse_mof_instance("instance X { };"));
  std::string nested = "instance of X { };";
  for (int i = 0; i < 100; ++i) nested = "instance of X { A = " + nested.substr(0, nested.size() - 1) + "; };";
  const auto deep = parse_mof_instance(nested);
  ASSERT_FALSE(deep);
  EXPECT_THAT(deep.error().message, HasSubstr("nested too deep"));
  std::string many = "instance of X {";
  for (int i = 0; i < 1001; ++i) many += fmt::format(" a{} = 1;", i);
  EXPECT_FALSE(parse_mof_instance(many + "};"));
  std::string values;
  for (int i = 1; i < 50'000; ++i) values += "1,";
  EXPECT_TRUE(parse_mof_instance("instance of X { A = {" + values + "1}; B = {" + values + "1}; };"));
  EXPECT_FALSE(parse_mof_instance("instance of X { A = {" + values + "1}; B = {" + values + "1,1}; };"));
}

}  // namespace
}  // namespace cohort::cim
