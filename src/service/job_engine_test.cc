#include "service/job_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <latch>
#include <thread>

#include "service/testing/lab.h"

namespace cohort::service {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Longer than two beats of a job's pulse.
constexpr Milliseconds kTwoBeats{700};

class JobEngineTest : public ::testing::Test {
 protected:
  using Body = std::function<Result<int>(JobContext&)>;
  Result<int> run(const Body& body, const JobWatch& watch = {}) {
    return lab.engine.run<int>(JobType::kExport, "something", watch, body);
  }

  Lab lab;
};

TEST_F(JobEngineTest, RecordsARunningJobBeforeItsBodyAndACompletedOneAfter) {
  const auto outcome = run([&](JobContext& context) -> Result<int> {
    const Job running = lab.newest_job();
    EXPECT_EQ(running.id, context.id());
    EXPECT_EQ(running.state, JobState::kRunning);
    EXPECT_EQ(running.type, JobType::kExport);
    EXPECT_EQ(running.subject, "something");
    EXPECT_EQ(running.pid, ::getpid());
    EXPECT_TRUE(running.started && !running.ended);
    context.set_phase("counting");
    context.set_total(10);
    context.add_done(4);
    context.add_done(5);
    context.set_result("a thing");
    return 42;
  });
  ASSERT_TRUE(outcome);
  EXPECT_EQ(*outcome, 42);
  const Job job = lab.newest_job();
  EXPECT_EQ(job.state, JobState::kCompleted);
  EXPECT_EQ(job.result, "a thing");
  EXPECT_EQ(job.progress.phase, "counting");
  EXPECT_EQ(job.progress.done_bytes, 9U);
  EXPECT_EQ(job.progress.total_bytes, 10U);
  EXPECT_TRUE(job.ended && !job.error);
}

TEST_F(JobEngineTest, RecordsWhoAskedForAJobAndWhatItIsAbout) {
  const WorksOn outer{CollectionId::generate(), "a point"};
  const WorksOn of_a_part{CollectionId::generate(), "another"};
  JobWatch watch;
  watch.owner = "ann";
  const auto outcome = run(
      [&](JobContext& context) -> Result<int> {
        EXPECT_EQ(lab.newest_job().owner, "ann");
        context.works_on(outer);
        context.works_on(of_a_part);
        std::this_thread::sleep_for(kTwoBeats);
        EXPECT_EQ(lab.newest_job().works_on, outer) << "while it runs";
        return 1;
      },
      watch);
  EXPECT_TRUE(outcome);
  EXPECT_EQ(lab.newest_job().works_on, outer);
  EXPECT_EQ(lab.newest_job().owner, "ann");
}

TEST_F(JobEngineTest, RunsNothingThatItCannotRecord) {
  lab.control.fail_next("add_job", ErrorCode::kNoSpace);
  bool has_run = false;
  const auto outcome = run([&](JobContext&) -> Result<int> {
    has_run = true;
    return 1;
  });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kNoSpace);
  EXPECT_FALSE(has_run);
}

TEST_F(JobEngineTest, RecordsTheErrorOfAJobThatFails) {
  const auto outcome = run([](JobContext&) -> Result<int> { return fail(ErrorCode::kCorrupt, "It is broken."); });
  ASSERT_FALSE(outcome);
  const Job job = lab.newest_job();
  EXPECT_EQ(job.state, JobState::kFailed);
  ASSERT_TRUE(job.error);
  EXPECT_EQ(job.error->code, ErrorCode::kCorrupt);
  EXPECT_EQ(job.error->message, "It is broken.");
}

TEST_F(JobEngineTest, TakesBackTheLastStepFirst) {
  const Path outer = lab.folder.path() / "outer";
  const auto outcome = run([&](JobContext& context) -> Result<int> {
    COHORT_TRY(context.will_undo(UndoKind::kRemoveFolder, outer.string()));
    COHORT_TRY(make_directories(outer));
    COHORT_TRY(context.will_undo(UndoKind::kRemoveFile, (outer / "inner").string()));
    COHORT_TRY(create_file(outer / "inner", "x"));
    return fail(ErrorCode::kIo, "Enough.");
  });
  ASSERT_FALSE(outcome);
  EXPECT_FALSE(std::filesystem::exists(outer));
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

TEST_F(JobEngineTest, TakesNothingBackWhenTheJobEndsWell) {
  const Path file = lab.folder.path() / "file";
  ASSERT_TRUE(run([&](JobContext& context) -> Result<int> {
    COHORT_TRY(context.will_undo(UndoKind::kRemoveFile, file.string()));
    COHORT_TRY(create_file(file, "x"));
    return 1;
  }));
  EXPECT_TRUE(std::filesystem::exists(file));
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

TEST_F(JobEngineTest, TakesNothingBackThatIsKept) {
  const Path file = lab.folder.path() / "file";
  ASSERT_FALSE(run([&](JobContext& context) -> Result<int> {
    COHORT_ASSIGN(const auto step, context.will_undo(UndoKind::kRemoveFile, file.string()));
    COHORT_TRY(create_file(file, "x"));
    COHORT_TRY(context.will_keep(step));
    return fail(ErrorCode::kIo, "Enough.");
  }));
  EXPECT_TRUE(std::filesystem::exists(file));
}

TEST_F(JobEngineTest, KeepsStepsThatCannotBeTakenBackAndSaysSo) {
  const Path file = lab.folder.path() / "file";
  const auto outcome = run([&](JobContext& context) -> Result<int> {
    COHORT_TRY(context.will_undo(UndoKind::kUndefineMachine, MachineId::generate().str()));
    COHORT_TRY(context.will_undo(UndoKind::kRemoveFile, file.string()));
    COHORT_TRY(create_file(file, "x"));
    lab.control.fail_next("defined_machine", ErrorCode::kHypervisor);
    return fail(ErrorCode::kIo, "Enough.");
  });
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message, HasSubstr("Enough. Not taken back:"));
  EXPECT_FALSE(std::filesystem::exists(file)) << "one failure must not keep the others";
  EXPECT_EQ(lab.newest_job().state, JobState::kFailed);
  EXPECT_THAT(lab.left_open(), SizeIs(1));
  ASSERT_TRUE(lab.run_recover());
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

// A name in the store that is not of a partial package would be a defect, and not reason enough to remove a folder.
TEST_F(JobEngineTest, RemovesNoFolderAsPartialThatIsNotCalledSo) {
  const Path folder = lab.folder.path() / "precious";
  ASSERT_TRUE(make_directories(folder));
  ASSERT_FALSE(run([&](JobContext& context) -> Result<int> {
    COHORT_TRY(context.will_undo(UndoKind::kRemovePartial, folder.string()));
    return fail(ErrorCode::kIo, "Enough.");
  }));
  EXPECT_TRUE(std::filesystem::exists(folder));
}

// A path that the file system says nothing of; with another step it could be a server that does not answer.
TEST_F(JobEngineTest, ForgetsNothingThatItCannotLookAt) {
  const std::string unknown = (lab.folder.path() / std::string(300, 'x')).string();
  const auto outcome = run([&](JobContext& context) -> Result<int> {
    COHORT_TRY(context.will_undo(UndoKind::kRemoveFile, unknown));
    COHORT_TRY(context.will_undo(UndoKind::kRemoveFolder, unknown));
    COHORT_TRY(context.will_undo(UndoKind::kRemovePartial, unknown + ".partial"));
    return fail(ErrorCode::kIo, "Enough.");
  });
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message, HasSubstr("Not taken back"));
  EXPECT_THAT(lab.left_open(), SizeIs(3));
}

TEST_F(JobEngineTest, LeavesAFolderThatSomebodyHasPutSomethingInto) {
  const Path folder = lab.folder.path() / "folder";
  ASSERT_FALSE(run([&](JobContext& context) -> Result<int> {
    COHORT_TRY(context.will_undo(UndoKind::kRemoveFolder, folder.string()));
    COHORT_TRY(make_directories(folder));
    COHORT_TRY(create_file(folder / "theirs", "x"));
    return fail(ErrorCode::kIo, "Enough.");
  }));
  EXPECT_TRUE(std::filesystem::exists(folder / "theirs"));
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

TEST_F(JobEngineTest, IsCancelledByItsCaller) {
  std::stop_source stop;
  const auto outcome = run(
      [&](JobContext& context) -> Result<int> {
        EXPECT_TRUE(context.check_cancelled());
        stop.request_stop();
        COHORT_TRY(context.check_cancelled());
        return 1;
      },
      {stop.get_token(), {}});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(lab.newest_job().state, JobState::kCancelled);
}

TEST_F(JobEngineTest, HearsACancelThatAnotherProcessHasLeftInTheStore) {
  const auto outcome = run([&](JobContext& context) -> Result<int> {
    COHORT_TRY(lab.kept.request_cancel(context.id()));
    for (int i = 0; i < 1000 && !context.stop().stop_requested(); ++i) {
      std::this_thread::sleep_for(Milliseconds(10));
    }
    COHORT_TRY(context.check_cancelled());
    return 1;
  });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kCancelled);
}

TEST_F(JobEngineTest, RecordsAndTellsProgressWhileItRuns) {
  std::mutex mutex;
  std::vector<Job> told;
  const JobWatch watch{{}, [&](const Job& job) {
                         const std::lock_guard lock(mutex);
                         told.push_back(job);
                       }};
  ASSERT_TRUE(run(
      [&](JobContext& context) -> Result<int> {
        context.set_phase("half");
        context.set_done(50);
        std::this_thread::sleep_for(kTwoBeats);
        EXPECT_EQ(lab.newest_job().progress.phase, "half");
        EXPECT_EQ(lab.newest_job().progress.done_bytes, 50U);
        return 1;
      },
      watch));
  ASSERT_GE(told.size(), 3U);
  EXPECT_EQ(told.front().state, JobState::kRunning);
  EXPECT_EQ(told[told.size() - 2].progress.phase, "half");
  EXPECT_EQ(told.back().state, JobState::kCompleted);
}

TEST_F(JobEngineTest, IsNotSetRunningAgainByALateRecordOfProgress) {
  JobContext* inner = nullptr;
  lab.control.before("finish_job", [&] {
    // Progress that a beat would record, if one came between now and the end.
    inner->set_phase("late");
  });
  lab.kept.on_change([&](const std::string& change) {
    if (!change.starts_with("finish_job")) return;
    inner->set_done(99);
    std::this_thread::sleep_for(kTwoBeats);
  });
  ASSERT_TRUE(run([&](JobContext& context) -> Result<int> {
    inner = &context;
    return 1;
  }));
  EXPECT_EQ(lab.newest_job().state, JobState::kCompleted);
}

TEST_F(JobEngineTest, FailsWhenTheEndCannotBeRecorded) {
  lab.control.fail_next("finish_job", ErrorCode::kNoSpace);
  const auto outcome = run([](JobContext&) -> Result<int> { return 1; });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kNoSpace);
  EXPECT_THAT(outcome.error().context, SizeIs(1));
}

TEST_F(JobEngineTest, RunsOneJobAtATimeAndCancelsOneThatWaits) {
  std::latch has_begun(1);
  std::latch may_end(1);
  std::jthread first([&] {
    EXPECT_TRUE(run([&](JobContext&) -> Result<int> {
      has_begun.count_down();
      may_end.wait();
      return 1;
    }));
  });
  has_begun.wait();
  std::stop_source stop;
  bool has_run = false;
  Result<int> second = 0;
  std::jthread waiting([&] {
    second = run([&](JobContext&) -> Result<int> { return has_run = true, 2; }, {stop.get_token(), {}});
  });
  std::this_thread::sleep_for(kTwoBeats);
  EXPECT_EQ(lab.newest_job().progress.phase, "waiting for another job to end");
  const auto verified = lab.engine.run<int>(JobType::kVerify, "x", {}, [](JobContext&) -> Result<int> { return 3; });
  EXPECT_TRUE(verified) << "it gets in nobody's way";
  stop.request_stop();
  waiting.join();
  EXPECT_FALSE(has_run);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kCancelled);
  may_end.count_down();
}

}  // namespace
}  // namespace cohort::service
