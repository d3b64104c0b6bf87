#include "cli/output/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "cli/testing/examples.h"
#include "cli/testing/program.h"

namespace cohort::cli {
namespace {

using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;

Job job_at(std::uint64_t done) {
  Job job = example_job();
  job.progress.done_bytes = done;
  job.progress.total_bytes = 100ULL << 20U;
  return job;
}

class ProgressTest : public testing::Test {
 protected:
  // Follows a job that does 10 MiB a second for five seconds.
  void follow(ProgressStyle style, std::size_t width) {
    Progress progress(err, style, width, clock);
    for (std::uint64_t second = 0; second <= 5; ++second) {
      progress.update(job_at((10ULL * second) << 20U));
      clock.now += seconds{1};
    }
  }

  std::ostringstream err;
  FakeClock clock;
};

TEST_F(ProgressTest, BarShowsShareAmountRateAndTimeLeft) {
  follow(ProgressStyle::kBar, 120);
  EXPECT_THAT(err.str(),
              AllOf(HasSubstr("copying disks"), HasSubstr("50 %"), HasSubstr("50.0 MiB of 100.0 MiB"),
                    HasSubstr("10.0 MiB/s"), HasSubstr("5 s left"), HasSubstr("[############............]")));
}

TEST_F(ProgressTest, BarIsDrawnOverAndWipedAtTheEnd) {
  follow(ProgressStyle::kBar, 120);
  EXPECT_EQ(err.str().find('\n'), std::string::npos);
  EXPECT_TRUE(err.str().ends_with("\r\x1b[K"));
}

TEST_F(ProgressTest, BarStaysOnItsLine) {
  follow(ProgressStyle::kBar, 20);
  EXPECT_THAT(err.str(), HasSubstr("\r\x1b[Kcopying disks  [##…\r"));
}

TEST_F(ProgressTest, LinesComeEveryFewSecondsOnly) {
  follow(ProgressStyle::kLines, 80);
  const std::string text = err.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST_F(ProgressTest, LogsGetNoLineTwiceInARow) {
  Progress progress(err, ProgressStyle::kLines, 80, clock);
  Job job = example_job();
  job.progress = {"running", 0, 0};
  for (int i = 0; i < 3; ++i) {
    clock.now += std::chrono::minutes(1);
    progress.update(job);
  }
  const std::string text = err.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

TEST_F(ProgressTest, NothingWhereNothingIsWanted) {
  follow(ProgressStyle::kNone, 80);
  EXPECT_EQ(err.str(), "");
}

TEST_F(ProgressTest, MessageDoesNotRunIntoTheBar) {
  Progress progress(err, ProgressStyle::kBar, 80, clock);
  progress.update(job_at(0));
  progress.say("Cancelling");
  EXPECT_TRUE(err.str().ends_with("\r\x1b[KCancelling\n"));
}

TEST_F(ProgressTest, KnowsThePhase) {
  Progress progress(err, ProgressStyle::kNone, 80, clock);
  EXPECT_EQ(progress.phase(), "");
  progress.update(job_at(0));
  EXPECT_EQ(progress.phase(), "copying disks");
}

}  // namespace
}  // namespace cohort::cli
