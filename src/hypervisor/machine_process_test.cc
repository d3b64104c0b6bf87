#include "hypervisor/machine_process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>

#include "base/temporary_folder.h"

namespace cohort::hypervisor {
namespace {

TEST(FindProcess, TellsWhenItWasStarted) {
  const TemporaryFolder folder;
  ASSERT_TRUE(create_file(folder.path() / "web.pid", std::to_string(::getpid())));
  const auto process = find_process(folder.path(), "web");
  ASSERT_TRUE(process);
  EXPECT_EQ(process->id, ::getpid());
  const WallTime now = SystemClock().wall();
  EXPECT_LT(process->started, now + std::chrono::seconds(1));
  EXPECT_GT(process->started, now - std::chrono::minutes(10));
}

TEST(FindProcess, FindsNoneWithoutAFileOrAProcess) {
  const TemporaryFolder folder;
  ASSERT_TRUE(create_file(folder.path() / "gone.pid", "1073741823"));
  ASSERT_TRUE(create_file(folder.path() / "odd.pid", "no number"));
  for (const char* name : {"gone", "odd", "absent"}) EXPECT_FALSE(find_process(folder.path(), name)) << name;
}

}  // namespace
}  // namespace cohort::hypervisor
