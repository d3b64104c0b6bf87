#include "hypervisor/guest_agent_reply.h"

#include <gtest/gtest.h>

namespace cohort::hypervisor {
namespace {

using namespace std::string_literals;

TEST(GuestAgentReply, TellsWhetherFileSystemsAreFrozen) {
  EXPECT_TRUE(frozen_in(R"({"return":"frozen"})").value());
  EXPECT_FALSE(frozen_in(R"({"return":"thawed"})").value());
}

TEST(GuestAgentReply, TellsHowManyFileSystems) { EXPECT_EQ(number_in(R"({"return":3})").value(), 3); }

TEST(GuestAgentReply, IsRefusedWhereItIsOfAnotherForm) {
  for (const char* reply : {"", "{", "[]", "{}", "7", R"({"return":{}})", R"({"return":null})", R"({"return":1.5})",
                            R"({"return":"melted"})", R"({"return":{"buf-b64":7}})", R"({"error":{}})"}) {
    EXPECT_EQ(frozen_in(reply).error().code, ErrorCode::kUnsupported) << reply;
    EXPECT_EQ(number_in(reply).error().code, ErrorCode::kUnsupported) << reply;
    EXPECT_EQ(content_in(reply).error().code, ErrorCode::kUnsupported) << reply;
    EXPECT_FALSE(is_windows(reply)) << reply;
  }
}

TEST(GuestAgentReply, HasTheContentOfFiles) {
  const auto content = [](const std::string& base64) {
    return content_in(R"({"return":{"count":1,"buf-b64":")" + base64 + R"(","eof":true}})").value();
  };
  EXPECT_EQ(content(""), "");
  EXPECT_EQ(content("YQ=="), "a");
  EXPECT_EQ(content("YWI="), "ab");
  EXPECT_EQ(content("YWIA"), "ab\0"s);
  EXPECT_EQ(content("/+8A"), "\xff\xef\0"s);
  EXPECT_EQ(content("YQ!!!!"), "a");
}

TEST(GuestAgentReply, TellsWindowsByItsId) {
  EXPECT_TRUE(is_windows(R"({"return":{"id":"mswindows","name":"Microsoft Windows"}})"));
  EXPECT_FALSE(is_windows(R"({"return":{"id":"debian"}})"));
  EXPECT_FALSE(is_windows(R"({"return":{"id":5}})"));
}

TEST(CommandLineOfAnAgent, NamesAFreezeHookOrNone) {
  EXPECT_TRUE(names_freeze_hook("/usr/sbin/qemu-ga\0-F\0"s));
  EXPECT_TRUE(names_freeze_hook("qemu-ga\0-m\0virtio-serial\0-F/etc/hook"s));
  EXPECT_TRUE(names_freeze_hook("qemu-ga\0--fsfreeze-hook=/etc/hook\0"s));
  EXPECT_FALSE(names_freeze_hook("qemu-ga\0-f\0/run/F\0-p\0/dev/x-F\0"s));
  EXPECT_FALSE(names_freeze_hook(""));
}

}  // namespace
}  // namespace cohort::hypervisor
