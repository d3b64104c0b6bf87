#include "http/sealed_multipart.h"

#include <gtest/gtest.h>

namespace cohort::http {
namespace {

using namespace std::string_literals;

constexpr std::string_view kSpnego =
    "multipart/encrypted;protocol=\"application/HTTP-SPNEGO-session-encrypted\";boundary=\"Encrypted Boundary\"";

// As clients send it: with what is sealed before the boundary, without a line's end between them.
std::string body(const std::string& tab, const std::string& token, const std::string& length = "4",
                 const std::string& end = "--Encrypted Boundary--\r\n") {
  return "--Encrypted Boundary\r\n" + tab + "Content-Type: application/HTTP-SPNEGO-session-encrypted\r\n" + tab +
         "OriginalContent: type=application/soap+xml;charset=UTF-8;Length=" + length + "\r\n--Encrypted Boundary\r\n" +
         tab + "Content-Type: application/octet-stream\r\n" + token + end;
}

TEST(SealedMultipart, IsToldByItsType) {
  EXPECT_TRUE(is_sealed(kSpnego));
  EXPECT_TRUE(is_sealed("Multipart/Encrypted"));
  EXPECT_TRUE(is_sealed("multipart/x-multi-encrypted;protocol=\"x\""));
  EXPECT_FALSE(is_sealed("application/soap+xml"));
  EXPECT_FALSE(is_sealed(""));
}

TEST(SealedMultipart, IsReadWithAndWithoutTabs) {
  for (const std::string tab : {"\t", ""}) {
    const std::string text = body(tab, "\x02\0\0\0HHdata"s);
    const auto read = read_sealed(kSpnego, text);
    ASSERT_TRUE(read) << read.error().describe();
    EXPECT_EQ(read->form.has_tabs, !tab.empty());
    EXPECT_EQ(read->form.protocol, "application/HTTP-SPNEGO-session-encrypted");
    ASSERT_EQ(read->parts.size(), 1U);
    EXPECT_EQ(read->parts[0].token, "HHdata");
    EXPECT_EQ(read->parts[0].content_type, "application/soap+xml;charset=UTF-8");
  }
}

TEST(SealedMultipart, WhatIsSealedMayContainTheBoundary) {
  const std::string data = "--Encrypted Boundary--\r\n--Encrypted Boundary\r\n";
  const std::string text = body("\t", "\x01\0\0\0H"s + data + "padding", std::to_string(data.size()));
  const auto read = read_sealed(kSpnego, text);
  ASSERT_TRUE(read) << read.error().describe();
  EXPECT_EQ(read->parts.at(0).token, "H" + data + "padding");
}

TEST(SealedMultipart, HasSeveralPartsAndAnyEnd) {
  const std::string text =
      body("\t", "\x01\0\0\0Hone!"s, "4", "") + body("\t", "\x01\0\0\0Htwo!"s, "4", "--Encrypted Boundary\r\n");
  const auto read = read_sealed(kSpnego, text);
  ASSERT_TRUE(read) << read.error().describe();
  ASSERT_EQ(read->parts.size(), 2U);
  EXPECT_EQ(read->parts[1].token, "Htwo!");
}

TEST(SealedMultipart, IsWrittenAsItIsRead) {
  for (const bool has_tabs : {true, false}) {
    const SealedForm form{"application/HTTP-Kerberos-session-encrypted", has_tabs};
    const std::string text = write_sealed_part(form, "application/xml; charset=\"utf-8\"", 4, {"header", "data"}) +
                             write_sealed_part(form, "text/plain", 0, {std::string(300, 'h'), ""}) +
                             std::string(sealed_end());
    const auto read = read_sealed(sealed_content_type(form), text);
    ASSERT_TRUE(read) << read.error().describe();
    EXPECT_EQ(read->form.has_tabs, has_tabs);
    EXPECT_EQ(read->form.protocol, form.protocol);
    ASSERT_EQ(read->parts.size(), 2U);
    EXPECT_EQ(read->parts[0].content_type, "application/xml; charset=\"utf-8\"");
    EXPECT_EQ(read->parts[0].token, "headerdata");
    EXPECT_EQ(read->parts[1].token, std::string(300, 'h'));
  }
}

TEST(SealedMultipart, RefusesWhatIsNone) {
  const std::string good = body("\t", "\x02\0\0\0HHdata"s);
  for (std::size_t length = 0; length < good.size() - std::string("--\r\n").size(); ++length) {
    EXPECT_FALSE(read_sealed(kSpnego, good.substr(0, length))) << length;
  }
  EXPECT_FALSE(read_sealed(kSpnego, good + "more"));
  EXPECT_FALSE(read_sealed(kSpnego, body("\t", "\xFF\xFF\xFF\xFFHHdata"s)));
  EXPECT_FALSE(read_sealed(kSpnego, body("\t", "\x02\0\0\0HHdata"s, "99999999999999999999999")));
  EXPECT_FALSE(read_sealed(kSpnego, body("\t", "\x02\0\0\0HHdata"s, "18446744073709551615")));
  EXPECT_FALSE(read_sealed(kSpnego, body("\t", "\x02\0\0\0HHdata"s, "-1")));
}

TEST(SealedMultipart, RefusesOtherProtocols) {
  const auto read = read_sealed("multipart/encrypted;protocol=\"application/HTTP-CredSSP-session-encrypted\"",
                                body("\t", "\x02\0\0\0HHdata"s));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(read_sealed("multipart/encrypted", "").error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace cohort::http
