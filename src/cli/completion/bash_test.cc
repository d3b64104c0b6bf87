// Runs the script in bash, over a stand-in for the program.
#include "cli/completion/bash.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/process.h"
#include "base/temporary_folder.h"

namespace cohort::cli {
namespace {

class BashCompletion : public testing::Test {
 protected:
  void SetUp() override { std::ofstream(folder_.path() / "script") << bash_completion(CommandTree()); }

  // What is offered for the last word; `words` as bash splits them.
  std::string complete(const std::string& words) {
    const Path script = folder_.path() / "run";
    std::ofstream(script) << "source '" << (folder_.path() / "script").string() << "'\n"
                          << R"(cohort() {
  case "$*" in
    *"complete COLLECTION") printf '%s\n' shop 'shop two' mail ;;
    *"complete MEMBER") printf '%s\n' db web ;;
    *"complete SNAPSHOT") printf '%s\n' "$*" ;;
  esac
}
)"
                          << "COMP_WORDS=(" << words
                          << ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_cohort\nprintf '%s|' \"${COMPREPLY[@]}\"\n";
    const auto bash = run_process({"bash", script.string()});
    if (!bash) {
      return bash.error().describe();
    }
    EXPECT_EQ(bash->err, "");
    return bash->out;
  }

  TemporaryFolder folder_;
};

TEST_F(BashCompletion, OffersNounsAndVerbs) {
  EXPECT_EQ(complete("cohort ex"), "export|");
  EXPECT_EQ(complete("cohort collection re"), "rename|remove|");
  EXPECT_EQ(complete("cohort --json collection s"), "show|");
}

TEST_F(BashCompletion, OffersOptionsOfTheVerbAndOfTheProgram) {
  EXPECT_EQ(complete("cohort snapshot take x --de"), "--deadline|");
  EXPECT_EQ(complete("cohort snapshot take x --js"), "--json|");
  EXPECT_EQ(complete("cohort vm list --h"), "--help|");
  EXPECT_EQ(complete("cohort --h"), "--help|");
}

TEST_F(BashCompletion, OffersWhatConsistencyThereIs) {
  EXPECT_EQ(complete("cohort backup shop /b --consistency a"), "application|");
}

TEST_F(BashCompletion, OffersNamesAndQuotesThem) {
  EXPECT_EQ(complete("cohort snapshot take sh"), "shop|shop\\ two|");
  EXPECT_EQ(complete("cohort snapshot take shop\\\\\\ t"), "shop\\ two|");
  EXPECT_EQ(complete("cohort collection add shop d"), "db|");
  EXPECT_EQ(complete("cohort collection add shop db w"), "web|");
}

TEST_F(BashCompletion, AsksWithTheStateAndConnectionOfTheLine) {
  EXPECT_EQ(complete("cohort --state /s -c qemu : ///session snapshot show ''"),
            "--state\\ /s\\ -c\\ qemu:///session\\ --quiet\\ complete\\ SNAPSHOT|");
}

TEST_F(BashCompletion, OffersValuesOfOptionsAndFolders) {
  EXPECT_EQ(complete("cohort export x /b --format r"), "raw|");
  EXPECT_EQ(complete("cohort verify /us"), "/usr|");
  EXPECT_EQ(complete("cohort import /b --storage /us"), "/usr|");
  EXPECT_EQ(complete("cohort completion b"), "bash|");
}

}  // namespace
}  // namespace cohort::cli
