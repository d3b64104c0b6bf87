#include "disk/buffer_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

namespace cohort::disk {
namespace {

TEST(BufferPool, NeverGivesOutMoreThanItsBudgetToFourThreads) {
  constexpr int kMost = 3;
  BufferPool pool(kMost * BufferPool::kBufferBytes + 1);
  std::atomic<int> out = 0;
  std::atomic<bool> is_shared = false;
  std::mutex mutex;
  std::set<const std::byte*> places;
  const auto use = [&](std::byte mark) {
    const auto buffer = pool.take({});
    const int now = ++out;
    EXPECT_LE(now, kMost);
    std::byte& first = buffer->bytes().front();
    first = mark;
    std::this_thread::yield();
    if (first != mark) is_shared = true;
    const std::lock_guard lock(mutex);
    places.insert(&first);
    --out;
  };
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&use, thread] {
        for (int i = 0; i < 500; ++i) use(static_cast<std::byte>(thread));
      });
    }
  }
  EXPECT_FALSE(is_shared);
  EXPECT_LE(places.size(), std::size_t{kMost}) << "more memory than the budget";
}

TEST(BufferPool, HasOneBufferHoweverSmallTheBudget) {
  BufferPool pool(0);
  const auto buffer = pool.take({});
  ASSERT_TRUE(buffer);
  EXPECT_EQ(buffer->bytes().size(), BufferPool::kBufferBytes);
}

TEST(BufferPool, GivesOutAgainWhatComesBackToOneWhoWaits) {
  BufferPool pool(BufferPool::kBufferBytes);
  auto first = pool.take({});
  const std::byte* const place = first->bytes().data();
  const std::byte* seen = nullptr;
  std::jthread waiting([&] { seen = pool.take({})->bytes().data(); });
  first.reset();
  waiting.join();
  EXPECT_EQ(seen, place);
}

TEST(BufferPool, StopsWaitingWhenItIsToldTo) {
  BufferPool pool(BufferPool::kBufferBytes);
  const auto all = pool.take({});
  std::stop_source stop;
  const std::jthread stopping([&] { stop.request_stop(); });
  EXPECT_FALSE(pool.take(stop.get_token()));
}

}  // namespace
}  // namespace cohort::disk
