#include "daemon/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "daemon/content_type.h"
#include "daemon/patience.h"

namespace cohort::daemon {
namespace {

using std::chrono::milliseconds;

TEST(Log, EachEventHasAnIdOfItsOwn) {
  std::set<std::string_view> ids;
  for (std::size_t index = 0; index < event_texts().size(); ++index) {
    const EventText& text = event_texts()[index];
    EXPECT_EQ(static_cast<std::size_t>(text.event), index);
    EXPECT_TRUE(ids.insert(text.id).second) << text.id;
    EXPECT_TRUE(text.explanation.ends_with('.') || text.explanation.ends_with('"')) << text.id;
  }
  EXPECT_EQ(ids.size(), static_cast<std::size_t>(Event::kCommand) + 1);
}

TEST(Log, NobodyWritesLinesOfTheirOwn) {
  EXPECT_EQ(log_line(Event::kChanged, "a\nb", {{"user", "x\ny\x1b[2J"}}), "notice changed: a?b [user=x?y?[2J]");
}

TEST(Log, NobodyWritesFieldsOfTheirOwn) {
  EXPECT_EQ(log_line(Event::kChanged, "a", {{"user", "x] [user=\"y address=192.0.2.1"}, {"address", "127.0.0.1"}}),
            "notice changed: a [user=\"x] [user='y address=192.0.2.1\" address=127.0.0.1]");
  EXPECT_EQ(log_line(Event::kChanged, "x [address=192.0.2.1] was not", {{"user", "\"x"}}),
            "notice changed: x (address=192.0.2.1) was not [user=\"'x\"]");
}

TEST(Log, NobodyFillsIt) {
  const std::string long_text(5'000'000, 'x');
  EXPECT_LT(log_line(Event::kChanged, long_text, {{"object", long_text}}).size(), 3000U);
}

TEST(ContentType, HasATypeAndACharset) {
  const auto parsed = parse_content_type("Application/SOAP+xml ; action=\"x\" ;charset = \"UTF-16\"");
  EXPECT_EQ(parsed.type, "application/soap+xml");
  EXPECT_EQ(parsed.charset, "utf-16");
  EXPECT_EQ(parse_content_type("").type, "");
  EXPECT_EQ(parse_content_type("text/xml").charset, "");
  EXPECT_EQ(parse_content_type(";;;=;charset").type, "");
}

TEST(Patience, WaitsForAnAnswerAndNoLongerThanTold) {
  Patience patience(1);
  EXPECT_TRUE(patience.answer("ann", milliseconds(10'000), [] { return cim::Response(cim::Done{}); }));
  EXPECT_EQ(patience.late(), 0U);
  std::atomic<bool> may_end = false;
  EXPECT_FALSE(patience.answer("ann", milliseconds(1), [&] {
    may_end.wait(false);
    return cim::Response(cim::Done{});
  }));
  EXPECT_EQ(patience.late(), 1U);
  const auto refused = patience.answer("ann", milliseconds(1), [] { return cim::Response(cim::Done{}); });
  ASSERT_TRUE(refused);
  EXPECT_EQ(std::get<cim::OperationFailed>(*refused).status, cim::Status::kServerLimitsExceeded);
  may_end = true;
  may_end.notify_all();
  while (patience.late() > 0) std::this_thread::yield();
  EXPECT_TRUE(patience.answer("ann", milliseconds(10'000), [] { return cim::Response(cim::Done{}); }));
}

TEST(Patience, WhoDoesNotWaitHoldsUpNobodyElse) {
  std::atomic<bool> may_end = false;
  Patience patience(8);
  const auto ask = [&](const std::string& caller) {
    return patience.answer(caller, milliseconds(1), [&] {
      may_end.wait(false);
      return cim::Response(cim::Done{});
    });
  };
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(ask("eve"));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(ask("eve")) << "it is refused at once";
  EXPECT_EQ(patience.late(), 2U);
  EXPECT_TRUE(patience.answer("ann", milliseconds(10'000), [] { return cim::Response(cim::Done{}); }));
  EXPECT_FALSE(ask("ann")) << "it was begun";
  may_end = true;
  may_end.notify_all();
}

TEST(Patience, ADefectIsAnAnswer) {
  Patience patience(1);
  const auto answer =
      patience.answer("ann", milliseconds(10'000), []() -> cim::Response { throw std::runtime_error("oh"); });
  ASSERT_TRUE(answer);
  EXPECT_THAT(std::get<cim::OperationFailed>(*answer).description, testing::HasSubstr("(oh)"));
}

}  // namespace
}  // namespace cohort::daemon
