#include "codec/xml/node.h"

#include <gtest/gtest.h>

#include <chrono>

#include "codec/xml/utf16.h"
#include "codec/xml/writer.h"

namespace cohort::codec::xml {
namespace {

std::string utf16(std::string_view text, bool is_little) {
  std::string bytes;
  for (const char c : text) bytes += is_little ? std::string{c, '\0'} : std::string{'\0', c};
  return bytes;
}

TEST(Node, HasNamesNamespacesAttributesAndText) {
  const auto root =
      parse(R"(<?xml version="1.0"?><a:r xmlns:a="urn:a" b="1 &amp; 2"><a:c/>t<c><![CDATA[<x>]]></c>&#65;</a:r>)");
  ASSERT_TRUE(root) << root.error().message;
  EXPECT_TRUE(root->is("urn:a", "r"));
  EXPECT_EQ(root->attribute_or("b", ""), "1 & 2");
  EXPECT_EQ(root->text, "tA");
  ASSERT_EQ(root->children.size(), 2U);
  EXPECT_EQ(root->child("", "c")->text, "<x>");
  EXPECT_EQ(root->child("c")->namespace_uri, "urn:a");
  EXPECT_EQ(root->child("d"), nullptr);
}

TEST(Node, ReadsUtf16) {
  constexpr std::string_view kText = "<?xml version=\"1.0\" encoding=\"utf-16\"?><r a='x'>t</r>";
  EXPECT_EQ(parse("\xff\xfe" + utf16(kText, true))->text, "t");
  EXPECT_EQ(parse("\xfe\xff" + utf16(kText, false))->text, "t");
  EXPECT_EQ(parse(utf16(kText, true), "UTF-16")->text, "t");
  EXPECT_EQ(parse(kText, "utf-16")->text, "t");
  EXPECT_EQ(parse(std::string_view("<\0r\0>\0=\xd8\x00\xde<\0/\0r\0>\0", 18))->text, "\xf0\x9f\x98\x80");
  EXPECT_FALSE(parse(std::string_view("<\0r\0>\0=\xd8<\0/\0r\0>\0", 16)));
}

TEST(Node, Utf16IsWrittenAsItIsRead) {
  const std::string text = "<r>a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80</r>";
  const std::string wide = to_utf16(text);
  EXPECT_EQ(wide.substr(0, 4), std::string("\xff\xfe<\0", 4));
  EXPECT_TRUE(is_utf16(wide, ""));
  EXPECT_FALSE(is_utf16(text, "utf-16")) << "there are clients that say so";
  EXPECT_EQ(*to_utf8(wide, ""), text);
}

TEST(Node, RefusesWhatIsDangerousOrWrong) {
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "<a>";
  std::string attributes = "<r";
  for (int i = 0; i < 100; ++i) attributes += " a" + std::to_string(i) + "='1'";
  std::string wide = "<r>";
  for (std::size_t i = 0; i <= kMaxElements; ++i) wide += "<a/>";
  for (const std::string& text :
       {std::string(), std::string("x"), std::string("<r>"), std::string("<r/><r/>"), std::string("<r>&unknown;</r>"),
        std::string("<!DOCTYPE r SYSTEM \"http://example.com/x\"><r/>"),
        std::string("<!DOCTYPE r [<!ENTITY a \"b\">]><r>&a;</r>"), std::string("<r>\xff</r>"), deep, attributes + "/>",
        wide + "</r>", std::string("<x:r/>"), std::string(kMaxBytes + 1, ' ')}) {
    EXPECT_FALSE(parse(text)) << text.substr(0, 60);
  }
}

// Each was a request that held a worker for minutes, or took all of the memory.
TEST(Node, RefusesAtOnceWhatWouldTakeLong) {
  std::string attributes = "<r", namespaces = "<r", elements;
  for (int i = 0; i < 300'000; ++i) attributes += " a" + std::to_string(i) + "=''";
  for (int i = 0; i < 200'000; ++i) namespaces += " xmlns:a" + std::to_string(i) + "='u'";
  for (int i = 0; i < 50'000; ++i) elements += "<a/>";
  const std::string long_name = "<r xmlns='urn:" + std::string(6000, 'x') + "'>" + elements + "</r>";
  // In UTF-16 twice: letters look like the begin of a comment where it has been decoded once.
  std::string twice = "<?xml version='1.0'?><q>\u213c\u2d2d<r";
  for (int i = 0; i < 100'000; ++i) twice += " a" + std::to_string(i) + "=''";
  const std::string encoded = to_utf16(to_utf16(twice).substr(2));
  // Each attribute's prefix is looked for among thousands.
  std::string nested;
  for (int depth = 0; depth < 60; ++depth) {
    nested += "<r";
    for (int i = 0; i < 400; ++i) nested += " xmlns:p" + std::to_string(depth) + "x" + std::to_string(i) + "='u'";
    nested += ">";
  }
  for (int depth = 0; depth < 60; ++depth) nested += "</r>";
  for (const std::string& text : {attributes + "/>", namespaces + "/>", attributes, long_name, encoded, nested}) {
    const auto began = std::chrono::steady_clock::now();
    EXPECT_FALSE(parse(text)) << text.substr(0, 60);
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(2)) << text.substr(0, 60);
  }
}

TEST(Node, OnlyTagsHaveToBeShort) {
  const std::string filling(3 * kMaxTagBytes, 'x');
  const std::string odd = "<a b=\"c'>" + filling;
  for (const std::string& text :
       {"<r>" + filling + "</r>", "<r><![CDATA[" + odd + "]]></r>", "<r><!--" + odd + "--></r>",
        "<?p " + odd + "?><r/>", "<r a='>\"' b=\">'\">" + filling + "</r>", "<!-->" + odd + "--><r/>"}) {
    EXPECT_TRUE(parse(text)) << text.substr(0, 60);
  }
}

TEST(Writer, EscapesWhatXmlCannotHave) {
  Writer writer;
  writer.open("a").attribute("b", "1<\"2\"").open("c").close().text("x & y\r\x01\xff").close();
  EXPECT_EQ(writer.take(), "<a b=\"1&lt;&quot;2&quot;\"><c></c>x &amp; y&#13;\xef\xbf\xbd\xef\xbf\xbd</a>");
}

TEST(Writer, WhatItWritesIsReadAgain) {
  const std::string text = "a<>&\"'\t\n\r \xe2\x82\xac";
  Writer writer;
  writer.open("a").attribute("b", text).text(text).close();
  const auto root = parse(writer.take());
  ASSERT_TRUE(root);
  EXPECT_EQ(root->text, text);
  EXPECT_EQ(root->attribute_or("b", ""), text);
}

}  // namespace
}  // namespace cohort::codec::xml
