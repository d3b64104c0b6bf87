#include "http/base64.h"

#include <gtest/gtest.h>

namespace cohort::http {
namespace {

// RFC 4648, section 10.
TEST(Base64Test, WritesAndReads) {
  for (const auto& [bytes, text] : {std::pair<std::string, std::string>("", ""),
                                    {"f", "Zg=="},
                                    {"fo", "Zm8="},
                                    {"foo", "Zm9v"},
                                    {"foobar", "Zm9vYmFy"},
                                    {std::string("\0\xFF\xFE", 3), "AP/+"}}) {
    EXPECT_EQ(to_base64(bytes), text);
    EXPECT_EQ(from_base64(text), bytes);
  }
}

TEST(Base64Test, RefusesWhatIsNone) {
  for (const auto* text : {"Z", "Zg", "Zg=", "Zg===", "Z===", "Zm9v\n", " Zm9", "Zm9-", "=Zm9", "Zg==Zg=="}) {
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace cohort::http
