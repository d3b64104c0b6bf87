#include "cim/class_store.h"

#include <gtest/gtest.h>

namespace cohort::cim {
namespace {

Qualifier qualifier(std::string name, Value value = Value(true)) {
  return {std::move(name), std::move(value), {}, false};
}

Property property(std::string name, Type type, std::vector<Qualifier> qualifiers = {}) {
  Property made;
  made.name = std::move(name);
  made.type = type;
  made.qualifiers = std::move(qualifiers);
  return made;
}

std::vector<std::string> names(const std::vector<const Class*>& classes) {
  std::vector<std::string> found;
  for (const Class* each : classes) found.push_back(each->name);
  return found;
}

class ClassStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::vector<std::string> any = {"any"};
    ASSERT_TRUE(store.add(
        QualifierType{"Key", Type::kBoolean, false, Value(false), {"property", "reference"}, {false, true, false}}));
    ASSERT_TRUE(
        store.add(QualifierType{"Abstract", Type::kBoolean, false, Value(false), {"class"}, {true, false, false}}));
    ASSERT_TRUE(store.add(QualifierType{"Description", Type::kString, false, Value(), any, {}}));
    ASSERT_TRUE(store.add(QualifierType{"MaxLen", Type::kUint32, false, Value(), any, {}}));
    Class base{"Base", "", {qualifier("Description", Value("b"))}, {}, {}};
    base.qualifiers.push_back({"Abstract", Value(true), {true, false, false}, false});
    base.properties = {property("Id", Type::kString, {{"Key", Value(true), {false, true, false}, false}}),
                       property("Size", Type::kUint16)};
    base.properties[1].default_value = Value("7");
    base.methods = {
        Method{"Start", Type::kUint32, {Parameter{"Job", Type::kReference, false, {}, "Base", {}}}, {}, "", false}};
    ASSERT_TRUE(store.add(base));
  }

  ClassStore store;
};

TEST_F(ClassStoreTest, AClassHasWhatItInherits) {
  ASSERT_TRUE(store.add(Class{"Derived", "BASE", {}, {property("Own", Type::kBoolean)}, {}}));
  const Class& derived = *store.find("derived");
  ASSERT_EQ(derived.properties.size(), 3U);
  EXPECT_EQ(derived.superclass, "Base");
  EXPECT_EQ(derived.properties[0].name, "Id");
  EXPECT_TRUE(derived.properties[0].is_propagated);
  EXPECT_EQ(derived.properties[0].class_origin, "Base");
  EXPECT_EQ(derived.properties[1].default_value, Value(std::uint16_t{7}));
  EXPECT_EQ(derived.properties[2].class_origin, "Derived");
  EXPECT_TRUE(derived.methods[0].is_propagated);
}

TEST_F(ClassStoreTest, QualifiersAreInheritedByTheirFlavor) {
  ASSERT_TRUE(
      store.add(Class{"Derived", "Base", {}, {property("ID", Type::kString, {qualifier("MaxLen", Value("64"))})}, {}}));
  const Class& derived = *store.find("Derived");
  EXPECT_FALSE(is_abstract(derived));
  EXPECT_TRUE(is_abstract(*store.find("Base")));
  EXPECT_EQ(derived.qualifiers.at(0).name, "Description");
  EXPECT_TRUE(derived.qualifiers.at(0).is_propagated);
  EXPECT_TRUE(is_key(derived.properties[0]));
  EXPECT_EQ(derived.properties[0].name, "ID");
  EXPECT_FALSE(derived.properties[0].is_propagated);
  EXPECT_EQ(derived.properties[0].qualifiers[0].value, Value(std::uint32_t{64}));
}

TEST_F(ClassStoreTest, KnowsWhoDerivesFromWhom) {
  ASSERT_TRUE(store.add(Class{"A", "Base", {}, {}, {}}));
  ASSERT_TRUE(store.add(Class{"B", "A", {}, {}, {}}));
  ASSERT_TRUE(store.add(Class{"Other", "", {}, {}, {}}));
  EXPECT_EQ(store.superclasses("b"), (std::vector<std::string>{"A", "Base"}));
  EXPECT_EQ(names(store.subclasses("base")), (std::vector<std::string>{"A"}));
  EXPECT_EQ(names(store.descendants("Base")), (std::vector<std::string>{"A", "B"}));
  EXPECT_EQ(names(store.subclasses("")), (std::vector<std::string>{"Base", "Other"}));
  EXPECT_EQ(store.descendants("").size(), 4U);
  EXPECT_TRUE(store.is_a("B", "BASE"));
  EXPECT_TRUE(store.is_a("B", "B"));
  EXPECT_FALSE(store.is_a("Base", "B"));
  EXPECT_FALSE(store.is_a("None", "None"));
}

TEST_F(ClassStoreTest, RefusesWhatDoesNotFit) {
  const auto code = [&](Class c) {
    const auto added = store.add(std::move(c));
    return added ? ErrorCode::kInternal : added.error().code;
  };
  EXPECT_EQ(code({"base", "", {}, {}, {}}), ErrorCode::kAlreadyExists);
  EXPECT_EQ(code({"X", "None", {}, {}, {}}), ErrorCode::kNotFound);
  EXPECT_EQ(code({"1X", "", {}, {}, {}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({"X", "", {qualifier("Unknown")}, {}, {}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({"X", "", {qualifier("Key")}, {}, {}}), ErrorCode::kInvalidArgument);  // not of a class
  EXPECT_EQ(code({"X", "", {qualifier("MaxLen", Value("many"))}, {}, {}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({"X", "Base", {}, {property("Id", Type::kUint8)}, {}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({"X", "Base", {}, {property("Id", Type::kString, {qualifier("Key", Value(false))})}, {}}),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({"X", "", {}, {property("A", Type::kString), property("a", Type::kString)}, {}}),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({"X", "Base", {}, {}, {Method{"Start", Type::kString, {}, {}, "", false}}}),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(store.find("X"), nullptr);
}

TEST_F(ClassStoreTest, ALineOfAncestorsHasAnEnd) {
  std::string superclass = "Base";
  bool is_refused = false;
  for (int i = 0; i < 100 && !is_refused; ++i) {
    const std::string name = "C" + std::to_string(i);
    is_refused = !store.add(Class{name, superclass, {}, {}, {}});
    superclass = name;
  }
  EXPECT_TRUE(is_refused);
}

}  // namespace
}  // namespace cohort::cim
