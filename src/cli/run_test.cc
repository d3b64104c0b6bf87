#include "cli/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/testing/examples.h"
#include "cli/testing/program.h"

namespace cohort::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class Run : public testing::Test {
 protected:
  Program program;
  SessionRecord& session = program.session;
};

TEST_F(Run, VersionAndHelpOpenNothing) {
  EXPECT_EQ(program.run({"--version"}), 0);
  EXPECT_EQ(program.out(), "cohort " COHORT_VERSION "\n");
  EXPECT_EQ(program.run({"--help"}), 0);
  EXPECT_THAT(program.out(), AllOf(HasSubstr("Usage: cohort COMMAND [OPTIONS]"), HasSubstr("collection"),
                                   testing::Not(HasSubstr("complete "))));
  EXPECT_EQ(program.opened, 0);
}

TEST_F(Run, GlobalOptionsStandAnywhere) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--state", "/s", "-c", "test:///default", "vm", "list"},
        {"vm", "--state", "/s", "list", "-c", "test:///default"},
        {"vm", "list", "--state=/s", "--connect=test:///default"}}) {
    EXPECT_EQ(program.run(arguments), 0);
    EXPECT_EQ(program.opened_with.state, "/s");
    EXPECT_EQ(program.opened_with.uri, "test:///default");
    program.opened_with = {};
  }
}

TEST_F(Run, DefaultIsTheSystemsHypervisor) {
  EXPECT_EQ(program.run({"vm", "list"}), 0);
  EXPECT_EQ(program.opened_with.uri, "qemu:///system");
  EXPECT_EQ(program.opened_with.state, "");
}

TEST_F(Run, UsageErrorsExitWith2AndTellWhereTheHelpIs) {
  EXPECT_EQ(program.run({}), 2);
  EXPECT_THAT(program.err(), HasSubstr("See: cohort --help"));
  EXPECT_EQ(program.run({"vm"}), 2);
  EXPECT_THAT(program.err(), HasSubstr("See: cohort vm --help"));
  EXPECT_EQ(program.run({"vm", "list", "--colour"}), 2);
  EXPECT_THAT(program.err(), HasSubstr("--colour"));
  EXPECT_EQ(program.run({"vm", "list", "extra"}), 2);
  EXPECT_EQ(program.run({"paint"}), 2);
  EXPECT_EQ(program.err(), "cohort: \"paint\" is no command or option of cohort. See: cohort --help\n");
  EXPECT_EQ(program.opened, 0);
}

TEST_F(Run, FailureGoesToStandardErrorWithItsExitCode) {
  session.failure = Error{ErrorCode::kNotFound, "There is no collection \"x\".", "", {}};
  EXPECT_EQ(program.run({"collection", "show", "x"}), 3);
  EXPECT_EQ(program.out(), "");
  EXPECT_EQ(program.err(), "cohort: There is no collection \"x\".\n");
}

TEST_F(Run, FailureIsADocumentWithJson) {
  session.failure = Error{ErrorCode::kNoSpace, "Full.", "ENOSPC", {"copying"}};
  EXPECT_EQ(program.run({"backup", "shop", "/b", "--json"}), 10);
  EXPECT_EQ(
      program.json(),
      (Json{{"error", {{"code", "no_space"}, {"message", "Full."}, {"cause", "ENOSPC"}, {"context", {"copying"}}}}}));
  EXPECT_EQ(program.err(), "");
}

TEST_F(Run, UsageErrorsAreDocumentsToo) {
  EXPECT_EQ(program.run({"--json", "vm"}), 2);
  EXPECT_EQ(program.json().at("error").at("code"), "invalid_argument");
  EXPECT_EQ(program.run({"vm", "list", "--colour", "--json"}), 2);
  EXPECT_EQ(program.json().at("error").at("code"), "invalid_argument");
}

TEST_F(Run, QuietLeavesOutNoticesButNotAnswersAndErrors) {
  EXPECT_EQ(program.run({"-q", "snapshot", "take", "shop"}), 0);
  EXPECT_EQ(program.out() + program.err(), "");
  EXPECT_EQ(program.run({"vm", "list", "-q"}), 0);
  EXPECT_THAT(program.out(), HasSubstr("db"));
  session.failure = Error{ErrorCode::kIo, "Broken.", "", {}};
  EXPECT_EQ(program.run({"vm", "list", "-q"}), 11);
  EXPECT_THAT(program.err(), HasSubstr("Broken."));
}

TEST_F(Run, VerboseShowsTheContextOfAnError) {
  session.failure = Error{ErrorCode::kIo, "Broken.", "", {"reading the list"}};
  EXPECT_EQ(program.run({"vm", "list", "-v"}), 11);
  EXPECT_THAT(program.err(), HasSubstr("while reading the list"));
}

TEST_F(Run, RecoveryIsReported) {
  session.recovery_report = {{"Resumed the machine \"db\"."}, {"Remove /x yourself."}};
  EXPECT_EQ(program.run({"collection", "delete", "shop"}), 0);
  EXPECT_THAT(program.err(), AllOf(HasSubstr("recovered: Resumed the machine"), HasSubstr("Remove /x yourself.")));
  EXPECT_EQ(program.run({"collection", "delete", "shop", "--json"}), 0);
  EXPECT_EQ(program.json().at("recovery").at("failures").at(0), "Remove /x yourself.");
  session.failure = Error{ErrorCode::kIo, "Broken.", "", {}};
  EXPECT_EQ(program.run({"collection", "delete", "shop", "--json"}), 11);
  EXPECT_TRUE(program.json().contains("recovery"));
}

TEST_F(Run, InterruptCancelsTheJobAndEndsWith130) {
  session.on_job = [this](const client::JobWatch& watch) {
    EXPECT_FALSE(watch.stop.stop_requested());
    EXPECT_TRUE(program.cancellation.interrupt());
    EXPECT_TRUE(watch.stop.stop_requested());
    watch.on_update(example_job());
    EXPECT_TRUE(program.cancellation.interrupt());
    session.failure = Error{ErrorCode::kCancelled, "The export was cancelled; nothing is left of it.", "", {}};
  };
  EXPECT_EQ(program.run({"export", "x", "/b"}), 130);
  EXPECT_THAT(program.err(), AllOf(HasSubstr("Cancelling"), HasSubstr("the job is at \"copying disks\""),
                                   HasSubstr("nothing is left of it")));
  EXPECT_FALSE(program.cancellation.interrupt());
}

TEST_F(Run, EveryLongOperationCanBeInterrupted) {
  int jobs = 0;
  session.on_job = [&](const client::JobWatch& watch) {
    jobs += program.cancellation.interrupt() && watch.stop.stop_requested() ? 1 : 0;
  };
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"snapshot", "take", "x"},
                                                    {"snapshot", "delete", "x"},
                                                    {"export", "x", "/b"},
                                                    {"verify", "/b"},
                                                    {"import", "/b"},
                                                    {"backup", "x", "/b"}}) {
    program.run(arguments);
  }
  EXPECT_EQ(jobs, 6);
}

TEST_F(Run, OutputThatCannotBeWrittenIsAnError) {
  std::ostringstream out;
  std::ostringstream err;
  out.setstate(std::ios::badbit);
  Surroundings surroundings{{out, err}, {}, program.cancellation, program.clock, {}};
  EXPECT_EQ(run({"--version"}, surroundings), 11);
  EXPECT_THAT(err.str(), HasSubstr("could not be written"));
}

TEST_F(Run, ExceptionIsADefectWithItsOwnStatus) {
  session.on_job = [](const client::JobWatch&) { throw std::runtime_error("thrown"); };
  EXPECT_EQ(program.run({"verify", "/b"}), 1);
  EXPECT_THAT(program.err(), HasSubstr("defect"));
}

}  // namespace
}  // namespace cohort::cli
