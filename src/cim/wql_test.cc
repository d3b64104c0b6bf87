#include "cim/wql.h"

#include <gtest/gtest.h>

#include "cim/mof.h"
#include "cim/object_path.h"

namespace cohort::cim {
namespace {

class WqlTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(compile_mof("m", R"(class Base { string Name; uint16 State; };
      class Msvm_X : Base { uint64 Size; sint32 Low; boolean On; datetime At; string Empty; Base REF Next; string List[]; };)",
                            store));
    instance = {"Msvm_X",
                {{"Name", Value("vm One")},
                 {"State", Value(std::uint16_t{4})},
                 {"Size", Value(std::uint64_t{18446744073709551615U})},
                 {"Low", Value(std::int32_t{-3})},
                 {"On", Value(true)},
                 {"At", Value(*Datetime::parse("20260301120000.000000+000"))},
                 {"Empty", Value::null(Type::kString)},
                 {"Next", Value(*parse_object_path("Msvm_X.Name=\"n\""))},
                 {"List", Value::array_of<std::string>({"a"})}},
                {}};
  }

  bool holds(const std::string& condition) {
    const auto query = parse_wql("SELECT * FROM Msvm_X WHERE " + condition, "HOST");
    EXPECT_TRUE(query) << condition << ": " << query.error().message;
    return query && fulfils(instance, *std::get<SelectQuery>(*query).where, store);
  }

  ClassStore store;
  Instance instance;
};

TEST_F(WqlTest, Compares) {
  for (const auto* const condition : {"Name = 'VM ONE'",
                                      "name <> 'x'",
                                      "Name != __SERVER",
                                      "State = 4",
                                      "State < 5",
                                      "State > 3",
                                      "State <= 4",
                                      "State >= 4",
                                      "Size = 18446744073709551615",
                                      "Size > 0",
                                      "Low < 0",
                                      "Low = '-3'",
                                      "State < 4.5",
                                      "On = TRUE",
                                      "On = 'true'",
                                      "On <> false",
                                      "At > '20260301115959.000000+000'",
                                      "At = '20260301130000.000000+060'",
                                      "4 = State",
                                      "5 > State",
                                      "Name >= 'VM'",
                                      "Next = 'msvm_x.NAME=\"n\"'",
                                      "Next <> 'Msvm_X.Name=\"m\"'",
                                      "Msvm_X.State = 4"}) {
    EXPECT_TRUE(holds(condition)) << condition;
  }
  for (const auto* const condition :
       {"Name = 'vm'", "State = 5", "State <> 4", "State > 4", "5 < State", "Size < 0", "On = FALSE", "List = 'a'",
        "Unknown = 1", "Unknown <> 1", "At > 'soon'", "Next < 'Msvm_X.Name=\"z\"'", "State = 'many'"}) {
    EXPECT_FALSE(holds(condition)) << condition;
  }
}

TEST_F(WqlTest, NullIsUnknown) {
  EXPECT_TRUE(holds("Empty IS NULL"));
  EXPECT_TRUE(holds("Name IS NOT NULL"));
  EXPECT_TRUE(holds("Empty = NULL"));
  EXPECT_TRUE(holds("Name <> NULL"));
  EXPECT_FALSE(holds("Empty = 'x'"));
  EXPECT_FALSE(holds("NOT Empty = 'x'"));
  EXPECT_TRUE(holds("Empty = 'x' OR State = 4"));
  EXPECT_FALSE(holds("Empty = 'x' AND State = 4"));
  EXPECT_FALSE(holds("NOT (Empty = 'x' AND State = 4)"));
  EXPECT_TRUE(holds("NOT (Empty = 'x' AND State = 5)"));
}

TEST_F(WqlTest, AndBindsCloserThanOr) {
  EXPECT_TRUE(holds("State = 4 OR State = 5 AND State = 6"));
  EXPECT_FALSE(holds("(State = 4 OR State = 5) AND State = 6"));
  EXPECT_TRUE(holds("NOT State = 5 AND NOT (State = 6 OR State = 7)"));
  EXPECT_TRUE(holds("NOT NOT State = 4"));
}

TEST_F(WqlTest, IsALooksAtTheClass) {
  EXPECT_TRUE(holds("__CLASS ISA 'Base'"));
  EXPECT_TRUE(holds("__this ISA Msvm_X"));
  EXPECT_TRUE(holds("Next ISA 'Base'"));
  EXPECT_FALSE(holds("__CLASS ISA 'Other'"));
  EXPECT_TRUE(holds("__CLASS = 'msvm_x'"));
}

TEST_F(WqlTest, LikeHasItsPatterns) {
  EXPECT_TRUE(holds("Name LIKE 'vm%'"));
  EXPECT_TRUE(holds("Name LIKE '%o_e'"));
  EXPECT_TRUE(holds("Name NOT LIKE 'x%'"));
  EXPECT_FALSE(holds("Empty LIKE '%'"));
  EXPECT_TRUE(is_like("abc", "a[a-c]c"));
  EXPECT_TRUE(is_like("aBc", "A[A-C]C"));
  EXPECT_TRUE(is_like("a-c", "a[-x]c"));
  EXPECT_FALSE(is_like("abc", "a[^a-c]c"));
  EXPECT_TRUE(is_like("axc", "a[^a-c]c"));
  EXPECT_TRUE(is_like("100%", "100[%]"));
  EXPECT_FALSE(is_like("100x", "100[%]"));
  EXPECT_TRUE(is_like("a[b", "a[b"));
  EXPECT_TRUE(is_like("", "%%"));
  EXPECT_FALSE(is_like("", "_"));
  EXPECT_TRUE(is_like("\xc3\xa9t", "_t"));
  EXPECT_FALSE(is_like(std::string(20000, 'a'), "%a%a%a%a%b"));
}

TEST_F(WqlTest, ReadsTheQueriesOfClients) {
  const auto one = parse_wql("SELECT * FROM Msvm_ComputerSystem WHERE Name != __SERVER AND ElementName = 'vm1'  ", "H");
  ASSERT_TRUE(one);
  EXPECT_EQ(std::get<SelectQuery>(*one).class_name, "Msvm_ComputerSystem");
  EXPECT_EQ(std::get<SelectQuery>(*one).where->operands[0].constant, Value("H"));
  const auto two =
      parse_wql(R"(select FileName, Path from CIM_Datafile where Path = '\\windows\\system32\\' and FileName="vmms")");
  ASSERT_TRUE(two);
  EXPECT_EQ(std::get<SelectQuery>(*two).properties, (std::vector<std::string>{"FileName", "Path"}));
  EXPECT_EQ(std::get<SelectQuery>(*two).where->operands[0].constant, Value(R"(\windows\system32\)"));
  const auto three = parse_wql(
      "ASSOCIATORS OF {Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',Name='a}b'} WHERE AssocClass = "
      "Msvm_SettingsDefineState ResultClass = Msvm_VirtualSystemSettingData KeysOnly ResultRole=x Role = y "
      "RequiredQualifier=q RequiredAssocQualifier = a ClassDefsOnly");
  ASSERT_TRUE(three) << three.error().message;
  const auto& association = std::get<AssociationQuery>(*three);
  EXPECT_FALSE(association.is_references);
  EXPECT_EQ(*association.source.key("Name"), Value("a}b"));
  EXPECT_EQ(association.association_class, "Msvm_SettingsDefineState");
  EXPECT_EQ(association.result_class, "Msvm_VirtualSystemSettingData");
  EXPECT_EQ(association.role + association.result_role, "yx");
  EXPECT_EQ(association.required_qualifier + association.required_association_qualifier, "qa");
  EXPECT_TRUE(association.are_keys_only && association.are_class_definitions_only);
  const auto four = parse_wql("references of {X.K=1} where resultclass=Y role=Z");
  ASSERT_TRUE(four);
  EXPECT_TRUE(std::get<AssociationQuery>(*four).is_references);
}

TEST_F(WqlTest, SaysWhereAQueryIsWrong) {
  EXPECT_EQ(parse_wql("SELECT * FROM X WHERE a ~ 1").error().message,
            "The query is wrong at character 25: this character is not WQL.");
  for (const auto* const query : {"",
                                  "SELECT",
                                  "SELECT * X",
                                  "SELECT * FROM",
                                  "SELECT * FROM X WHERE",
                                  "SELECT a, FROM X",
                                  "SELECT * FROM X WHERE a",
                                  "SELECT * FROM X WHERE a =",
                                  "SELECT * FROM X WHERE a = b",
                                  "SELECT * FROM X WHERE (a = 1",
                                  "SELECT * FROM X y",
                                  "SELECT * FROM X WHERE a IS 1",
                                  "SELECT * FROM X WHERE a = 'b",
                                  "SELECT * FROM X WHERE a NOT = 1",
                                  "ASSOCIATORS OF X",
                                  "ASSOCIATORS OF {X.K=1} WHERE",
                                  "ASSOCIATORS OF {X.}",
                                  "ASSOCIATORS OF {X",
                                  "REFERENCES OF {X.K=1} WHERE AssocClass=Y",
                                  "ASSOCIATORS OF {X.K=1} WHERE Role=a Role=b"}) {
    const auto parsed = parse_wql(query);
    ASSERT_FALSE(parsed) << query;
    EXPECT_TRUE(parsed.error().message.starts_with("The query is wrong at character ")) << query;
  }
}

TEST_F(WqlTest, NestingHasAnEnd) {
  const std::string open(100000, '(');
  EXPECT_FALSE(parse_wql("SELECT * FROM X WHERE " + open));
  EXPECT_FALSE(parse_wql("SELECT * FROM X WHERE " + open.substr(0, 1000) + "a = 1" + std::string(1000, ')')));
  EXPECT_TRUE(parse_wql("SELECT * FROM X WHERE " + open.substr(0, 50) + "a = 1" + std::string(50, ')')));
  std::string many = "SELECT * FROM X WHERE a = 1";
  for (int i = 0; i < 2000; ++i) many += " OR a=1";
  EXPECT_FALSE(parse_wql(many));
  std::string properties = "a";
  for (int i = 1; i < 1000; ++i) properties += ",a";
  EXPECT_TRUE(parse_wql("SELECT " + properties + " FROM X"));
  EXPECT_FALSE(parse_wql("SELECT " + properties + ",a FROM X"));
}

TEST_F(WqlTest, NamesMustBeThoseOfTheClass) {
  const auto check = [&](const std::string& text) {
    return check_query(std::get<SelectQuery>(*parse_wql(text)), store).has_value();
  };
  EXPECT_TRUE(check("SELECT name FROM msvm_x WHERE NOT (State = 1 OR __CLASS ISA 'Base')"));
  EXPECT_FALSE(check("SELECT other FROM Msvm_X"));
  EXPECT_FALSE(check("SELECT * FROM Msvm_X WHERE NOT (State = 1 OR Other = 2)"));
  EXPECT_FALSE(check("SELECT * FROM Unknown"));
}

}  // namespace
}  // namespace cohort::cim
