#include "domain/consistency.h"

#include <gtest/gtest.h>

namespace cohort {
namespace {

TEST(Consistency, HasANameForEachLevelThatReadsBack) {
  for (const auto level :
       {Consistency::kOff, Consistency::kCrash, Consistency::kFileSystem, Consistency::kApplication}) {
    EXPECT_EQ(consistency_from(to_string(level)).value(), level);
  }
  EXPECT_EQ(to_string(Consistency::kFileSystem), "file-system");
  EXPECT_EQ(consistency_from("best").error().code, ErrorCode::kCorrupt);
}

TEST(ConsistencyWish, HasANameForEachThatReadsBack) {
  for (const auto wish : {ConsistencyWish::kCrash, ConsistencyWish::kBest, ConsistencyWish::kApplication}) {
    EXPECT_EQ(consistency_wish_from(to_string(wish)).value(), wish);
  }
  EXPECT_EQ(consistency_wish_from("off").error().code, ErrorCode::kCorrupt);
}

TEST(MemberConsistency, NeedsAFreezeOnlyWhereNobodyElseHasFrozen) {
  MemberConsistency member;
  EXPECT_FALSE(member.needs_freeze());
  member.level = Consistency::kFileSystem;
  EXPECT_TRUE(member.needs_freeze());
  member.level = Consistency::kApplication;
  EXPECT_TRUE(member.needs_freeze());
  member.frozen_by_others = true;
  EXPECT_FALSE(member.needs_freeze());
  member = {Consistency::kOff, {}, false, {}, false};
  EXPECT_FALSE(member.needs_freeze());
}

}  // namespace
}  // namespace cohort
