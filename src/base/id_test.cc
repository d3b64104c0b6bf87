#include "base/id.h"

#include <gtest/gtest.h>

namespace cohort {
namespace {

TEST(Uuid, GeneratedOnesDifferAndAreReadBack) {
  const Uuid one = Uuid::generate();
  EXPECT_NE(one, Uuid::generate());
  EXPECT_EQ(Uuid::parse(one.str()).value(), one);
  EXPECT_EQ(one.str()[14], '4');
}

TEST(Uuid, UpperCaseIsAccepted) {
  EXPECT_EQ(Uuid::parse("C7A5FDBD-EDAF-9455-926A-D65C16DB1809").value().str(), "c7a5fdbd-edaf-9455-926a-d65c16db1809");
}

TEST(Uuid, OtherTextIsRefused) {
  for (const char* text :
       {"", "c7a5fdbd", "c7a5fdbd-edaf-9455-926a-d65c16db180", "c7a5fdbd-edaf-9455-926a-d65c16db18099",
        "c7a5fdbd+edaf-9455-926a-d65c16db1809", "g7a5fdbd-edaf-9455-926a-d65c16db1809"}) {
    EXPECT_EQ(Uuid::parse(text).error().code, ErrorCode::kInvalidArgument) << text;
  }
}

TEST(Uuid, ShortFormIsTheBeginning) {
  EXPECT_EQ(Uuid::parse("c7a5fdbd-edaf-9455-926a-d65c16db1809").value().short_str(), "c7a5fdbd");
}

}  // namespace
}  // namespace cohort
