#include "domain/refusal_kind.h"

#include <gmock/gmock.h>

namespace cohort {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(RefusalKind, HasANameThatLeadsBackToIt) {
  for (int i = static_cast<int>(RefusalKind::kUnknownElement); i <= static_cast<int>(RefusalKind::kHostAction); ++i) {
    const auto kind = static_cast<RefusalKind>(i);
    EXPECT_EQ(trusted_kind_from(to_string(kind)).value(), kind);
  }
  EXPECT_EQ(to_string(RefusalKind::kNetwork), "network");
}

TEST(RefusalKind, NamesThoseThatThereAreWhenOneIsNotKnown) {
  for (const auto* name : {"harmless", "", "malformed"}) {
    const auto kind = trusted_kind_from(name);
    ASSERT_FALSE(kind) << name;
    EXPECT_EQ(kind.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(kind.error().message, HasSubstr("host-device, host-path"));
    EXPECT_THAT(kind.error().message, Not(HasSubstr("malformed,")));
  }
}

}  // namespace
}  // namespace cohort
