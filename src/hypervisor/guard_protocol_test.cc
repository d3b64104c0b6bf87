#include "hypervisor/guard_protocol.h"

#include <gtest/gtest.h>

namespace cohort::hypervisor {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

TEST(GuardOrder, IsReadAsItWasWritten) {
  const GuardOrder order{
      "qemu+unix:///system?socket=/run/a b", Milliseconds(2000), {MachineId::generate(), MachineId::generate()}};
  GuardOrderReader reader;
  bool is_complete = false;
  for (const std::string& line : lines_of(format_order(order))) {
    EXPECT_FALSE(is_complete);
    is_complete = reader.take(line).value();
  }
  EXPECT_TRUE(is_complete);
  EXPECT_EQ(reader.order().uri, order.uri);
  EXPECT_EQ(reader.order().deadline, order.deadline);
  EXPECT_EQ(reader.order().machines, order.machines);
}

TEST(GuardOrder, RefusesWhatItDoesNotKnow) {
  for (const char* line : {"", "arm", "raise", "machine 5", "deadline 0", "deadline -1", "deadline 5s", "deadline"}) {
    EXPECT_FALSE(GuardOrderReader().take(line)) << line;
  }
}

TEST(GuardFailure, KeepsItsCodeAndStaysOnOneLine) {
  const Error error{ErrorCode::kNotFound, "No such machine.", "line one\nline two", {}};
  const std::string text = format_failure(error);
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  const Error read = parse_failure(lines_of(text).front());
  EXPECT_EQ(read.code, ErrorCode::kNotFound);
  EXPECT_NE(read.message.find("No such machine."), std::string::npos);
  EXPECT_EQ(parse_failure("hello").code, ErrorCode::kInternal);
}

}  // namespace
}  // namespace cohort::hypervisor
