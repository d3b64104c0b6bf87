#include "service/fence.h"

#include <mutex>
#include <optional>
#include <thread>

#include "base/kill_point.h"
#include "base/parallel.h"
#include "service/freezing.h"
#include "service/frozen_stamps.h"

namespace cohort::service {
namespace {

constexpr Milliseconds kEventPatience{1000};
constexpr int kResumeAttempts = 50;
constexpr Milliseconds kResumePause{200};

class Fence {
 public:
  Fence(Snapshot& snapshot, Hypervisor& hypervisor, const Clock& clock)
      : snapshot_(snapshot), hypervisor_(hypervisor), clock_(clock) {
    for (const auto& member : snapshot.members) {
      members_.push_back(member.machine);
      if (member.power == PowerState::kRunning) running_.push_back(member.machine);
    }
  }

  [[nodiscard]] const std::vector<MachineId>& running() const { return running_; }

  Result<void> watch() {
    COHORT_ASSIGN(watch_, hypervisor_.watch_pauses(members_));
    return {};
  }

  // False if members may stand still by order of this fence.
  [[nodiscard]] bool is_down() const { return is_down_; }

  // All running members stand still when this succeeds.
  Result<void> raise() {
    is_down_ = false;
    raised_at_ = clock_.steady();
    const auto suspended =
        run_in_parallel(running_.size(), [&](std::size_t i) { return hypervisor_.suspend(running_[i]); });
    for (std::size_t i = 0; i < running_.size(); ++i) {
      // Who did not run any more was stopped by somebody else, and is not to be resumed.
      const bool is_foreign = !suspended[i] && suspended[i].error().code == ErrorCode::kInvalidState;
      if (!is_foreign) stopped_.push_back(running_[i]);
    }
    kill_point("fence.suspended");
    for (const auto& outcome : suspended) COHORT_TRY(outcome);
    return check_deadline();
  }

  Result<std::vector<MachineStateFiles>> capture(const std::stop_token& stop) {
    const auto& members = snapshot_.members;
    const std::stop_callback on_cancel(stop, [this] { stop_saving(); });
    auto captured = run_in_parallel(members.size(), [&](std::size_t i) {
      auto outcome = hypervisor_.capture(members[i]);
      if (!outcome) give_up(outcome.error());
      return outcome;
    });
    kill_point("fence.captured");
    std::vector<MachineStateFiles> files;
    for (auto& outcome : captured) {
      if (!outcome) return Failure{why(stop)};
      files.push_back(*std::move(outcome));
    }
    COHORT_TRY(check_unbroken());
    return files;
  }

  // Lets every member run that this fence has stopped, or may have.
  Result<void> lower() {
    const auto resumed =
        run_in_parallel(stopped_.size(), [&](std::size_t i) { return resume_stubbornly(stopped_[i]); });
    if (!running_.empty()) {
      snapshot_.fence.raised = std::chrono::duration_cast<Microseconds>(clock_.steady() - raised_at_);
    }
    kill_point("fence.resumed");
    for (const auto& outcome : resumed) COHORT_TRY(outcome);
    is_down_ = true;
    return {};
  }

  void measure() {
    for (auto& member : snapshot_.members) {
      if (member.power == PowerState::kRunning) member.pause = watch_->pause_of(member.machine, kEventPatience);
    }
    stamp_frozen_files(snapshot_);
    measure_overlap(snapshot_.members, snapshot_.fence);
    if (snapshot_.fence.is_proven()) snapshot_.instant = *snapshot_.fence.overlap_begin;
  }

 private:
  void stop_saving() const {
    for (const auto& member : snapshot_.members) {
      // One that cannot be told comes to its end by itself, or the guard ends it.
      if (member.memory) static_cast<void>(hypervisor_.stop_saving(member.machine));
    }
  }

  // The others would stand still for long, and in vain; they fail because of it, and later.
  void give_up(const Error& error) {
    {
      const std::lock_guard lock(mutex_);
      if (!first_failure_) first_failure_ = error;
    }
    stop_saving();
  }

  // Saving that was broken off does not say why.
  [[nodiscard]] Error why(const std::stop_token& stop) const {
    if (memory_bytes(snapshot_) == 0) return *first_failure_;
    if (stop.stop_requested()) {
      return make_error(ErrorCode::kCancelled, "The snapshot was cancelled while the memory was saved; all run again.");
    }
    if (const auto in_time = check_deadline(); !in_time) return in_time.error();
    return *first_failure_;
  }

  [[nodiscard]] Result<void> check_deadline() const {
    const auto passed = std::chrono::duration_cast<Milliseconds>(clock_.steady() - raised_at_);
    if (passed < snapshot_.fence.deadline) return {};
    return fail(ErrorCode::kTimeout,
                "The machines could not be made to stand still together within {} ms; they run again. Choose a longer "
                "--deadline, or a moment with less load.",
                snapshot_.fence.deadline.count());
  }

  // Somebody else, or the guard, let a member run while others were still being captured.
  [[nodiscard]] Result<void> check_unbroken() const {
    for (const auto& member : snapshot_.members) {
      if (watch_->has_resumed(member.machine)) {
        return fail(ErrorCode::kTimeout,
                    "The machine \"{}\" was let run before all were captured (the deadline is {} ms): there is no one "
                    "instant. Try again, with a longer --deadline if the host is busy.",
                    member.name, snapshot_.fence.deadline.count());
      }
      COHORT_TRY(check_still(member));
    }
    return check_deadline();
  }

  // A machine that was off or paused and has been started may have been captured while it ran.
  [[nodiscard]] Result<void> check_still(const MemberSnapshot& member) const {
    if (member.power == PowerState::kRunning) return {};
    COHORT_ASSIGN(const auto now, hypervisor_.machine(member.machine));
    if (now.power == member.power) return {};
    return fail(ErrorCode::kInvalidState,
                "The machine \"{}\" was {} and is {}: somebody has started or stopped it while all were captured, and "
                "there is no one instant. Try again.",
                member.name, to_string(member.power), to_string(now.power));
  }

  [[nodiscard]] Result<void> resume_stubbornly(const MachineId& machine) {
    Result<void> outcome = hypervisor_.resume(machine);
    for (int attempt = 1; attempt < kResumeAttempts && !outcome; ++attempt) {
      if (outcome.error().code == ErrorCode::kNotFound) return {};  // it is gone: nothing stands still
      std::this_thread::sleep_for(kResumePause);
      outcome = hypervisor_.resume(machine);
    }
    return outcome;
  }

  Snapshot& snapshot_;
  Hypervisor& hypervisor_;
  const Clock& clock_;
  std::vector<MachineId> members_;
  std::vector<MachineId> running_;
  std::vector<MachineId> stopped_;  // by this fence, as far as can be known
  std::unique_ptr<PauseWatch> watch_;
  SteadyTime raised_at_;
  bool is_down_ = true;
  std::mutex mutex_;
  std::optional<Error> first_failure_;  // to capture a member
};

Result<std::vector<MachineStateFiles>> raise_and_capture(Fence& fence, const std::stop_token& stop) {
  COHORT_TRY(fence.raise());
  return fence.capture(stop);
}

Result<void> disarm(ArmedGuard& guard) {
  COHORT_ASSIGN(const bool has_acted, guard.disarm());
  if (has_acted) {
    return fail(ErrorCode::kTimeout,
                "The guard let the machines run because the deadline had passed: there is no one instant. Try again, "
                "with a longer --deadline if the host is busy.");
  }
  return {};
}

// All running members run again when this returns, unless the fence says otherwise.
Result<std::vector<MachineStateFiles>> freeze_and_capture(Fence& fence, Freezing& freezing, ArmedGuard& guard,
                                                          const std::stop_token& stop) {
  if (!freezing.machines().empty()) {
    COHORT_TRY(guard.freeze());
    COHORT_TRY(freezing.freeze());
  }
  COHORT_TRY(guard.raise());
  auto files = raise_and_capture(fence, stop);
  // Not disarmed if this fails: the guard then tries on its own.
  COHORT_TRY(fence.lower());
  const auto disarmed = disarm(guard);
  COHORT_TRY(files);
  COHORT_TRY(disarmed);
  return files;
}

// Whatever came before, and before anything that takes time: guests wait for it.
// A guard that has to go on letting machines run is not told: it thaws once more, too.
Result<void> thaw(const Fence& fence, Freezing& freezing, ArmedGuard& guard) {
  auto thawed = freezing.thaw();
  const bool is_done = !freezing.machines().empty() && !freezing.is_any_left() && fence.is_down();
  const auto told = is_done ? guard.thawed() : Result<void>();
  COHORT_TRY(thawed);
  COHORT_TRY(told);
  return freezing.judge();
}

}  // namespace

Result<std::vector<MachineStateFiles>> capture_inside_fence(
    Snapshot& snapshot, Hypervisor& hypervisor, Guard& guard, const Clock& clock, const std::stop_token& stop,
    const std::function<Result<void>(const Snapshot&)>& commit_intent) {
  Fence fence(snapshot, hypervisor, clock);
  Freezing freezing(snapshot, hypervisor, clock);
  COHORT_TRY(fence.watch());
  COHORT_ASSIGN(const auto armed, guard.arm({fence.running(), snapshot.fence.deadline, freezing.machines(),
                                             freezing.longest(), memory_bytes(snapshot) > 0}));
  snapshot.instant = clock.wall();
  freezing.begin();
  COHORT_TRY(commit_intent(snapshot));
  kill_point("fence.intent");
  auto files = freeze_and_capture(fence, freezing, *armed, stop);
  const auto thawed = thaw(fence, freezing, *armed);
  if (!files || !thawed) {
    // Without an instant, the snapshot tells whoever takes it back that nobody stands still because of it. If that
    // cannot be stored, they are resumed once more.
    if (fence.is_down()) snapshot.instant = WallTime{};
    static_cast<void>(commit_intent(snapshot));
  }
  COHORT_TRY(files);
  COHORT_TRY(thawed);
  fence.measure();
  return files;
}

}  // namespace cohort::service
