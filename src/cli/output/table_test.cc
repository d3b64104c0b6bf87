#include "cli/output/table.h"

#include <gtest/gtest.h>

namespace cohort::cli {
namespace {

TEST(Table, AlignsByWhatTheReaderSees) {
  Table table({{"NAME"}, {"SIZE", Align::kRight}, {"STATE"}});
  table.add({"Büro", "5", "off"});
  table.add({"数据库", "1000", "running"});
  EXPECT_EQ(table.str(),
            "NAME    SIZE  STATE\n"
            "Büro       5  off\n"
            "数据库  1000  running\n");
}

TEST(Table, LeavesNoBlanksAtTheEndOfALine) {
  Table table({{"A"}, {"B"}});
  table.add({"long cell", ""});
  EXPECT_EQ(table.str(), "A          B\nlong cell\n");
}

TEST(Table, ACellCannotBreakTheLine) {
  Table table({{"A"}});
  table.add({"x\ny\x1b[31m"});
  EXPECT_EQ(table.str(), "A\nx?y?[31m\n");
}

TEST(Sheet, PutsValuesBelowEachOther) {
  Sheet sheet;
  sheet.add("Id", "1");
  sheet.add("Collection", "shop");
  EXPECT_EQ(sheet.str(), "Id:          1\nCollection:  shop\n");
}

}  // namespace
}  // namespace cohort::cli
