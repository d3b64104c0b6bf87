#include "service/change_power.h"

#include <gtest/gtest.h>

#include "service/testing/lab.h"

namespace cohort::service {
namespace {

class ChangePowerTest : public testing::Test {
 protected:
  ChangePowerTest() { lab_.add_shop(); }
  Result<void> run(const std::string& machine, PowerChange change) {
    return change_.run(lab_.hypervisor.find_machine(machine)->id, change);
  }

  Lab lab_;
  ChangePower change_{lab_.hypervisor, lab_.store};
};

TEST_F(ChangePowerTest, CarriesOutOrders) {
  EXPECT_TRUE(run("archive", PowerChange::kStart));
  EXPECT_EQ(lab_.hypervisor.power("archive"), PowerState::kRunning);
  EXPECT_TRUE(run("web", PowerChange::kPause));
  EXPECT_EQ(lab_.hypervisor.power("web"), PowerState::kPaused);
  EXPECT_TRUE(run("cache", PowerChange::kResume));
  EXPECT_EQ(lab_.hypervisor.power("cache"), PowerState::kRunning);
  EXPECT_TRUE(run("database", PowerChange::kTurnOff));
  EXPECT_EQ(lab_.hypervisor.power("database"), PowerState::kOff);
}

TEST_F(ChangePowerTest, LeavesTheMembersOfASnapshotThatIsBeingTakenAlone) {
  Snapshot snapshot = lab_.take_of_shop("monday").value();
  EXPECT_TRUE(run("web", PowerChange::kReset));
  snapshot.id = SnapshotId::generate();
  snapshot.name = "tuesday";
  snapshot.state = SnapshotState::kCreating;
  ASSERT_TRUE(lab_.kept.add_snapshot(snapshot));
  for (const auto change : {PowerChange::kPause, PowerChange::kTurnOff, PowerChange::kShutDown}) {
    EXPECT_EQ(run("web", change).error().code, ErrorCode::kInUse);
  }
  EXPECT_EQ(lab_.hypervisor.power("web"), PowerState::kRunning);
}

TEST_F(ChangePowerTest, KeepsTheFenceUpWhateverIsOrderedMeanwhile) {
  std::vector<ErrorCode> answers;
  lab_.control.before("capture web", [&] {
    for (const auto change : {PowerChange::kResume, PowerChange::kTurnOff}) {
      const auto done = run("database", change);
      answers.push_back(done ? ErrorCode::kInternal : done.error().code);
    }
  });
  const auto snapshot = lab_.take_of_shop("monday");
  ASSERT_TRUE(snapshot) << snapshot.error().describe();
  EXPECT_EQ(answers, (std::vector<ErrorCode>{ErrorCode::kInUse, ErrorCode::kInUse}));
  EXPECT_EQ(lab_.hypervisor.power("database"), PowerState::kRunning);
}

TEST_F(ChangePowerTest, DoesNothingIfItCannotTell) {
  lab_.kept.fail_next("snapshots", make_error(ErrorCode::kIo, "The state cannot be read."));
  EXPECT_EQ(run("web", PowerChange::kTurnOff).error().code, ErrorCode::kIo);
  EXPECT_EQ(lab_.hypervisor.power("web"), PowerState::kRunning);
}

}  // namespace
}  // namespace cohort::service
