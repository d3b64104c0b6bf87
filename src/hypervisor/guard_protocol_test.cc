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

GuardOrder read(const GuardOrder& order) {
  GuardOrderReader reader;
  bool is_complete = false;
  for (const std::string& line : lines_of(format_order(order))) {
    EXPECT_FALSE(is_complete);
    is_complete = reader.take(line).value();
  }
  EXPECT_TRUE(is_complete);
  return reader.order();
}

TEST(GuardOrder, IsReadAsItWasWritten) {
  const MachineId one = MachineId::generate();
  const GuardOrder order{"qemu+unix:///system?socket=/run/a b",
                         {{one, MachineId::generate()}, Milliseconds(2000), {one}, Milliseconds(12'000), true}};
  const GuardOrder got = read(order);
  EXPECT_EQ(got.uri, order.uri);
  EXPECT_EQ(got.fence.deadline, order.fence.deadline);
  EXPECT_EQ(got.fence.machines, order.fence.machines);
  EXPECT_EQ(got.fence.freezing, order.fence.freezing);
  EXPECT_EQ(got.fence.longest_freeze, order.fence.longest_freeze);
  EXPECT_TRUE(got.fence.saves_memory);
}

TEST(GuardOrder, NeedsNoFreeze) {
  EXPECT_TRUE(read({"x", {{MachineId::generate()}, Milliseconds(1), {}, Milliseconds(5)}}).fence.freezing.empty());
}

TEST(GuardOrder, IsNotCompleteWithAFreezeThatHasNoEnd) {
  GuardOrderReader reader;
  ASSERT_TRUE(reader.take("deadline 5"));
  ASSERT_TRUE(reader.take("freezing " + MachineId::generate().str()));
  EXPECT_FALSE(reader.take("arm"));
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
