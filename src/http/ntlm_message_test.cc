#include "http/ntlm_message.h"

#include <gtest/gtest.h>

namespace cohort::http {
namespace {

using namespace std::string_literals;

std::string message(const std::string& user, char flags, char offset = 64) {
  std::string text = "NTLMSSP\0\x03\0\0\0"s + std::string(24, '\0');
  const char length = static_cast<char>(user.size());
  text += {length, '\0', length, '\0', offset, '\0', '\0', '\0'};
  text += std::string(16, '\0') + flags + "\0\0\0"s;
  return text + user;
}

TEST(NtlmUser, IsFoundInTheLastTokenItselfOrWithinAnother) {
  EXPECT_EQ(ntlm_user(message("A\0n\0n\0"s, 1)), "ann");
  EXPECT_EQ(ntlm_user("spnego" + message("A\0n\0n\0"s, 1)), "ann");
  EXPECT_EQ(ntlm_user(message("Ann", 0)), "ann");
}

TEST(NtlmUser, HasNoCharactersThatCannotBeShown) { EXPECT_EQ(ntlm_user(message("\xE4\0\n\0\x41\x01"s, 1)), "???"); }

TEST(NtlmUser, IsTheSameWhateverStandsBehindAZero) {
  EXPECT_EQ(ntlm_user(message("A\0n\0n\0\0\0x\0"s, 1)), "ann");
  EXPECT_EQ(ntlm_user(message("Ann\0x"s, 0)), "ann");
  std::string longer = message("", 1);
  longer[36] = '\x00';
  longer[37] = '\x10';  // 4096 bytes
  EXPECT_EQ(ntlm_user(longer + "a\0n\0n\0\0\0"s + std::string(5000, 'x')), "ann");
  EXPECT_EQ(ntlm_user(longer + std::string(5000, 'x'))->size(), 256U) << "no name is too long to count";
}

TEST(NtlmUser, IsMissingWhereNoneIsNamed) {
  EXPECT_EQ(ntlm_user(""), std::nullopt);
  EXPECT_EQ(ntlm_user("NTLMSSP\0\x01\0\0\0"s + std::string(80, '\0')), std::nullopt);
  EXPECT_EQ(ntlm_user(message("ann", 0).substr(0, 60)), std::nullopt);
  EXPECT_EQ(ntlm_user(message("ann", 0, 65)), std::nullopt);
  EXPECT_EQ(ntlm_user(message("ann", 0, -1)), std::nullopt);
}

}  // namespace
}  // namespace cohort::http
