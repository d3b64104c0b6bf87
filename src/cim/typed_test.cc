#include "cim/typed.h"

#include <gtest/gtest.h>

#include "cim/object_path.h"

namespace cohort::cim {
namespace {

class TypedTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(store.add(QualifierType{"Key", Type::kBoolean, false, Value(false), {"any"}, {}}));
    ASSERT_TRUE(store.add(QualifierType{"EmbeddedInstance", Type::kString, false, Value(), {"any"}, {}}));
    Class box{"Box", "", {}, {}, {}};
    box.properties = {declared("Id", Type::kUint32), declared("Names", Type::kString), declared("Inner", Type::kString),
                      declared("Next", Type::kReference)};
    box.properties[0].qualifiers = {{"Key", Value(true), {}, false}};
    box.properties[1].is_array = true;
    box.properties[2].qualifiers = {{"EmbeddedInstance", Value("Box"), {}, false}};
    ASSERT_TRUE(store.add(box));
    ASSERT_TRUE(store.add(Class{"Bag", "", {}, {}, {}}));
  }

  static Property declared(std::string name, Type type) {
    Property made;
    made.name = std::move(name);
    made.type = type;
    return made;
  }

  ClassStore store;
};

TEST_F(TypedTest, ValuesBecomeWhatTheClassDeclares) {
  Instance given{"box", {{"ID", Value("5")}, {"names", Value("one")}, {"Next", Value("BOX.ID=\"6\"")}}, {}};
  const auto result = typed(given, store);
  ASSERT_TRUE(result) << result.error().describe();
  EXPECT_EQ(result->class_name, "Box");
  EXPECT_EQ(result->properties[0].name, "Id");
  EXPECT_EQ(result->at("Id"), Value(std::uint32_t{5}));
  EXPECT_EQ(result->at("Names"), Value::array_of<std::string>({"one"}));
  EXPECT_EQ(*result->at("Next").reference()->key("Id"), Value(std::uint32_t{6}));
}

TEST_F(TypedTest, AnUnknownPropertyIsNamed) {
  const auto result = typed(Instance{"Box", {{"Colour", Value("red")}}, {}}, store);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "Box has no property \"Colour\".");
  EXPECT_FALSE(typed(Instance{"Box", {{"Id", Value("many")}}, {}}, store));
  EXPECT_FALSE(typed(Instance{"None", {}, {}}, store));
}

TEST_F(TypedTest, EmbeddedInstancesAreOfTheDeclaredClass) {
  EXPECT_TRUE(typed(Instance{"Box", {{"Inner", Value(Instance{"Box", {{"Id", Value("1")}}, {}})}}, {}}, store));
  EXPECT_FALSE(typed(Instance{"Box", {{"Inner", Value(Instance{"Bag", {}, {}})}}, {}}, store));
  EXPECT_FALSE(typed(Instance{"Box", {{"Inner", Value(Instance{"Box", {{"No", Value("1")}}, {}})}}, {}}, store));
}

TEST_F(TypedTest, NestingHasAnEnd) {
  Instance nested{"Box", {}, {}};
  for (int i = 0; i < 2 * kMaxNesting; ++i) nested = Instance{"Box", {{"Inner", Value(nested)}}, {}};
  EXPECT_FALSE(typed(nested, store));
}

TEST_F(TypedTest, TheOnlyKeyIsNamed) {
  const auto result = typed(*parse_object_path("box=5"), store);
  ASSERT_TRUE(result);
  EXPECT_EQ(to_text(*result), "Box.Id=5");
  EXPECT_FALSE(typed(*parse_object_path("Box.Names=5"), store));
  EXPECT_FALSE(typed(*parse_object_path("Box.Id='x'"), store));
  EXPECT_TRUE(typed(*parse_object_path("Unknown.Id='x'"), store));
}

TEST_F(TypedTest, MakesInstancesAndTheirPaths) {
  const Class& box = *store.find("Box");
  Instance made = make_instance(box);
  EXPECT_EQ(made.properties.size(), 4U);
  made.set("Id", Value(std::uint32_t{9}));
  EXPECT_EQ(to_text(path_of(made, box, "root/x")), "root/x:Box.Id=9");
  EXPECT_EQ(missing_keys(*parse_object_path("Box"), box), (std::vector<std::string>{"Id"}));
  keep_properties(made, std::vector<std::string>{"ID"});
  EXPECT_EQ(made.properties.size(), 1U);
}

}  // namespace
}  // namespace cohort::cim
