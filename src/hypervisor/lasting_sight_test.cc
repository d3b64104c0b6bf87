#include "hypervisor/lasting_sight.h"

#include <gtest/gtest.h>

namespace cohort::hypervisor {
namespace {

using std::chrono::steady_clock;

TEST(LastingSight, OneLookIsNotEnoughHoweverLongItTook) {
  LastingSight sight(Milliseconds(100));
  EXPECT_FALSE(sight.note(true, steady_clock::now() - std::chrono::hours(1)));
}

TEST(LastingSight, NeedsALookThatBeginsLongEnoughAfterTheFirst) {
  LastingSight sight(Milliseconds(1000));
  ASSERT_FALSE(sight.note(true, steady_clock::now()));
  EXPECT_FALSE(sight.note(true, steady_clock::now()));
  EXPECT_TRUE(sight.note(true, steady_clock::now() + std::chrono::seconds(2)));
}

TEST(LastingSight, BeginsAnewAfterABadLook) {
  LastingSight sight(Milliseconds(1000));
  ASSERT_FALSE(sight.note(true, steady_clock::now()));
  ASSERT_FALSE(sight.note(false, steady_clock::now() + std::chrono::seconds(2)));
  EXPECT_FALSE(sight.note(true, steady_clock::now() + std::chrono::seconds(3)));
}

}  // namespace
}  // namespace cohort::hypervisor
