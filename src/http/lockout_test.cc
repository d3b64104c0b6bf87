#include "http/lockout.h"

#include <gtest/gtest.h>

#include "http/testing/manual_clock.h"

namespace cohort::http {
namespace {

using std::chrono::seconds;

class LockoutTest : public ::testing::Test {
 protected:
  void fail(const std::string& who, int times) {
    for (int i = 0; i < times; ++i) lockout.failed(who);
  }

  ManualClock clock;
  Lockout lockout{clock, {3, seconds(60), 4}};
};

TEST_F(LockoutTest, LocksOutForAWhile) {
  fail("a", 2);
  EXPECT_FALSE(lockout.is_locked("a"));
  fail("a", 1);
  EXPECT_TRUE(lockout.is_locked("a"));
  EXPECT_FALSE(lockout.is_locked("b"));
  clock.pass(seconds(59));
  EXPECT_TRUE(lockout.is_locked("a"));
  clock.pass(seconds(1));
  EXPECT_FALSE(lockout.is_locked("a"));
}

TEST_F(LockoutTest, ForgetsOldFailures) {
  fail("a", 2);
  clock.pass(seconds(60));
  fail("a", 1);
  EXPECT_FALSE(lockout.is_locked("a"));
}

TEST_F(LockoutTest, ForgetsFailuresBeforeASuccess) {
  fail("a", 2);
  lockout.succeeded("a");
  fail("a", 2);
  EXPECT_FALSE(lockout.is_locked("a"));
}

TEST_F(LockoutTest, ForgetsTheOldestWhenItRemembersTooMany) {
  for (const auto* who : {"a", "b", "c", "d", "e"}) {
    fail(who, 3);
    clock.pass(seconds(1));
  }
  EXPECT_FALSE(lockout.is_locked("a"));
  for (const auto* who : {"b", "c", "d", "e"}) EXPECT_TRUE(lockout.is_locked(who)) << who;
}

}  // namespace
}  // namespace cohort::http
