#include "base/parallel.h"

#include <gtest/gtest.h>

#include <barrier>

namespace cohort {
namespace {

TEST(RunInParallel, ResultsKeepTheirOrder) {
  EXPECT_EQ(run_in_parallel(4, [](std::size_t i) { return i * 10; }), (std::vector<std::size_t>{0, 10, 20, 30}));
}

TEST(RunInParallel, AllRunAtTheSameTime) {
  std::barrier together(3);  // would wait for ever if they ran one after another
  const auto outcomes = run_in_parallel(3, [&](std::size_t) {
    together.arrive_and_wait();
    return 1;
  });
  EXPECT_EQ(outcomes.size(), 3U);
}

TEST(RunInParallel, NothingToDo) {
  EXPECT_TRUE(run_in_parallel(0, [](std::size_t) { return 1; }).empty());
}

}  // namespace
}  // namespace cohort
