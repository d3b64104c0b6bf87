#include "provider/host_facts.h"

#include <gtest/gtest.h>

#include "base/temporary_folder.h"

namespace cohort::provider {
namespace {

class HostFactsTest : public ::testing::Test {
 protected:
  void put(const Path& file, const std::string& content) {
    ASSERT_TRUE(make_directories((folder_.path() / file).parent_path()));
    ASSERT_TRUE(create_file(folder_.path() / file, content));
  }
  HostFacts read() { return read_host_facts(folder_.path()); }

 private:
  TemporaryFolder folder_;
};

TEST_F(HostFactsTest, ReadsTheFirmware) {
  put("sys/class/dmi/id/product_uuid", "0E6C1F0A-6F3E-4B8C-9A55-2F7F3A1D7C11\n");
  put("sys/class/dmi/id/sys_vendor", "Maker Inc.\n");
  put("sys/class/dmi/id/product_name", "Model 5 \n");
  put("sys/class/dmi/id/product_serial", "\xff\xfe not text");
  const auto facts = read();
  EXPECT_EQ(facts.uuid, "0e6c1f0a-6f3e-4b8c-9a55-2f7f3a1d7c11");
  EXPECT_EQ(facts.maker, "Maker Inc.");
  EXPECT_EQ(facts.model, "Model 5");
  EXPECT_EQ(facts.serial, "");
}

TEST_F(HostFactsTest, TakesTheOperatingSystemsIdWhereTheFirmwareHasNone) {
  put("sys/class/dmi/id/product_uuid", "Not Settable");
  put("etc/machine-id", "0e6c1f0a6f3e4b8c9a552f7f3a1d7c11\n");
  EXPECT_EQ(read().uuid, "0e6c1f0a-6f3e-4b8c-9a55-2f7f3a1d7c11");
}

TEST_F(HostFactsTest, ReadsMemoryAndSystem) {
  put("proc/meminfo", "MemTotal:       16000 kB\nMemAvailable:    8000 kB\nSwapTotal: 10 kB\nSwapFree: 5 kB\n");
  put("etc/os-release", "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n");
  put("proc/stat", "cpu 1 2 3\nbtime 1700000000\nprocesses 5\n");
  const auto facts = read();
  EXPECT_EQ(facts.memory, 16000U * 1024);
  EXPECT_EQ(facts.free_memory, 8000U * 1024);
  EXPECT_EQ(facts.swap, 10U * 1024);
  EXPECT_EQ(facts.os_name, "Debian GNU/Linux 12 (bookworm)");
  EXPECT_EQ(facts.booted, WallTime(std::chrono::seconds(1700000000)));
}

TEST_F(HostFactsTest, CountsSocketsCoresAndThreads) {
  std::string threads;
  for (int i = 0; i < 8; ++i) {
    threads += "processor\t: " + std::to_string(i) + "\nvendor_id\t: Intel\nmodel name\t: CPU\ncpu MHz\t\t: 2000.5\n" +
               "physical id\t: " + std::to_string(i / 4) + "\ncpu cores\t: 2\n\n";
  }
  put("proc/cpuinfo", threads);
  const auto processors = read().processors;
  ASSERT_EQ(processors.size(), 2U);
  EXPECT_EQ(processors[0].model, "CPU");
  EXPECT_EQ(processors[0].megahertz, 2000U);
  EXPECT_EQ(processors[0].cores, 2U);
  EXPECT_EQ(processors[1].threads, 4U);
}

TEST_F(HostFactsTest, TellsNothingOfAHostThatTellsNothing) {
  const auto facts = read();
  EXPECT_EQ(facts.uuid, "");
  EXPECT_EQ(facts.memory, 0U);
  EXPECT_TRUE(facts.processors.empty());
  EXPECT_FALSE(facts.booted);
}

TEST(HostFacts, AreThereOnThisHost) {
  const auto facts = read_host_facts();
  EXPECT_GT(facts.memory, 0U);
  EXPECT_FALSE(facts.processors.empty());
  EXPECT_FALSE(facts.kernel.empty());
}

}  // namespace
}  // namespace cohort::provider
