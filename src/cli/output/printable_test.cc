#include "cli/output/printable.h"

#include <gtest/gtest.h>

namespace cohort::cli {
namespace {

TEST(DisplayWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(display_width("Büro"), 4U);
  EXPECT_EQ(display_width("数据库"), 6U);
  EXPECT_EQ(display_width("e\xCC\x81"), 1U);  // e and a combining acute accent
}

TEST(Printable, LeavesOrdinaryNamesAlone) { EXPECT_EQ(printable("Büro Nr. 1 数据"), "Büro Nr. 1 数据"); }

TEST(Printable, TakesAwayWhatCommandsATerminal) {
  EXPECT_EQ(printable("a\x1b[2Jb\r\nc\x7f"), "a?[2Jb??c?");
  EXPECT_EQ(printable("a\xC2\x9B"
                      "b"),
            "a?b");  // C1 control sequence introducer
  EXPECT_EQ(printable("a\xE2\x80\xAE"
                      "b"),
            "a?b");  // right-to-left override
}

TEST(Printable, ReplacesEveryByteThatIsNotUtf8) {
  EXPECT_EQ(printable("a\xFF\xC3"), "a??");
  EXPECT_EQ(printable("\xC0\xAF"), "??");            // overlong '/'
  EXPECT_EQ(printable("\xED\xA0\x80"), "???");       // a surrogate
  EXPECT_EQ(printable("\xF4\x90\x80\x80"), "????");  // beyond Unicode
}

TEST(Fit, CutsAtAColumnAndSaysSo) {
  EXPECT_EQ(fit("abcdef", 6), "abcdef");
  EXPECT_EQ(fit("abcdef", 4), "abc…");
  EXPECT_EQ(fit("数据库", 4), "数…");
  EXPECT_EQ(fit("abc", 0), "");
}

TEST(Wrap, BreaksAtSpacesAndKeepsParagraphs) {
  EXPECT_EQ(wrap("one two three\n\nfour", 9, 2), "  one two\n  three\n\n  four\n");
  EXPECT_EQ(wrap("unbreakable", 4, 0), "unbreakable\n");
  EXPECT_EQ(wrap("", 10, 0), "");
}

}  // namespace
}  // namespace cohort::cli
