#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/testing/program.h"

namespace cohort::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class OtherVerbs : public testing::Test {
 protected:
  Program program;
  SessionRecord& session = program.session;
};

TEST_F(OtherVerbs, VmListShowsEveryMachine) {
  EXPECT_EQ(program.run({"vm", "list"}), 0);
  EXPECT_THAT(program.out(), HasSubstr("Büro Nr. 1  off      yes"));
}

TEST_F(OtherVerbs, HostCheckSucceedsWithWarnings) {
  EXPECT_EQ(program.run({"host", "check"}), 0);
  EXPECT_THAT(program.out(), HasSubstr("This host can be used."));
}

TEST_F(OtherVerbs, HostCheckExitsWith7WhenSomethingIsBad) {
  session.host_report.items.push_back({"tool:qemu-img", service::Finding::kBad, "Install qemu-utils."});
  EXPECT_EQ(program.run({"host", "check"}), 7);
  EXPECT_THAT(program.out(), HasSubstr("Install qemu-utils."));
}

TEST_F(OtherVerbs, HostDoctorSaysWhatIsAmissAndExitsWith5) {
  EXPECT_EQ(program.run({"host", "doctor", "--mend", "paused_machine:web", "--folder", "/backup/"}), 5);
  EXPECT_THAT(program.out(),
              HasSubstr("paused_machine:db\n  The machine \"db\" stands still.\n  --mend: Lets it run."));
  EXPECT_THAT(program.out(), HasSubstr("was removed.\n"));
  EXPECT_THAT(session.doctor_request.mend, ElementsAre("paused_machine:web"));
  EXPECT_THAT(session.doctor_request.folders, ElementsAre("/backup"));
}

TEST_F(OtherVerbs, HostDoctorSucceedsWhereNothingIsAmiss) {
  session.doctor_report = {};
  EXPECT_EQ(program.run({"host", "doctor"}), 0);
  EXPECT_EQ(program.out(), "Nothing is amiss.\n");
}

TEST_F(OtherVerbs, CompleteGivesOneNameALine) {
  EXPECT_EQ(program.run({"complete", "COLLECTION"}), 0);
  EXPECT_EQ(program.out(), "shop\nsite\n");
  EXPECT_EQ(program.run({"complete", "MEMBER"}), 0);
  EXPECT_EQ(program.out(), "db\nBüro Nr. 1\nshop\nsite\n");
  EXPECT_EQ(program.run({"complete", "SNAPSHOT"}), 0);
  EXPECT_EQ(program.out(), "before-upgrade\n");
  EXPECT_EQ(program.run({"complete", "JOB"}), 0);
  EXPECT_EQ(program.run({"complete", "SOMETHING"}), 2);
}

TEST_F(OtherVerbs, CompletionKnowsBashOnlyAndOpensNothing) {
  EXPECT_EQ(program.run({"completion", "bash"}), 0);
  EXPECT_THAT(program.out(), HasSubstr("complete -F _cohort cohort"));
  EXPECT_EQ(program.run({"completion", "fish"}), 2);
  EXPECT_EQ(program.opened, 0);
}

TEST_F(OtherVerbs, HelpIsThatOfTheCommand) {
  EXPECT_EQ(program.run({"snapshot", "take", "--help"}), 0);
  const std::string help = program.out();
  EXPECT_THAT(help, HasSubstr("Usage: cohort snapshot take COLLECTION [OPTIONS]"));
  EXPECT_EQ(program.run({"help", "snapshot", "take"}), 0);
  EXPECT_EQ(program.out(), help);
  EXPECT_EQ(program.run({"help", "snapshot", "paint"}), 3);
}

TEST_F(OtherVerbs, HelpPrintsManualPages) {
  EXPECT_EQ(program.run({"help", "--man", "export"}), 0);
  EXPECT_THAT(program.out(), StartsWith(".TH COHORT\\-EXPORT 1"));
}

}  // namespace
}  // namespace cohort::cli
