#include "hypervisor/resumer.h"

#include <syslog.h>

#include <chrono>
#include <stop_token>

#include "base/clock.h"
#include "hypervisor/lasting_sight.h"
#include "hypervisor/memory.h"
#include "hypervisor/power.h"

namespace cohort::hypervisor {
namespace {

using std::chrono::steady_clock;

constexpr Milliseconds kInterval{50};
constexpr std::chrono::seconds kLongEnough{2};

enum class Finding { kRuns, kResumed, kNotKnown };

Finding look_and_resume(ConnectionPool& connections, const MachineId& id, bool is_saving) {
  const auto domain = connections.domain(id);
  // One that is no more needs no help.
  if (!domain) return domain.error().code == ErrorCode::kNotFound ? Finding::kRuns : Finding::kNotKnown;
  const auto state = settled_state_of(domain->get());
  if (!state) return Finding::kNotKnown;
  if (!state->is_paused_by_user()) return Finding::kRuns;
  if (is_saving) break_off_saving(domain->get());
  if (virDomainResume(domain->get()) != 0) return Finding::kNotKnown;
  syslog(LOG_WARNING, "resumed the machine %s (%s), which was left standing still", virDomainGetName(domain->get()),
         id.str().c_str());
  return Finding::kResumed;
}

void keep_running(ConnectionPool& connections, const MachineId& id, bool is_saving, const std::stop_token& stop) {
  LastingSight sight(kLongEnough);
  while (!stop.stop_requested()) {
    const auto began = steady_clock::now();
    if (sight.note(look_and_resume(connections, id, is_saving) == Finding::kRuns, began)) return;
    std::this_thread::sleep_for(kInterval);
  }
}

}  // namespace

Resumer::Resumer(ConnectionPool& connections, const std::vector<MachineId>& machines, bool is_saving) {
  threads_.reserve(machines.size());
  for (const MachineId& id : machines) {
    threads_.emplace_back(
        [&connections, id, is_saving](const std::stop_token& stop) { keep_running(connections, id, is_saving, stop); });
  }
}

void Resumer::request_stop() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

void Resumer::wait() {
  for (std::jthread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace cohort::hypervisor
