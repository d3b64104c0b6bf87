#include "http/session.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/base64.h"
#include "http/negotiator.h"
#include "http/testing/fake_security.h"
#include "http/testing/manual_clock.h"

namespace cohort::http {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kSealedType =
    "multipart/encrypted;protocol=\"application/HTTP-SPNEGO-session-encrypted\";boundary=\"Encrypted Boundary\"";

// Lets in who negotiates, and "Basic otto" without looking further.
class FakeAuthenticator final : public Authenticator {
 public:
  std::variant<Identity, Challenge> authenticate(std::string_view authorization, const Peer& /*peer*/) override {
    if (authorization == "Basic otto") return identify("otto", Role::kReader);
    return Challenge{{"Negotiate", "Basic"}};
  }
  std::unique_ptr<Negotiation> negotiate(const Peer& peer) override { return negotiator.begin(peer); }

  bool has_expired = false;
  ManualClock clock;
  Negotiator negotiator{
      std::make_unique<FakeSecurity>(has_expired),
      {[](std::string_view) { return Role::kOperator; }, [](const Peer&, std::string_view, const std::string&) {}},
      clock,
      {2, seconds(60), 100},
      {}};
};

// Says what it was asked, and by whom.
class Echo final : public Handler {
 public:
  Response handle(const Request& request, const Identity& identity) override {
    ++handled;
    const std::string text = fmt::format("{} {} {}", identity.name(), request.header("Content-Type"), request.body);
    if (request.body == "in pieces") {
      return {200, {}, Chunks([pieces = 2]() mutable { return pieces-- > 0 ? std::optional("piece") : std::nullopt; })};
    }
    return {request.body == "wrong" ? 500 : 200, {{"Content-Type", "text/plain"}}, text};
  }
  int handled = 0;
};

class SessionTest : public testing::Test {
 protected:
  static Request request(const std::string& body, std::string_view type = "text/xml",
                         const std::string& authorization = "") {
    Request made{"POST", "/wsman", {{"Content-Type", std::string(type)}}, body, {}};
    if (!authorization.empty()) made.headers.push_back({"Authorization", authorization});
    return made;
  }
  static std::string negotiate(const std::string& token) { return "Negotiate " + to_base64(token); }
  static std::string sealed(const std::string& text,
                            const SealedForm& form = {"application/HTTP-SPNEGO-session-encrypted"}) {
    return write_sealed_part(form, "text/xml", text.size(), {"#", FakeContext::turned(text)}) +
           std::string(sealed_end());
  }
  // What stands in a sealed answer.
  static std::string opened(const Response& response) {
    const auto& body = std::get<std::string>(response.body);
    const auto read = read_sealed(header(response, "Content-Type"), body);
    EXPECT_TRUE(read) << body;
    return read ? FakeContext::turned(read->parts.at(0).token.substr(1)) : "";
  }
  static std::string header(const Response& response, std::string_view name) {
    for (const auto& each : response.headers) {
      if (each.name == name) return each.value;
    }
    return "";
  }

  // Negotiates as a client does that sends nothing with it.
  Response greet(Session& over, const std::string& user = "ann") {
    const std::string authorization = negotiate("user " + user);
    auto outcome = over.authenticate(authorization);
    EXPECT_TRUE(std::holds_alternative<Identity>(outcome));
    return over.answer(request("", "", authorization), std::get<Identity>(outcome), echo);
  }
  Response ask(Session& over, Request asked) {
    auto outcome = over.authenticate(asked.header("Authorization"));
    if (!std::holds_alternative<Identity>(outcome)) return {401, {}, {}};
    return over.answer(std::move(asked), std::get<Identity>(outcome), echo);
  }

  FakeAuthenticator authenticator;
  Echo echo;
  Session session{authenticator, {"127.0.0.1", 1}};
  Session exposed{authenticator, {"192.0.2.1", 1, false, true}};
};

TEST_F(SessionTest, IsNegotiatedInSteps) {
  const auto first = session.authenticate(negotiate("one more"));
  ASSERT_TRUE(std::holds_alternative<Challenge>(first));
  EXPECT_THAT(std::get<Challenge>(first).schemes, ElementsAre(negotiate("go on")));
  EXPECT_FALSE(std::get<Challenge>(first).ends_connection);
  const Response welcome = greet(session);
  EXPECT_EQ(welcome.status, 200);
  EXPECT_EQ(header(welcome, "WWW-Authenticate"), negotiate("welcome"));
  EXPECT_EQ(echo.handled, 0);
  EXPECT_EQ(std::get<std::string>(ask(session, request("text")).body), "ann text/xml text");
}

TEST_F(SessionTest, AnswersWhatComesWithTheLastStep) {
  const Response response = ask(session, request("text", "text/xml", negotiate("user ann")));
  EXPECT_EQ(std::get<std::string>(response.body), "ann text/xml text");
  EXPECT_EQ(header(response, "WWW-Authenticate"), negotiate("welcome"));
}

TEST_F(SessionTest, AnswersInTheSchemeThatWasAsked) {
  const Response response = ask(session, request("", "", "kerberos " + to_base64("user ann")));
  EXPECT_EQ(header(response, "WWW-Authenticate"), "Kerberos " + to_base64("welcome"));
}

TEST_F(SessionTest, OffersAllAgainAndEndsTheConnectionOfWhoIsRefused) {
  for (const std::string& token : {negotiate("guess"), std::string("Negotiate !"), std::string("Negotiate ")}) {
    const auto outcome = session.authenticate(token);
    ASSERT_TRUE(std::holds_alternative<Challenge>(outcome)) << token;
    EXPECT_THAT(std::get<Challenge>(outcome).schemes, ElementsAre("Negotiate", "Basic"));
    EXPECT_TRUE(std::get<Challenge>(outcome).ends_connection);
    EXPECT_EQ(ask(session, request("text")).status, 401);
  }
  EXPECT_EQ(echo.handled, 0);
}

TEST_F(SessionTest, IsNotAuthenticatedBeforeTheLastStep) {
  static_cast<void>(session.authenticate(negotiate("one more")));
  EXPECT_EQ(ask(session, request("text")).status, 401);
  static_cast<void>(session.authenticate(negotiate("one more")));
  EXPECT_EQ(ask(session, request("text", "text/xml", "Basic guess")).status, 401);
  EXPECT_EQ(echo.handled, 0);
}

TEST_F(SessionTest, EndsWithTheTicket) {
  greet(session);
  EXPECT_EQ(ask(session, request("text")).status, 200);
  authenticator.has_expired = true;
  EXPECT_EQ(ask(session, request("text")).status, 401);
  authenticator.has_expired = false;
  EXPECT_EQ(ask(session, request("text")).status, 401);
}

TEST_F(SessionTest, EndsWhenSomebodyElseLogsInOverIt) {
  greet(session);
  EXPECT_EQ(std::get<std::string>(ask(session, request("text", "text/xml", "Basic otto")).body), "otto text/xml text");
  EXPECT_EQ(ask(session, request("text")).status, 401);
  greet(session, "ann");
  greet(session, "eve");
  EXPECT_EQ(std::get<std::string>(ask(session, request("text")).body), "eve text/xml text");
  greet(session, "ann");
  EXPECT_EQ(ask(session, request("text", "text/xml", negotiate("guess"))).status, 401);
  EXPECT_EQ(ask(session, request("text")).status, 401);
}

TEST_F(SessionTest, AnswersASealedMessageInItsForm) {
  greet(exposed);
  for (const bool has_tabs : {true, false}) {
    for (const auto* protocol :
         {"application/HTTP-SPNEGO-session-encrypted", "application/HTTP-Kerberos-session-encrypted"}) {
      const SealedForm form{protocol, has_tabs};
      const Response response = ask(exposed, request(sealed("text", form), sealed_content_type(form)));
      EXPECT_EQ(response.status, 200);
      EXPECT_EQ(opened(response), "ann text/xml text");
      EXPECT_EQ(header(response, "Content-Type"), sealed_content_type(form));
      EXPECT_EQ(std::get<std::string>(response.body).find("\t") != std::string::npos, has_tabs);
      EXPECT_NE(std::get<std::string>(response.body).find("type=text/plain;Length=17\r\n"), std::string::npos);
    }
  }
}

TEST_F(SessionTest, SealsFaultsAndWhatIsMadeWhileItIsSent) {
  greet(exposed);
  const Response fault = ask(exposed, request(sealed("wrong"), kSealedType));
  EXPECT_EQ(fault.status, 500);
  EXPECT_EQ(opened(fault), "ann text/xml wrong");
  Response pieces = ask(exposed, request(sealed("in pieces"), kSealedType));
  std::string body;
  while (const auto piece = std::get<Chunks>(pieces.body)()) body += *piece;
  const auto read = read_sealed(header(pieces, "Content-Type"), body);
  ASSERT_TRUE(read) << body;
  ASSERT_EQ(read->parts.size(), 2U);
  EXPECT_EQ(FakeContext::turned(read->parts[1].token.substr(1)), "piece");
}

TEST_F(SessionTest, TakesNothingInTheClearWhereOthersCanChangeIt) {
  greet(exposed);
  EXPECT_EQ(ask(exposed, request("text")).status, 403);
  EXPECT_EQ(ask(exposed, request("")).status, 403);
  EXPECT_EQ(ask(exposed, request("text", "text/xml", negotiate("user ann"))).status, 403);
  EXPECT_EQ(ask(exposed, request("text", "text/xml", "Basic otto")).status, 403);
  EXPECT_EQ(echo.handled, 0);
}

TEST_F(SessionTest, TakesNothingInTheClearBehindWhatWasSealed) {
  greet(session);
  EXPECT_EQ(ask(session, request("text")).status, 200);
  EXPECT_EQ(ask(session, request(sealed("text"), kSealedType)).status, 200);
  EXPECT_EQ(ask(session, request("text")).status, 403);
}

TEST_F(SessionTest, EndsWithAMessageThatWasTamperedWith) {
  greet(exposed);
  std::string tampered = sealed("text");
  tampered[tampered.find('#')] = '!';
  EXPECT_EQ(ask(exposed, request(tampered, kSealedType)).status, 400);
  EXPECT_EQ(ask(exposed, request(sealed("text"), kSealedType)).status, 401);
  greet(exposed);
  EXPECT_EQ(ask(exposed, request("rubbish", kSealedType)).status, 400);
  EXPECT_EQ(echo.handled, 0);
}

TEST_F(SessionTest, HandsSealedMessagesOfOthersOnAsTheyAre) {
  const Response response = ask(session, request(sealed("text"), kSealedType, "Basic otto"));
  EXPECT_EQ(std::get<std::string>(response.body), fmt::format("otto {} {}", kSealedType, sealed("text")));
}

}  // namespace
}  // namespace cohort::http
