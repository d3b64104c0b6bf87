#include "base/process.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace cohort {
namespace {

using namespace std::chrono_literals;

TEST(RunProcess, OutputAndStatusAreReturned) {
  const auto output = run_process({"sh", "-c", "echo out; echo err >&2; exit 3"});
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out, "out\n");
  EXPECT_EQ(output->err, "err\n");
  EXPECT_EQ(output->exit_status, 3);
}

TEST(RunProcess, SignalsAreToldLikeAShellDoes) {
  EXPECT_EQ(run_process({"sh", "-c", "kill -KILL $$"})->exit_status, 137);
}

TEST(RunProcess, UnknownProgramIsUnsupported) {
  const auto output = run_process({"cohort-no-such-program"});
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(output.error().message.find("cohort-no-such-program"), std::string::npos);
}

TEST(RunProcess, StopKillsASilentProgram) {
  std::stop_source source;
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(100ms);
    source.request_stop();
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(run_process({"sleep", "60"}, source.get_token()).error().code, ErrorCode::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 30s);
}

TEST(RunProcess, ArgumentsAreNotInterpreted) { EXPECT_EQ(run_process({"printf", "%s", "a b;$c"})->out, "a b;$c"); }

TEST(RunProcess, OutputIsSeenAsItComes) {
  std::string seen;
  ASSERT_TRUE(run_process({"sh", "-c", "echo one; echo two"}, {}, [&](std::string_view piece) { seen += piece; }));
  EXPECT_EQ(seen, "one\ntwo\n");
}

TEST(RunProcess, MuchOutputIsCutNotKept) {
  const auto output = run_process({"sh", "-c", "head -c 3000000 /dev/zero"});
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out.size(), 1UL << 20U);
  EXPECT_EQ(output->exit_status, 0);
}

}  // namespace
}  // namespace cohort
