#include "cim/object_path.h"

#include <gtest/gtest.h>

namespace cohort::cim {
namespace {

ObjectPath path(std::string_view text) {
  auto parsed = parse_object_path(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *std::move(parsed) : ObjectPath{};
}

TEST(ObjectPath, ReadsTheFormOfWmi) {
  const ObjectPath read = path(R"(\\HOST\root\virtualization\v2:Msvm_SnapshotCollection.CollectionID="a\"b\\c")");
  EXPECT_EQ(read.host, "HOST");
  EXPECT_EQ(read.namespace_name, "root/virtualization/v2");
  EXPECT_EQ(read.class_name, "Msvm_SnapshotCollection");
  EXPECT_EQ(*read.key("collectionid"), Value(R"(a"b\c)"));
}

TEST(ObjectPath, ReadsTheFormOfCimXml) {
  const ObjectPath read = path("root/cimv2:C.N=-5,B=TRUE,S='x, y',L=18446744073709551615");
  EXPECT_EQ(read.namespace_name, "root/cimv2");
  EXPECT_EQ(*read.key("N"), Value(std::int64_t{-5}));
  EXPECT_EQ(*read.key("B"), Value(true));
  EXPECT_EQ(*read.key("S"), Value("x, y"));
  EXPECT_EQ(*read.key("L"), Value(std::uint64_t{18446744073709551615U}));
}

TEST(ObjectPath, ReadsWhatIsLeftOut) {
  EXPECT_TRUE(path("C").is_class());
  EXPECT_TRUE(path("root/x:C").is_class());
  EXPECT_EQ(path("//h/root/x:C").host, "h");
  EXPECT_EQ(path("/root/x:C").namespace_name, "root/x");
  EXPECT_TRUE(path("C=@").is_singleton);
  EXPECT_EQ(path("C=\"only\"").keys.front().value, Value("only"));
  EXPECT_EQ(path(R"(C.R="\\\\h\\root\\x:D.K=\"a:b\"")").key("R")->element(),
            Element(std::string(R"(\\h\root\x:D.K="a:b")")));
}

TEST(ObjectPath, WritesWhatItReads) {
  for (const std::string text :
       {R"(\\HOST\root\virtualization\v2:C.A="x\\y",B=5,T=TRUE)", R"(root/x:C.A="a\"b")", "C", "root/x:C=@", "C=5",
        "C=-0.0", "C=5.0", "C=1.0e+20", R"(C.R="\\\\h\\root\\x:D.K=\"v\"")"}) {
    EXPECT_EQ(to_text(path(text)), text);
    EXPECT_EQ(path(to_text(path(text))), path(text));
  }
}

TEST(ObjectPath, AReferenceAsKeyIsWrittenInQuotes) {
  const ObjectPath outer{"", "", "A", {{"R", Value(path("root/x:D.K=\"v\""))}}, false};
  EXPECT_EQ(to_text(outer), R"(A.R="root/x:D.K=\"v\"")");
  EXPECT_EQ(path(to_text(outer)), outer);
}

TEST(ObjectPath, OrderOfKeysAndCaseOfNamesDoNotMatter) {
  EXPECT_EQ(path("Root/X:C.A=1,B='z'"), path("root/x:c.b=\"z\",a=1"));
  EXPECT_FALSE(path("C.A=1") == path("C.A=1,B=2"));
  EXPECT_FALSE(path("C.A='x'") == path("C.A='X'"));
  EXPECT_FALSE(path("root/x:C.A=1") == path("root/y:C.A=1"));
  EXPECT_TRUE(same_instance(path("root/x:C.A=1"), path("root/y:C.A=1")));
  EXPECT_FALSE(same_instance(path("C=@"), path("C")));
}

TEST(ObjectPath, SaysWhereItIsWrong) {
  for (const auto* const text :
       {"", ".", "C.", "C.A", "C.A=", "C.A=\"", "C.A=\"x\"y", "C.A=1,", "C.A=1,A=2", "C.=1", "C.A=x", "1C.A=1",
        R"(\\host)", R"(\\\root:C)", R"(\\h\root)", "root//x:C.A=1", ":C.A=1", "C=@x"}) {
    EXPECT_FALSE(parse_object_path(text)) << text;
  }
  EXPECT_EQ(parse_object_path("C.A=x").error().message,
            "\"C.A=x\" is no object path: a value (text needs quotes) before expected at character 6.");
}

}  // namespace
}  // namespace cohort::cim
