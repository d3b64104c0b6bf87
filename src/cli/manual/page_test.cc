#include "cli/manual/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/process.h"
#include "base/temporary_folder.h"
#include "cli/manual/roff.h"

namespace cohort::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(RoffLine, EscapesWhatRoffReadsAsItsOwn) {
  EXPECT_EQ(roff_line(".TH"), "\\&.TH");
  EXPECT_EQ(roff_line("'br"), "\\&\\(aqbr");
  EXPECT_EQ(roff_line("--json \\n \"x\""), "\\-\\-json \\en \\(dqx\\(dq");
}

TEST(RoffParagraphs, SeparatesThemByMacros) { EXPECT_EQ(roff_paragraphs("one\n\ntwo"), "one\n.PP\ntwo\n"); }

TEST(ManualPage, OfTheProgramListsCommandsOptionsAndExitCodes) {
  const CommandTree tree;
  EXPECT_THAT(manual_page(tree, tree.root()),
              AllOf(HasSubstr(".BR cohort\\-collection (1)"), HasSubstr("\\-\\-connect"), HasSubstr(".SH EXIT STATUS"),
                    HasSubstr(".B 130"), HasSubstr("ctrl\\-C"), HasSubstr("/var/lib/cohort")));
}

TEST(ManualPage, OfANounHoldsItsVerbs) {
  const CommandTree tree;
  const CLI::App* noun = tree.root().get_subcommand("collection");
  EXPECT_THAT(manual_page(tree, *noun),
              AllOf(HasSubstr(".SS cohort collection create NAME [MACHINE...]"), HasSubstr("\\-\\-of\\-collections")));
}

// groff says what is wrong with a page on standard error.
void expect_no_warnings(const CommandTree& tree, const CLI::App& app) {
  const TemporaryFolder folder;
  const Path file = folder.path() / "page.1";
  std::ofstream(file) << manual_page(tree, app);
  const auto groff = run_process({"groff", "-man", "-ww", "-Tutf8", "-z", file.string()});
  if (!groff) {
    GTEST_SKIP() << "SKIP groff is not there: " << groff.error().describe();
  }
  EXPECT_EQ(groff->exit_status, 0);
  EXPECT_EQ(groff->err, "") << command_path(app);
  for (const CLI::App* child : tree.children(app)) {
    expect_no_warnings(tree, *child);
  }
}

TEST(ManualPage, GroffHasNothingToSayAboutAnyPage) {
  const CommandTree tree;
  expect_no_warnings(tree, tree.root());
}

// The manual and the help come from one text; it has to be there.
void expect_documented(const CommandTree& tree, const CLI::App& app) {
  const Manual& manual = tree.manual(app);
  EXPECT_FALSE(manual.summary.empty() || manual.description.empty()) << command_path(app);
  for (const CLI::Option* option : app.get_options()) {
    EXPECT_FALSE(option->get_description().empty()) << command_path(app) << " " << option->get_name();
  }
  for (const CLI::App* child : tree.children(app)) {
    expect_documented(tree, *child);
  }
}

TEST(ManualPage, EveryCommandAndOptionIsDescribed) {
  const CommandTree tree;
  expect_documented(tree, tree.root());
}

}  // namespace
}  // namespace cohort::cli
