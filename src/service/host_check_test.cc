#include "service/host_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "service/testing/lab.h"

namespace cohort::service {
namespace {

using ::testing::HasSubstr;

class HostCheckTest : public ::testing::Test {
 protected:
  [[nodiscard]] HostReport report() { return check_host(lab.hypervisor, lab.folder.path() / "not/yet", guard); }
  // The item whose id begins so; nothing if there is none.
  static std::optional<CheckedItem> item(const HostReport& report, const std::string& id) {
    const auto found = std::ranges::find_if(report.items, [&](const CheckedItem& i) { return i.id.starts_with(id); });
    return found == report.items.end() ? std::nullopt : std::optional(*found);
  }

  Lab lab;
  Path guard = "/bin/true";
};

TEST_F(HostCheckTest, NamesVersionsAndFolders) {
  const auto found = report();
  EXPECT_EQ(item(found, "libvirt")->finding, Finding::kGood);
  EXPECT_THAT(item(found, "libvirt")->message, HasSubstr("libvirt 2.0 answers at fake:///system"));
  EXPECT_EQ(item(found, "pause_events")->finding, Finding::kGood);
  EXPECT_EQ(item(found, "state_folder")->finding, Finding::kGood);
  EXPECT_TRUE(item(found, "free_space:" + (lab.folder.path() / "not/yet").string()));
  EXPECT_TRUE(item(found, "free_space:/nonexistent/fake-disks"));
  EXPECT_TRUE(item(found, "tool:qemu-img"));
  EXPECT_TRUE(item(found, "kvm"));
}

TEST_F(HostCheckTest, IsNotUsableWithoutTheGuard) {
  EXPECT_EQ(item(report(), "guard")->finding, Finding::kGood);
  guard = "/nonexistent/cohort-guard";
  const auto found = report();
  EXPECT_EQ(item(found, "guard")->finding, Finding::kBad);
  EXPECT_THAT(item(found, "guard")->message, HasSubstr("\"/nonexistent/cohort-guard\""));
  EXPECT_FALSE(found.is_usable());
}

TEST_F(HostCheckTest, ReportsAHypervisorThatCannotBeAsked) {
  lab.control.fail_next("host", ErrorCode::kHypervisor);
  const auto found = report();
  EXPECT_EQ(item(found, "libvirt")->finding, Finding::kBad);
  EXPECT_FALSE(found.is_usable());
  EXPECT_TRUE(item(found, "state_folder")) << "the rest is checked all the same";
}

TEST_F(HostCheckTest, SaysWhatAnotherDriverCannotDo) {
  lab.hypervisor.info.can_snapshot = false;
  lab.hypervisor.info.measures_pauses = false;
  const auto found = report();
  EXPECT_EQ(item(found, "hypervisor")->finding, Finding::kBad);
  EXPECT_THAT(item(found, "hypervisor")->message, HasSubstr("qemu:///system"));
  EXPECT_EQ(item(found, "pause_events")->finding, Finding::kWarning);
  EXPECT_FALSE(item(found, "free_space:/nonexistent/fake-disks"));
  EXPECT_FALSE(found.is_usable());
}

TEST_F(HostCheckTest, IsUsableWithWarnings) {
  HostReport found;
  found.items = {{"a", Finding::kGood, ""}, {"b", Finding::kWarning, ""}};
  EXPECT_TRUE(found.is_usable());
  found.items.push_back({"c", Finding::kBad, ""});
  EXPECT_FALSE(found.is_usable());
}

TEST_F(HostCheckTest, MakesNoFolder) {
  static_cast<void>(report());
  EXPECT_FALSE(std::filesystem::exists(lab.folder.path() / "not"));
}

}  // namespace
}  // namespace cohort::service
