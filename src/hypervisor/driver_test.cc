// On libvirt's test driver: what works without QEMU, and what says clearly that it does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/temporary_folder.h"
#include "hypervisor/libvirt_hypervisor.h"

namespace cohort::hypervisor {
namespace {

using testing::HasSubstr;

class TestDriver : public testing::Test {
 protected:
  TestDriver() : hypervisor_(std::move(open_libvirt("test:///default").value())) {
    machine_ = hypervisor_->find_machine("test").value_or(MachineSummary());
  }

  std::unique_ptr<service::Hypervisor> hypervisor_;
  MachineSummary machine_;
};

TEST(OpenLibvirt, KnowsAUriThatItDoesNotKnow) {
  const auto opened = open_libvirt("nosuchdriver:///system");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kInvalidArgument);
}

TEST(OpenLibvirt, NamesTheRemedyWhenNobodyAnswers) {
  const auto opened = open_libvirt("qemu+unix:///system?socket=/nonexistent/socket");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kHypervisor);
  EXPECT_THAT(opened.error().message, HasSubstr("Is libvirtd running"));
  EXPECT_FALSE(opened.error().cause.empty());
}

TEST_F(TestDriver, TellsThatItTakesNoSnapshots) {
  const auto host = hypervisor_->host();
  ASSERT_TRUE(host) << host.error().describe();
  EXPECT_FALSE(host->can_snapshot);
  EXPECT_FALSE(host->measures_pauses);
}

TEST_F(TestDriver, FindsMachinesByNameAndByUuid) {
  EXPECT_EQ(machine_.name, "test");
  EXPECT_EQ(machine_.power, PowerState::kRunning);
  EXPECT_EQ(hypervisor_->find_machine(machine_.id.str())->name, "test");
  EXPECT_EQ(hypervisor_->machines()->size(), 1U);
  EXPECT_EQ(hypervisor_->find_machine("nobody").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(hypervisor_->machine(MachineId::generate()).error().code, ErrorCode::kNotFound);
}

TEST_F(TestDriver, RefusesToInspectWhatItCannotCapture) {
  const auto details = hypervisor_->inspect(machine_.id);
  ASSERT_FALSE(details);
  EXPECT_EQ(details.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(details.error().message, HasSubstr("needs QEMU"));
}

TEST_F(TestDriver, SuspendsOnceAndResumes) {
  EXPECT_TRUE(hypervisor_->suspend(machine_.id));
  EXPECT_EQ(hypervisor_->suspend(machine_.id).error().code, ErrorCode::kInvalidState);
  EXPECT_EQ(hypervisor_->machine(machine_.id)->power, PowerState::kPaused);
  EXPECT_TRUE(hypervisor_->resume(machine_.id));
  EXPECT_TRUE(hypervisor_->resume(machine_.id));
  EXPECT_EQ(hypervisor_->machine(machine_.id)->power, PowerState::kRunning);
}

// Each connection to a test driver of a file has machines of its own.
TEST(TestDriverOfAFile, HasEachMachineOnce) {
  const TemporaryFolder folder;
  std::string node = "<node>";
  for (int i = 0; i < 8; ++i) {
    node += fmt::format(
        "<domain type='test'><name>m{0}</name><uuid>0f3a1b2c-6d1e-4c1c-9a0f-0d1f7a52ab0{0}</uuid>"
        "<memory>1024</memory><os><type>hvm</type></os></domain>",
        i);
  }
  ASSERT_TRUE(create_file(folder.path() / "node.xml", node + "</node>"));
  const auto hypervisor = std::move(open_libvirt("test://" + (folder.path() / "node.xml").string()).value());
  const auto machines = hypervisor->machines();
  ASSERT_EQ(machines->size(), 8U);
  for (const MachineSummary& each : *machines) EXPECT_TRUE(hypervisor->suspend(each.id)) << each.name;
  const auto listed = hypervisor->machines();
  for (const MachineSummary& each : *listed) EXPECT_EQ(each.power, PowerState::kPaused) << each.name;
}

TEST_F(TestDriver, RefusesWhatNeedsDisks) {
  MemberSnapshot member;
  member.machine = machine_.id;
  const DiskSnapshot disk{"vda", {"/a", "raw"}, "/b", 0};
  EXPECT_EQ(hypervisor_->check_disks_reachable().error().code, ErrorCode::kUnsupported);
  service::DefineMachineRequest request;
  request.configuration = "<domain type='test'/>";
  request.name = "made";
  EXPECT_EQ(hypervisor_->define_machine(request).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(hypervisor_->capture(member).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(hypervisor_->create_overlay(disk).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(hypervisor_->merge_overlay(machine_.id, disk, {}, {}).error().code, ErrorCode::kUnsupported);
}

TEST_F(TestDriver, WatchesWithoutSeeing) {
  const auto watch = hypervisor_->watch_pauses({machine_.id});
  ASSERT_TRUE(watch);
  EXPECT_FALSE((*watch)->pause_of(machine_.id, Milliseconds(1)));
  EXPECT_FALSE((*watch)->has_resumed(machine_.id));
}

}  // namespace
}  // namespace cohort::hypervisor
