#include "http/negotiator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/testing/fake_security.h"
#include "http/testing/manual_clock.h"

namespace cohort::http {
namespace {

using namespace std::string_literals;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

// The last token of an NTLM exchange of that user, which the fake refuses.
std::string ntlm_token(const std::string& user) {
  const char length = static_cast<char>(user.size());
  std::string text = "NTLMSSP\0\x03\0\0\0"s + std::string(24, '\0');
  text += {length, '\0', length, '\0', 64, '\0', '\0', '\0'};
  return text + std::string(20, '\0') + user;
}

class NegotiatorTest : public testing::Test {
 protected:
  std::optional<Role> role_of(std::string_view name) {
    if (name == "ann@EXAMPLE") return role;
    return std::nullopt;
  }

  bool has_expired = false;
  std::optional<Role> role = Role::kOperator;
  std::vector<std::string> refused;
  ManualClock clock;
  Negotiator negotiator{std::make_unique<FakeSecurity>(has_expired),
                        {[this](std::string_view name) { return role_of(name); },
                         [this](const Peer& client, std::string_view name, const std::string& why) {
                           refused.push_back(client.address + " " + std::string(name) + ": " + why);
                         }},
                        clock,
                        {2, seconds(60), 100},
                        {3, seconds(30)}};
  const Peer peer{"192.0.2.1", 1};
};

TEST_F(NegotiatorTest, GivesTheRoleOfAUser) {
  const auto negotiation = negotiator.begin(peer);
  const auto first = negotiation->accept("one more");
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->is_complete);
  EXPECT_EQ(first->token, "go on");
  const auto second = negotiation->accept("user ann@EXAMPLE");
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->is_complete);
  ASSERT_TRUE(negotiation->identity());
  EXPECT_EQ(negotiation->identity()->name(), "ann@EXAMPLE");
  EXPECT_EQ(negotiation->identity()->role(), Role::kOperator);
}

TEST_F(NegotiatorTest, LetsInNobodyWhoIsNoUser) {
  EXPECT_FALSE(negotiator.begin(peer)->accept("user eve@EXAMPLE"));
  EXPECT_THAT(refused, ElementsAre("192.0.2.1 eve@EXAMPLE: There is no such user."));
}

TEST_F(NegotiatorTest, LetsInNobodyAnyLongerWhoseTicketOrUserHasEnded) {
  const auto negotiation = negotiator.begin(peer);
  ASSERT_TRUE(negotiation->accept("user ann@EXAMPLE"));
  role = Role::kReader;
  EXPECT_EQ(negotiation->identity()->role(), Role::kReader);
  role = std::nullopt;
  EXPECT_FALSE(negotiation->identity());
  role = Role::kReader;
  has_expired = true;
  EXPECT_FALSE(negotiation->identity());
}

TEST_F(NegotiatorTest, EndsWhatTakesTooManyStepsOrTooLong) {
  const auto endless = negotiator.begin(peer);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(endless->accept("one more"));
  EXPECT_FALSE(endless->accept("user ann@EXAMPLE"));
  const auto slow = negotiator.begin(peer);
  ASSERT_TRUE(slow->accept("one more"));
  clock.pass(seconds(31));
  EXPECT_FALSE(slow->accept("user ann@EXAMPLE"));
  EXPECT_EQ(refused.size(), 2U);
}

TEST_F(NegotiatorTest, WhoGuessesPasswordsHasToWait) {
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(negotiator.begin(peer)->accept(ntlm_token("Ann")));
  EXPECT_THAT(refused.back(), HasSubstr("No."));
  EXPECT_FALSE(negotiator.begin(peer)->accept(ntlm_token("ANN")));
  EXPECT_EQ(refused.back(), "192.0.2.1 ann: It has to wait after wrong passwords.");
  // Neither another name nor another address waits with it, nor a ticket.
  EXPECT_FALSE(negotiator.begin(peer)->accept(ntlm_token("otto")));
  EXPECT_THAT(refused.back(), HasSubstr("otto: No."));
  EXPECT_FALSE(negotiator.begin({"192.0.2.2", 1})->accept(ntlm_token("ann")));
  EXPECT_THAT(refused.back(), HasSubstr("ann: No."));
  EXPECT_TRUE(negotiator.begin(peer)->accept("user ann@EXAMPLE"));
  clock.pass(seconds(60));
  EXPECT_FALSE(negotiator.begin(peer)->accept(ntlm_token("ann")));
  EXPECT_THAT(refused.back(), HasSubstr("ann: No."));
}

}  // namespace
}  // namespace cohort::http
