#include "http/basic_authenticator.h"

#include <gtest/gtest.h>

#include "http/base64.h"
#include "http/testing/manual_clock.h"
#include "http/testing/users.h"

namespace cohort::http {
namespace {

using std::chrono::seconds;

class BasicAuthenticatorTest : public ::testing::Test {
 protected:
  std::optional<Identity> who(const std::string& authorization, const std::string& address = "127.0.0.1") {
    const auto outcome = authenticator.authenticate(authorization, {address, 1, false});
    if (const auto* challenge = std::get_if<Challenge>(&outcome)) {
      EXPECT_EQ(challenge->schemes, std::vector<std::string>{R"(Basic realm="here", charset="UTF-8")"});
      return std::nullopt;
    }
    return std::get<Identity>(outcome);
  }

  static std::string basic(const std::string& name, const std::string& password) {
    return "Basic " + to_base64(name + ":" + password);
  }
  static std::string right(const std::string& name) { return basic(name, Users::password(name)); }

  Users users;
  ManualClock clock;
  BasicAuthenticator authenticator{users.read(), "here", clock, {3, seconds(60), 100}};
};

TEST_F(BasicAuthenticatorTest, KnowsUsersByTheirPasswords) {
  const auto ann = who(right("ann"));
  ASSERT_TRUE(ann);
  EXPECT_EQ(ann->name(), "ann");
  EXPECT_FALSE(ann->may_act_as(Role::kOperator));
  const auto ada = who("bAsIc   " + to_base64("äda:" + Users::password("äda")));
  ASSERT_TRUE(ada);
  EXPECT_TRUE(ada->may_act_as(Role::kOperator));
}

TEST_F(BasicAuthenticatorTest, ChallengesAllOthers) {
  for (const auto& text :
       {std::string(), std::string("Basic"), std::string("Basic "), std::string("Basic !"), "Basic " + to_base64("ann"),
        "Bearer " + to_base64("ann:x"), basic("ann", "x"), basic("", ""), basic(std::string(300, 'a'), "x"),
        right("ann") + "=", "Negotiate " + to_base64("ann:" + Users::password("ann"))}) {
    EXPECT_FALSE(who(text)) << text;
  }
}

TEST_F(BasicAuthenticatorTest, LetsNobodyInWhoHasGuessedTooOften) {
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(who(basic("ann", "guess")));
  EXPECT_FALSE(who(right("ann")));
  EXPECT_TRUE(who(right("ann"), "127.0.0.2")) << "from elsewhere";
  EXPECT_TRUE(who(right("otto")));
  clock.pass(seconds(60));
  EXPECT_TRUE(who(right("ann")));
}

TEST_F(BasicAuthenticatorTest, OneWhoTriesManyNamesHasToWaitAndNobodyWhoIsKnown) {
  EXPECT_TRUE(who(right("otto")));
  for (int i = 0; i < 30; ++i) EXPECT_FALSE(who(basic("n" + std::to_string(i), "guess")));
  EXPECT_FALSE(who(right("ann")));
  EXPECT_TRUE(who(right("otto")));
  EXPECT_TRUE(who(right("ann"), "127.0.0.2")) << "from elsewhere";
  clock.pass(seconds(60));
  EXPECT_TRUE(who(right("äda")));
}

TEST_F(BasicAuthenticatorTest, OneWhoWritesANameInAnotherCaseHasToWaitToo) {
  ASSERT_TRUE(create_file(users.path().parent_path() / "domain",
                          line_without_password("EXAMPLE\\pia", Role::kOperator, Means::kPam).value() + "\n"));
  int asked = 0;
  BasicAuthenticator with_system(PasswordFile::read(users.path().parent_path() / "domain").value(), "here", clock,
                                 {2, seconds(60), 100},
                                 [&](const std::string&, const std::string&, const Peer&) { return ++asked > 2; });
  for (const auto* const name : {"EXAMPLE\\pia", "example\\pia", "Example\\Pia", "EXAMPLE\\PIA"}) {
    const auto outcome = with_system.authenticate(basic(name, "guess"), {"192.0.2.1", 1, true});
    EXPECT_TRUE(std::holds_alternative<Challenge>(outcome)) << name;
  }
  EXPECT_EQ(asked, 2);
}

TEST_F(BasicAuthenticatorTest, AsksAgainAfterAWhileForWhatIsInTheFile) {
  EXPECT_TRUE(who(right("ann")));
  clock.pass(std::chrono::minutes(6));
  EXPECT_TRUE(who(right("ann")));
}

TEST_F(BasicAuthenticatorTest, AsksTheSystemForItsUsersAlone) {
  ASSERT_TRUE(create_file(users.path().parent_path() / "system",
                          line_without_password("pia", Role::kOperator, Means::kPam).value() + "\n" +
                              password_line("ann", Role::kReader, "of the file", kCheap).value() + "\n"));
  const auto file = PasswordFile::read(users.path().parent_path() / "system");
  std::vector<std::string> asked;
  BasicAuthenticator with_system(*file, "here", clock, {2, seconds(60), 100},
                                 [&](const std::string& name, const std::string& password, const Peer& peer) {
                                   asked.push_back(name + "@" + peer.address);
                                   return password == "of the system";
                                 });
  const auto lets_in = [&](BasicAuthenticator& into, const std::string& name, const std::string& password) {
    return std::holds_alternative<Identity>(into.authenticate(basic(name, password), {"192.0.2.1", 1, true}));
  };
  EXPECT_TRUE(lets_in(with_system, "pia", "of the system"));
  EXPECT_TRUE(lets_in(with_system, "pia", "of the system"));
  EXPECT_EQ(asked, std::vector<std::string>{"pia@192.0.2.1"}) << "once, it is known for a while";
  EXPECT_FALSE(lets_in(with_system, "ann", "of the system"));
  EXPECT_TRUE(lets_in(with_system, "ann", "of the file"));
  EXPECT_FALSE(lets_in(with_system, "root", "of the system"));
  EXPECT_EQ(asked.size(), 1U);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(lets_in(with_system, "pia", "guess"));
  EXPECT_EQ(asked.size(), 3U) << "who guesses is not even asked for";
  BasicAuthenticator without(*file, "here", clock, {2, seconds(60), 100});
  EXPECT_FALSE(lets_in(without, "pia", "of the system"));
}

TEST(VerifiedPasswordsTest, KnowsWhatWasRightForAWhile) {
  ManualClock clock;
  VerifiedPasswords verified(clock, seconds(10), 2);
  verified.remember("ann", "x", Role::kReader);
  EXPECT_EQ(verified.role_of("ann", "x"), Role::kReader);
  EXPECT_EQ(verified.role_of("ann", "y"), std::nullopt);
  EXPECT_EQ(verified.role_of("an", "nx"), std::nullopt);
  clock.pass(seconds(10));
  EXPECT_EQ(verified.role_of("ann", "x"), std::nullopt);
}

TEST(VerifiedPasswordsTest, KeepsNoMoreThanItMay) {
  ManualClock clock;
  VerifiedPasswords verified(clock, seconds(10), 2);
  for (const auto* name : {"a", "b", "c"}) verified.remember(name, "x", Role::kReader);
  EXPECT_EQ(verified.role_of("a", "x"), std::nullopt);
  EXPECT_EQ(verified.role_of("c", "x"), Role::kReader);
}

}  // namespace
}  // namespace cohort::http
