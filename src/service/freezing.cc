#include "service/freezing.h"

#include <algorithm>
#include <thread>

#include "base/kill_point.h"
#include "base/parallel.h"

namespace cohort::service {
namespace {

constexpr Milliseconds kThawPatience{30'000};
constexpr Milliseconds kThawPause{200};

void fall_back_to_crash(MemberSnapshot& member, std::string reason) {
  member.consistency.level = Consistency::kCrash;
  member.consistency.reason = std::move(reason);
}

// What is known of a member whose guest is not asked.
void foresee_unasked(MemberSnapshot& member, ConsistencyWish asked) {
  if (member.power == PowerState::kOff) {
    member.consistency.level = Consistency::kOff;
  } else if (asked != ConsistencyWish::kCrash) {
    fall_back_to_crash(member, "It was paused, and its agent could not be asked to freeze.");
  }
}

void foresee(MemberSnapshot& member, const Result<FreezeOutlook>& outlook) {
  MemberConsistency& consistency = member.consistency;
  if (!outlook) return fall_back_to_crash(member, outlook.error().describe());
  consistency.frozen_by_others = outlook->is_frozen;
  consistency.level = outlook->has_hook ? Consistency::kApplication : Consistency::kFileSystem;
  if (outlook->is_frozen) {
    consistency.reason = "Somebody else had frozen its file systems before, and they were left frozen.";
  } else if (!outlook->has_hook) {
    consistency.reason = "Its agent shows no freeze hook that would tell applications.";
  }
}

// A running member without more than crash consistency is a failure only where more is insisted on.
Result<void> check_wish(const Snapshot& snapshot) {
  if (snapshot.asked != ConsistencyWish::kApplication) return {};
  std::vector<std::string> refusals;
  for (const auto& member : snapshot.members) {
    const bool falls_short = member.power == PowerState::kRunning && member.consistency.level == Consistency::kCrash;
    if (falls_short) refusals.push_back(fmt::format("\"{}\": {}", member.name, member.consistency.reason));
  }
  if (refusals.empty()) return {};
  return fail(
      ErrorCode::kInvalidState,
      "Not all guests could be frozen for an application-consistent snapshot. {} Mend that in the guest, give it "
      "a longer --freeze-deadline, or take what is possible with --consistency best.",
      fmt::join(refusals, " "));
}

bool is_gone(const Error& error) { return error.code == ErrorCode::kNotFound; }

Error still_frozen(const MemberSnapshot& member, const Error& reason) {
  return Error{
      reason.code,
      fmt::format("THE FILE SYSTEMS OF \"{}\" MAY STILL BE FROZEN, and cannot be thawed: {} See that its agent "
                  "answers, or run `fsfreeze -u` in the guest, or restart it; then run any changing command.",
                  member.name, reason.message),
      reason.cause,
      {}};
}

// Why the freeze cannot be taken to have lasted until the thaw; empty if it can.
std::string doubt_of(const ThawReport& report, std::uint64_t frozen) {
  if (!report.complaint.empty()) return fmt::format("The agent complained of the thaw: {}", report.complaint);
  if (report.file_systems.value_or(0) >= frozen) return {};
  return fmt::format("Of {} frozen file systems only {} were still frozen at the end: somebody thawed them meanwhile.",
                     frozen, report.file_systems.value_or(0));
}

}  // namespace

Result<void> foresee_consistency(Snapshot& snapshot, Hypervisor& hypervisor) {
  std::vector<MemberSnapshot*> asked;
  for (auto& member : snapshot.members) {
    const bool is_asked = snapshot.asked != ConsistencyWish::kCrash && member.power == PowerState::kRunning;
    if (is_asked) {
      asked.push_back(&member);
    } else {
      foresee_unasked(member, snapshot.asked);
    }
  }
  const auto outlooks =
      run_in_parallel(asked.size(), [&](std::size_t i) { return hypervisor.freeze_outlook(asked[i]->machine); });
  for (std::size_t i = 0; i < asked.size(); ++i) foresee(*asked[i], outlooks[i]);
  return check_wish(snapshot);
}

Result<ThawReport> thaw_stubbornly(const MemberSnapshot& member, Hypervisor& hypervisor, Milliseconds patience) {
  const SteadyTime until = std::chrono::steady_clock::now() + patience;
  auto thawed = hypervisor.thaw(member.machine);
  while (!thawed && !is_gone(thawed.error()) && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(kThawPause);
    thawed = hypervisor.thaw(member.machine);
  }
  if (!thawed && is_gone(thawed.error())) return ThawReport{};
  if (!thawed) return Failure{still_frozen(member, thawed.error())};
  return thawed;
}

Freezing::Freezing(Snapshot& snapshot, Hypervisor& hypervisor, const Clock& clock)
    : snapshot_(snapshot), hypervisor_(hypervisor), clock_(clock) {
  for (auto& member : snapshot.members) {
    if (member.consistency.needs_freeze()) guests_.push_back({member});
  }
}

std::vector<MachineId> Freezing::machines() const {
  std::vector<MachineId> machines;
  for (const auto& guest : guests_) machines.push_back(guest.member.machine);
  return machines;
}

bool Freezing::is_any_left() const {
  return std::ranges::any_of(guests_, [](const Guest& guest) { return guest.member.consistency.may_be_frozen; });
}

Milliseconds Freezing::longest() const { return snapshot_.fence.freeze_deadline + snapshot_.fence.deadline; }

void Freezing::begin() {
  for (auto& guest : guests_) guest.member.consistency.may_be_frozen = true;
}

// An answer that comes too late is no freeze: the others have waited for as long as they may.
Result<std::uint64_t> Freezing::freeze_in_time(const Guest& guest) const {
  const Milliseconds allowed = snapshot_.fence.freeze_deadline;
  COHORT_ASSIGN(const auto file_systems, hypervisor_.freeze(guest.member.machine, allowed));
  if (std::chrono::duration_cast<Milliseconds>(clock_.steady() - began_) <= allowed) return file_systems;
  return fail(ErrorCode::kTimeout, "It was not frozen within {} ms.", allowed.count());
}

Result<void> Freezing::freeze() {
  began_ = clock_.steady();
  const auto frozen = run_in_parallel(guests_.size(), [&](std::size_t i) { return freeze_in_time(guests_[i]); });
  kill_point("freeze.frozen");
  for (std::size_t i = 0; i < guests_.size(); ++i) {
    if (frozen[i]) {
      guests_[i].file_systems = *frozen[i];
    } else {
      fall_back_to_crash(guests_[i].member, frozen[i].error().describe());
    }
  }
  return check_wish(snapshot_);
}

Result<void> Freezing::thaw(Guest& guest) const {
  MemberConsistency& consistency = guest.member.consistency;
  COHORT_ASSIGN(const auto report, thaw_stubbornly(guest.member, hypervisor_, kThawPatience));
  consistency.may_be_frozen = false;
  if (consistency.level == Consistency::kCrash) return {};
  consistency.frozen = std::chrono::duration_cast<Microseconds>(clock_.steady() - began_);
  if (auto doubt = doubt_of(report, guest.file_systems); !doubt.empty()) {
    fall_back_to_crash(guest.member, std::move(doubt));
  }
  return {};
}

// Who was frozen before has to be so still.
void Freezing::check_others() const {
  for (auto& member : snapshot_.members) {
    if (!member.consistency.frozen_by_others) continue;
    const auto now = hypervisor_.freeze_outlook(member.machine);
    if (now && now->is_frozen) continue;
    fall_back_to_crash(member, "Its file systems, which somebody else had frozen, did not stay so until the end.");
  }
}

Result<void> Freezing::thaw() {
  const auto thawed = run_in_parallel(guests_.size(), [&](std::size_t i) { return thaw(guests_[i]); });
  kill_point("freeze.thawed");
  for (const auto& outcome : thawed) COHORT_TRY(outcome);
  return {};
}

Result<void> Freezing::judge() const {
  check_others();
  return check_wish(snapshot_);
}

}  // namespace cohort::service
