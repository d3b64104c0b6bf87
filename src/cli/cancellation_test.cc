#include "cli/cancellation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "cli/testing/program.h"

namespace cohort::cli {
namespace {

using testing::HasSubstr;

class CancellationTest : public testing::Test {
 protected:
  std::ostringstream err;
  FakeClock clock;
  Cancellation cancellation;
  Progress progress{err, ProgressStyle::kNone, 80, clock};
};

TEST_F(CancellationTest, NobodyListensWhileNoJobRuns) {
  EXPECT_FALSE(cancellation.interrupt());
  { const Cancellation::RunningJob job(cancellation, progress); }
  EXPECT_FALSE(cancellation.interrupt());
}

TEST_F(CancellationTest, FirstInterruptStopsTheJobAndSaysSo) {
  const Cancellation::RunningJob job(cancellation, progress);
  EXPECT_FALSE(job.stop().stop_requested());
  EXPECT_TRUE(cancellation.interrupt());
  EXPECT_TRUE(job.stop().stop_requested());
  EXPECT_THAT(err.str(), HasSubstr("Cancelling: what was begun is being undone"));
}

TEST_F(CancellationTest, SecondInterruptSaysWhatTheJobStillDoes) {
  const Cancellation::RunningJob job(cancellation, progress);
  EXPECT_TRUE(cancellation.interrupt());
  Job update;
  update.progress.phase = "removing the partial package";
  progress.update(update);
  EXPECT_TRUE(cancellation.interrupt());
  EXPECT_THAT(err.str(), HasSubstr("the job is at \"removing the partial package\""));
}

TEST_F(CancellationTest, NextJobBeginsUncancelled) {
  {
    const Cancellation::RunningJob job(cancellation, progress);
    EXPECT_TRUE(cancellation.interrupt());
  }
  const Cancellation::RunningJob next(cancellation, progress);
  EXPECT_FALSE(next.stop().stop_requested());
}

}  // namespace
}  // namespace cohort::cli
