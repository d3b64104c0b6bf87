#include "cim/value.h"

#include <gtest/gtest.h>

#include <limits>

#include "cim/object_path.h"
#include "cim/value_text.h"

namespace cohort::cim {
namespace {

Value read(Type type, std::string_view text) {
  auto element = parse_element(type, text);
  return element ? Value(*std::move(element)) : Value();
}

TEST(Names, CompareWithoutCase) {
  EXPECT_TRUE(same_name("Msvm_Error", "MSVM_error"));
  EXPECT_FALSE(same_name("Name", "Names"));
  EXPECT_TRUE(is_name("_a1"));
  EXPECT_FALSE(is_name("1a"));
  EXPECT_FALSE(is_name(""));
  EXPECT_TRUE(is_namespace_name("root/virtualization/v2"));
  EXPECT_FALSE(is_namespace_name("root//v2"));
  EXPECT_FALSE(is_namespace_name("root/"));
}

TEST(Value, KnowsItsType) {
  EXPECT_EQ(Value(std::uint16_t{4}).type(), Type::kUint16);
  EXPECT_EQ(Value(u'x').type(), Type::kChar16);
  EXPECT_EQ(Value("x").type(), Type::kString);
  EXPECT_EQ(Value(ObjectPath{}).type(), Type::kReference);
  EXPECT_EQ(Value(Instance{}).type(), Type::kInstance);
  EXPECT_TRUE(Value().is_null());
  EXPECT_TRUE(Value::null(Type::kString, true).is_null());
  EXPECT_FALSE(Value::array(Type::kString, {}).is_null());
  EXPECT_EQ(Value::array_of<std::uint16_t>({2, 3}).elements().size(), 2U);
}

TEST(Value, TheLargestNumbersAreExact) {
  EXPECT_EQ(read(Type::kUint64, "18446744073709551615"), Value(std::numeric_limits<std::uint64_t>::max()));
  EXPECT_EQ(read(Type::kSint64, "-9223372036854775808"), Value(std::numeric_limits<std::int64_t>::min()));
  EXPECT_EQ(to_text(Element(std::numeric_limits<std::uint64_t>::max())), "18446744073709551615");
}

TEST(Value, ANumberThatDoesNotFitIsNone) {
  EXPECT_FALSE(parse_element(Type::kUint8, "256"));
  EXPECT_FALSE(parse_element(Type::kUint8, "-1"));
  EXPECT_TRUE(parse_element(Type::kUint8, "-0"));
  EXPECT_FALSE(parse_element(Type::kSint8, "128"));
  EXPECT_TRUE(parse_element(Type::kSint8, "-128"));
  EXPECT_FALSE(parse_element(Type::kUint64, "18446744073709551616"));
  for (const auto* const text : {"", " ", "1 2", "0x", "1.5", "--1", "+-1", "x"}) {
    EXPECT_FALSE(parse_element(Type::kSint32, text)) << text;
  }
}

TEST(Value, ReadsTheFormsThatClientsWrite) {
  EXPECT_EQ(read(Type::kUint16, " 12\n"), Value(std::uint16_t{12}));
  EXPECT_EQ(read(Type::kUint16, "0x1F"), Value(std::uint16_t{31}));
  EXPECT_EQ(read(Type::kSint16, "-0x1f"), Value(std::int16_t{-31}));
  EXPECT_EQ(read(Type::kBoolean, "TRUE"), Value(true));
  EXPECT_EQ(read(Type::kReal64, "1.5e3"), Value(1500.0));
  EXPECT_EQ(read(Type::kChar16, "\xe2\x82\xac"), Value(char16_t{0x20ac}));
  EXPECT_EQ(read(Type::kString, " kept "), Value(" kept "));
  EXPECT_FALSE(parse_element(Type::kChar16, "ab"));
  EXPECT_FALSE(parse_element(Type::kBoolean, "yes"));
}

TEST(Value, CharactersAreWrittenAsTheyAreRead) {
  for (const std::string text : {"a", "\xc3\xa9", "\xe2\x82\xac"}) {
    EXPECT_EQ(to_text(*parse_element(Type::kChar16, text)), text);
  }
  EXPECT_EQ(to_text(Element(char16_t{0xd800})), "\xef\xbf\xbd");
}

TEST(Convert, TakesTheDeclaredType) {
  EXPECT_EQ(*convert(Value("7"), Type::kUint16, false), Value(std::uint16_t{7}));
  EXPECT_EQ(*convert(Value(std::int32_t{7}), Type::kUint16, false), Value(std::uint16_t{7}));
  EXPECT_EQ(*convert(Value("x"), Type::kString, true), Value::array_of<std::string>({"x"}));
  EXPECT_EQ(*convert(Value(), Type::kUint8, false), Value::null(Type::kUint8));
  EXPECT_FALSE(convert(Value(std::int32_t{-7}), Type::kUint16, false));
  EXPECT_FALSE(convert(Value::array_of<std::string>({"x"}), Type::kString, false));
  EXPECT_FALSE(convert(Value(Instance{}), Type::kString, false));
}

TEST(Keys, CompareByWhatTheyMean) {
  EXPECT_TRUE(same_key_value(Value(std::uint8_t{5}), Value(std::int64_t{5})));
  EXPECT_FALSE(same_key_value(Value(std::int8_t{-1}), Value(std::uint64_t{0xffffffffffffffff})));
  EXPECT_FALSE(same_key_value(Value("a"), Value("A")));
  const ObjectPath path = *parse_object_path("A.K=\"v\"");
  EXPECT_TRUE(same_key_value(Value(path), Value("root/x:a.k=\"v\"")));
}

TEST(Instance, PropertiesAreFoundInAnyCase) {
  Instance instance{"X", {}, {}};
  instance.set("Name", Value("a"));
  instance.set("NAME", Value("b"));
  EXPECT_EQ(instance.properties.size(), 1U);
  EXPECT_EQ(instance.at("name"), Value("b"));
  EXPECT_TRUE(instance.at("other").is_null());
  EXPECT_EQ(instance.find("other"), nullptr);
}

}  // namespace
}  // namespace cohort::cim
