#include "service/try_watch.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace cohort::service {
namespace {

constexpr Milliseconds kBetweenLooks{250};
// How long after a machine is gone libvirt may take to say why.
constexpr Milliseconds kEndPatience{2000};

std::string names_of(const std::vector<TriedMachine>& machines, bool (*is_meant)(const TriedMachine&)) {
  std::vector<std::string> names;
  for (const auto& machine : machines) {
    if (is_meant(machine)) names.push_back(fmt::format("\"{}\"", machine.name));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

bool is_awaited(const TriedMachine& machine) { return !machine.agent_after; }
bool is_running(const TriedMachine& machine) { return !machine.end; }

}  // namespace

std::string_view words_for(MachineEnd end) {
  switch (end) {
    case MachineEnd::kShutDown:
      return "shut itself down";
    case MachineEnd::kCrashed:
      return "crashed";
    case MachineEnd::kStopped:
      break;
  }
  // By somebody, or nothing was heard of it: libvirtd may have been started again.
  return "stopped for an unknown reason";
}

Result<void> TryWatch::run() {
  if (request_.agent_patience) COHORT_TRY(wait_for_agents());
  if (request_.run_for || !request_.agent_patience) COHORT_TRY(run_on());
  report_.ran = passed_since(began_);
  return {};
}

Result<void> TryWatch::wait_for_agents() {
  while (true) {
    job_.set_phase(fmt::format("waiting for the agents of {}", names_of(report_.machines, is_awaited)));
    COHORT_TRY(job_.check_cancelled());
    COHORT_TRY(look());
    COHORT_TRY(check_none_ended());
    COHORT_TRY(ask_agents());
    if (!waits_for_agents()) return {};
    if (passed_since(began_) >= *request_.agent_patience) return Failure{agent_timeout()};
    static_cast<void>(pause());  // a stop is heard above
  }
}

Result<void> TryWatch::ask_agents() {
  for (auto& machine : report_.machines) {
    if (machine.agent_after) continue;
    const auto answers = hypervisor_.agent_answers(machine.id);
    // It has ended since: the next look says how.
    if (!answers && answers.error().code == ErrorCode::kNotFound) continue;
    if (!answers) return Failure{answers.error()};
    if (*answers) machine.agent_after = passed_since(began_);
  }
  return {};
}

Result<void> TryWatch::run_on() {
  const SteadyTime begin = clock_.steady();
  while (!request_.run_for || passed_since(begin) < *request_.run_for) {
    job_.set_phase(fmt::format("running {}", names_of(report_.machines, is_running)));
    COHORT_TRY(look());
    if (all_ended()) return {};
    if (!pause()) return request_.run_for ? job_.check_cancelled() : look();
  }
  return look();
}

Result<void> TryWatch::look() {
  for (auto& machine : report_.machines) {
    if (machine.end) continue;
    const auto found = hypervisor_.machine(machine.id);
    if (found) {
      machine.power = found->power;
      // Its configuration may keep it for a look at the crash.
      if (ends_.end_of(machine.id, Milliseconds(0)) == MachineEnd::kCrashed) machine.end = MachineEnd::kCrashed;
      continue;
    }
    if (found.error().code != ErrorCode::kNotFound) return Failure{found.error()};
    machine.end = ends_.end_of(machine.id, kEndPatience);
  }
  return {};
}

Result<void> TryWatch::check_none_ended() const {
  const auto ended = std::ranges::find_if(
      report_.machines, [](const TriedMachine& machine) { return machine.end.has_value() && is_awaited(machine); });
  if (ended == report_.machines.end()) return {};
  return fail(ErrorCode::kInvalidState, "The machine \"{}\" {} before its agent had answered.", ended->name,
              words_for(*ended->end));
}

bool TryWatch::all_ended() const { return std::ranges::none_of(report_.machines, is_running); }

bool TryWatch::waits_for_agents() const { return std::ranges::any_of(report_.machines, is_awaited); }

bool TryWatch::pause() const {
  std::mutex mutex;
  std::condition_variable_any woken;
  std::unique_lock lock(mutex);
  const auto stop = job_.stop();
  woken.wait_for(lock, stop, kBetweenLooks, [&] { return stop.stop_requested(); });
  return !stop.stop_requested();
}

Milliseconds TryWatch::passed_since(SteadyTime begin) const {
  return std::chrono::duration_cast<Milliseconds>(clock_.steady() - begin);
}

Error TryWatch::agent_timeout() const {
  return make_error(ErrorCode::kTimeout,
                    "No agent answered within {} s in: {}. Does the guest start, and does it run an agent? Without "
                    "--wait-for-agent you can look at its console.",
                    request_.agent_patience->count() / 1000, names_of(report_.machines, is_awaited));
}

}  // namespace cohort::service
