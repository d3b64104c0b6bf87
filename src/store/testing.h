// Other processes, for the tests of the store.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <thread>

#include "store/sqlite_store.h"

namespace cohort::store {

constexpr const char* kUri = "test:///default";
constexpr std::chrono::seconds kPatience{60};  // a bound for a machine under load, not an expectation

// A process forked off the test that runs `work` and exits with what it returns; killed with its object.
class Child {
 public:
  explicit Child(const std::function<int()>& work) : pid_(::fork()) {
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // some work without end: it must not outlive a test that is killed
      ::_exit(work());
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { kill(); }

  [[nodiscard]] pid_t pid() const { return pid_; }
  void kill() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      wait();
    }
  }
  // Its exit status, or 128 + the signal that ended it.
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_;
};

// A number that a test and its children share.
class SharedNumber {
 public:
  SharedNumber()
      : number_(::new(::mmap(nullptr, sizeof(std::atomic<int>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                             0)) std::atomic<int>(0)) {}
  SharedNumber(const SharedNumber&) = delete;
  SharedNumber& operator=(const SharedNumber&) = delete;
  ~SharedNumber() { ::munmap(number_, sizeof(std::atomic<int>)); }

  std::atomic<int>& operator*() const { return *number_; }
  // False when it stays below for longer than anybody should have to wait.
  [[nodiscard]] bool reaches(int value) const {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (number_->load() < value) {
      if (std::chrono::steady_clock::now() > end) {
        return false;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }

 private:
  std::atomic<int>* number_;
};

// For a child: the store, or the end of the child with a status that fails the test.
inline std::unique_ptr<service::StateStore> open_or_exit(const Path& state, Access access) {
  auto opened = open_sqlite_store(state, access, kUri);
  if (!opened) {
    ::fprintf(stderr, "child: %s\n", opened.error().describe().c_str());
    ::_exit(99);
  }
  return std::move(*opened);
}

inline std::unique_ptr<service::StateStore> open_or_fail(const Path& state, Access access = Access::kWrite) {
  auto opened = open_sqlite_store(state, access, kUri);
  if (!opened) {
    ADD_FAILURE() << opened.error().describe();
    return nullptr;
  }
  return std::move(*opened);
}

inline Snapshot snapshot_of_generation(const SnapshotId& id, int generation) {
  Snapshot snapshot;
  snapshot.id = id;
  snapshot.name = std::to_string(generation);
  snapshot.state = SnapshotState::kReady;
  for (int i = 0; i < 8; ++i) {
    MemberSnapshot& member = snapshot.members.emplace_back();
    member.machine = MachineId::generate();
    member.name = snapshot.name;
    member.configuration = std::string(3000, 'x');
    member.disks = {{"vda", {"/x/" + snapshot.name, "qcow2"}, "/x/overlay", 1}};
  }
  return snapshot;
}

inline Job running_job() {
  Job job;
  job.id = JobId::generate();
  job.type = JobType::kExport;
  job.state = JobState::kRunning;
  job.pid = ::getpid();
  return job;
}

}  // namespace cohort::store
