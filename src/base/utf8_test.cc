#include "base/utf8.h"

#include <gtest/gtest.h>

namespace cohort {
namespace {

TEST(Utf8, WellFormedTextIsAccepted) {
  for (const char* text : {"", "plain", "ä", "日本", "\xf0\x9f\x92\xbe"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
}

TEST(Utf8, BrokenTextIsRefused) {
  for (const char* text : {"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\x80", "\xe2\x82"}) {
    EXPECT_FALSE(is_utf8(text)) << text;
  }
}

}  // namespace
}  // namespace cohort
