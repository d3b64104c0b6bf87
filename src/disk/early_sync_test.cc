#include "disk/early_sync.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>

namespace cohort::disk {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr std::uint64_t kStep = 100;

class EarlySyncTest : public testing::Test {
 protected:
  int sync() {
    ++syncs_;
    while (is_held_) std::this_thread::sleep_for(milliseconds(1));
    return syncs_ == 1 ? fails_.load() : 0;
  }
  bool reaches(int syncs) {
    const auto end = steady_clock::now() + seconds(30);
    while (syncs_ < syncs && steady_clock::now() < end) std::this_thread::sleep_for(milliseconds(1));
    return syncs_ == syncs;
  }

  std::atomic<int> syncs_ = 0;
  std::atomic<bool> is_held_ = false;
  std::atomic<int> fails_ = 0;
  EarlySync early_{[this] { return sync(); }, kStep};
};

TEST_F(EarlySyncTest, SyncsAfterEachStep) {
  early_.add(kStep - 1);
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_EQ(syncs_, 0);
  early_.add(1);
  EXPECT_TRUE(reaches(1));
  early_.add(3 * kStep);
  EXPECT_TRUE(reaches(2)) << "one for all that has come";
  EXPECT_EQ(early_.finish(), 0);
  early_.add(kStep);
  EXPECT_EQ(early_.finish(), 0);
  EXPECT_EQ(syncs_, 2);
}

TEST_F(EarlySyncTest, WritersDoNotWaitAndTheEndDoes) {
  is_held_ = true;
  early_.add(kStep);
  EXPECT_TRUE(reaches(1));
  early_.add(kStep);
  std::jthread other([this] {
    std::this_thread::sleep_for(milliseconds(50));
    is_held_ = false;
  });
  EXPECT_EQ(early_.finish(), 0);
  EXPECT_FALSE(is_held_);
}

TEST_F(EarlySyncTest, AFailureIsKeptThoughTheNextSyncGoesWell) {
  fails_ = EIO;
  early_.add(kStep);
  EXPECT_TRUE(reaches(1));
  early_.add(kStep);
  EXPECT_TRUE(reaches(2));
  EXPECT_EQ(early_.finish(), EIO);
}

TEST_F(EarlySyncTest, NothingIsSyncedOfLittle) {
  early_.add(1);
  EXPECT_EQ(early_.finish(), 0);
  EXPECT_EQ(syncs_, 0);
}

}  // namespace
}  // namespace cohort::disk
