#include "base/user_name.h"

#include <gtest/gtest.h>

namespace cohort {
namespace {

TEST(UserName, IsTheNumberWhereThereIsNone) {
  EXPECT_EQ(user_name(0), "root");
  EXPECT_EQ(user_name(0x3FFFFFFF), "1073741823");
}

}  // namespace
}  // namespace cohort
