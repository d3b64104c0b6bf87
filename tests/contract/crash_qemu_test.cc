// Merges that are killed at each of their kill points, and fences whose process dies, stops or hangs; on real QEMU
// machines. This program is its own victim: with "--merge" or "--fence" it does what is to be killed.
#include <gtest/gtest.h>
#include <libvirt/virterror.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill is POSIX
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <thread>

#include "contract/qemu_machine.h"
#include "hypervisor/libvirt_hypervisor.h"

namespace cohort::contract {
namespace {

constexpr const char* kSelf = "/proc/self/exe";

// Where the victim of a merge keeps its mark.
Path mark_of(const Path& overlay) { return overlay.string() + ".merged"; }

// --merge UUID TARGET FROZEN FORMAT OVERLAY
int merge_and_exit(char** argv) {
  const auto hypervisor = hypervisor::open_libvirt(uri());
  const auto id = MachineId::parse(argv[2]);
  if (!hypervisor || !id) return 2;
  const DiskSnapshot disk{argv[3], {argv[4], argv[5]}, argv[6], 0};
  const auto mark = [&](bool merged) {
    return merged ? create_file(mark_of(disk.overlay), "") : remove_file(mark_of(disk.overlay));
  };
  const auto merged = (*hypervisor)->merge_overlay(*id, disk, {}, {{}, mark});
  if (!merged) std::cerr << merged.error().describe() << "\n";
  return merged ? 0 : 1;
}

// --fence HOW DEADLINE_MS UUID…: makes the machines stand still, then dies, stops or hangs in this state.
int fence_and_fail(int argc, char** argv) {
  const auto hypervisor = hypervisor::open_libvirt(uri()).value_or(nullptr);
  std::vector<MachineId> machines;
  for (int i = 4; i < argc; ++i) machines.push_back(MachineId::parse(argv[i]).value_or(MachineId()));
  const auto guard = hypervisor::make_process_guard(uri(), COHORT_GUARD_PROGRAM);
  const auto armed = guard->arm({machines, Milliseconds(std::atoi(argv[3])), {}, {}});
  const std::string how = argv[2];
  if (!armed) return 2;
  if (how == "unraised") ::kill(::getpid(), SIGKILL);
  if (!(*armed)->raise()) return 3;
  for (const MachineId& machine : machines) {
    if (!hypervisor->suspend(machine)) return 4;
  }
  std::cout << "stand still" << std::endl;
  if (how == "die") ::kill(::getpid(), SIGKILL);
  // As Ctrl-C or the end of a terminal does it; only this process heeds it.
  if (how == "group") ::kill(0, SIGINT);
  if (how == "stop") ::kill(::getpid(), SIGSTOP);
  std::this_thread::sleep_for(std::chrono::minutes(1));
  return 0;
}

// Starts this program in a process group of its own.
pid_t spawn_self(const std::vector<std::string>& words, const std::string& kill_at = {}) {
  const Path self = std::filesystem::read_symlink(kSelf);
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::setpgid(0, 0);
  if (!kill_at.empty()) ::setenv("COHORT_KILL_AT", kill_at.c_str(), 1);
  std::vector<const char*> argv{self.c_str()};
  for (const auto& word : words) argv.push_back(word.c_str());
  argv.push_back(nullptr);
  ::execv(self.c_str(), const_cast<char**>(argv.data()));
  ::_exit(127);
}

int wait_for(pid_t pid) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

std::vector<std::string> merge_words(const QemuMachine& machine, const DiskSnapshot& disk) {
  return {"--merge",          machine.id().str(),   disk.target, disk.frozen.path.string(),
          disk.frozen.format, disk.overlay.string()};
}

class CrashQemu : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = hypervisor::open_libvirt(uri());
    if (!opened) GTEST_SKIP() << "SKIP: no libvirt: " << opened.error().describe();
    hypervisor_ = std::move(*opened);
  }

  // Two overlays on a machine that has written to each; the one with this number is merged and the process killed.
  void kill_merge_at(const std::string& point, bool is_live, std::size_t merged, bool starts_between) {
    SCOPED_TRACE(fmt::format("{} {} overlay {}{}", point, is_live ? "live" : "off", merged,
                             starts_between ? ", started between" : ""));
    QemuMachine machine(folder_.path(), "crash", {"qcow2", "raw"});
    if (is_live) {
      ASSERT_TRUE(machine.start());
    }
    auto first = snapshot_member(*hypervisor_, machine.id());
    ASSERT_TRUE(first) << first.error().describe();
    ASSERT_TRUE(machine.write(0, 0, 1) && machine.write(0, 1, 1));
    auto second = snapshot_member(*hypervisor_, machine.id());
    ASSERT_TRUE(second) << second.error().describe();
    ASSERT_TRUE(machine.write(0, 0, 2) && machine.write(0, 2, 2));
    MemberSnapshot& target = merged == 0 ? *first : *second;
    ASSERT_EQ(wait_for(spawn_self(merge_words(machine, target.disks[0]), point)), 128 + SIGKILL);
    target.disks[0].merged = std::filesystem::remove(mark_of(target.disks[0].overlay));
    if (starts_between) {
      ASSERT_TRUE(machine.start()) << virGetLastErrorMessage();
      ASSERT_TRUE(machine.write(0, 0, 3));
      ASSERT_TRUE(machine.stop());
      ASSERT_TRUE(machine.holds(0, 0, 3));
    }
    const auto outcome = merge_member(*hypervisor_, target, {&*first, &*second});
    ASSERT_TRUE(outcome) << outcome.error().describe();
    const auto rest = merge_member(*hypervisor_, merged == 0 ? *second : *first);
    ASSERT_TRUE(rest) << rest.error().describe();
    EXPECT_TRUE(machine.holds(0, 0, starts_between ? 3 : 2));
    EXPECT_TRUE(machine.holds(0, 1, 1));
    EXPECT_TRUE(machine.holds(0, 2, 2));
    EXPECT_EQ(machine.active_file(0).path, machine.disks()[0].active.path);
    EXPECT_FALSE(std::filesystem::exists(first->disks[0].overlay));
    EXPECT_FALSE(std::filesystem::exists(second->disks[0].overlay));
  }

  std::unique_ptr<service::Hypervisor> hypervisor_;
  DiskFolder folder_;
};

TEST_F(CrashQemu, AMergeThatWasKilledLiveIsFinishedByTheNext) {
  for (const char* point : {"merge.before_commit", "merge.before_pivot", "merge.after_commit", "merge.before_remove"}) {
    kill_merge_at(point, true, 1, false);
  }
  for (const char* point : {"merge.before_commit", "merge.after_commit", "merge.before_remove"}) {
    kill_merge_at(point, true, 0, false);
  }
}

TEST_F(CrashQemu, AMergeThatWasKilledOfflineIsFinishedByTheNext) {
  for (const char* point : {"merge.before_commit", "merge.offline_after_commit", "merge.offline_marked",
                            "merge.offline_after_define", "merge.before_remove"}) {
    kill_merge_at(point, false, 1, false);
    kill_merge_at(point, false, 1, true);
    kill_merge_at(point, false, 0, true);
  }
  kill_merge_at("merge.offline_after_rebase", false, 0, false);
  kill_merge_at("merge.offline_after_rebase", false, 0, true);
}

class GuardQemu : public CrashQemu {
 protected:
  void SetUp() override {
    CrashQemu::SetUp();
    for (const char* name : {"guard1", "guard2", "guard3"}) {
      machines_.push_back(std::make_unique<QemuMachine>(folder_.path(), name, std::vector<std::string>{"raw"}));
      ASSERT_TRUE(machines_.back()->start());
    }
  }
  void TearDown() override {
    if (victim_ <= 0) return;
    ::kill(victim_, SIGKILL);
    wait_for(victim_);
  }

  void fence(const std::string& how, int deadline_ms) {
    std::vector<std::string> words{"--fence", how, std::to_string(deadline_ms)};
    for (const auto& machine : machines_) words.push_back(machine->id().str());
    victim_ = spawn_self(words);
  }
  [[nodiscard]] bool all_are(int state) const {
    return std::all_of(machines_.begin(), machines_.end(),
                       [state](const auto& machine) { return machine->state() == state; });
  }
  bool all_become(int state, std::chrono::seconds patience) const {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!all_are(state)) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(Milliseconds(5));
    }
    return true;
  }

  std::vector<std::unique_ptr<QemuMachine>> machines_;
  pid_t victim_ = -1;
};

TEST_F(GuardQemu, ResumesWhatAKilledProcessLeftStandingStill) {
  fence("die", 60000);
  wait_for(std::exchange(victim_, -1));
  EXPECT_TRUE(all_become(VIR_DOMAIN_RUNNING, std::chrono::seconds(20)));
  // An order that was still on its way comes late.
  ASSERT_TRUE(machines_[1]->pause());
  EXPECT_TRUE(all_become(VIR_DOMAIN_RUNNING, std::chrono::seconds(20)));
}

TEST_F(GuardQemu, OutlivesASignalToTheWholeProcessGroup) {
  fence("group", 60000);
  EXPECT_EQ(wait_for(std::exchange(victim_, -1)), 128 + SIGINT);
  EXPECT_TRUE(all_become(VIR_DOMAIN_RUNNING, std::chrono::seconds(20)));
}

TEST_F(GuardQemu, ResumesAtTheDeadlineWhenTheProcessIsStoppedOrHangs) {
  for (const char* how : {"stop", "hang"}) {
    fence(how, 3000);
    EXPECT_TRUE(all_become(VIR_DOMAIN_PAUSED, std::chrono::seconds(30))) << how;
    EXPECT_TRUE(all_become(VIR_DOMAIN_RUNNING, std::chrono::seconds(30))) << how;
    TearDown();
  }
}

TEST_F(GuardQemu, LeavesAloneWhatAUserPausedBeforeTheFenceWentUp) {
  ASSERT_TRUE(machines_[0]->pause());
  fence("unraised", 100);
  wait_for(std::exchange(victim_, -1));
  std::this_thread::sleep_for(std::chrono::seconds(1));
  EXPECT_EQ(machines_[0]->state(), VIR_DOMAIN_PAUSED);
}

}  // namespace
}  // namespace cohort::contract

int main(int argc, char** argv) {
  if (argc == 7 && std::string(argv[1]) == "--merge") return cohort::contract::merge_and_exit(argv);
  if (argc > 4 && std::string(argv[1]) == "--fence") return cohort::contract::fence_and_fail(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
