#include "daemon/rights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/testing/desk.h"

namespace cohort::daemon {
namespace {

using ::testing::HasSubstr;

TEST(Grant, IsAUserARoleAndACollection) {
  const auto grant = parse_grant("ann@EXAMPLE:operator:web shop: two");
  ASSERT_TRUE(grant) << grant.error().message;
  EXPECT_EQ(grant->user, "ann@EXAMPLE");
  EXPECT_EQ(grant->right.right, provider::Right::kOperate);
  EXPECT_EQ(grant->right.collection, "web shop: two");
  EXPECT_TRUE(parse_grant("ann:reader:0f3a1b2c-0000-4000-8000-00000000abcd"));
}

TEST(Grant, SaysWhatIsWrong) {
  for (const char* text : {"ann", "ann:operator", ":operator:shop"}) {
    EXPECT_THAT(parse_grant(text).error().message, HasSubstr("is not USER:ROLE:COLLECTION")) << text;
  }
  EXPECT_THAT(parse_grant("ann:boss:shop").error().message, HasSubstr("\"boss\" is none of reader"));
  EXPECT_THAT(parse_grant("ann:none:shop").error().message, HasSubstr("\"none\" is none of reader"));
  EXPECT_THAT(parse_grant("ann:reader:").error().message, HasSubstr("\"\" is neither the name nor the UUID"));
}

TEST(Rights, AreThoseOfTheUserAlone) {
  Rights rights({*parse_grant("ann:operator:shop"), *parse_grant("eve:administrator:shop")});
  Doorkeeper doorkeeper;  // lets in "ann"
  doorkeeper.role = http::Role::kNone;
  const auto caller = rights.caller(doorkeeper.identity());
  EXPECT_EQ(caller.right, provider::Right::kNone);
  ASSERT_EQ(caller.rights.size(), 1U);
  EXPECT_EQ(caller.rights[0].right, provider::Right::kOperate);
  // NTLM's names are as their users have written them.
  rights.replace({*parse_grant("EXAMPLE\\ann:reader:shop"), *parse_grant("Otto:reader:shop")});
  doorkeeper.name = "example\\Ann";
  EXPECT_EQ(rights.caller(doorkeeper.identity()).rights.size(), 1U);
  doorkeeper.name = "otto";
  EXPECT_TRUE(rights.caller(doorkeeper.identity()).rights.empty());
  rights.replace({});
  EXPECT_TRUE(rights.caller(doorkeeper.identity()).rights.empty());
}

}  // namespace
}  // namespace cohort::daemon
