#include "hypervisor/thawer.h"

#include <syslog.h>

#include <chrono>
#include <stop_token>

#include "base/clock.h"
#include "hypervisor/guest_agent.h"
#include "hypervisor/lasting_sight.h"

namespace cohort::hypervisor {
namespace {

using std::chrono::steady_clock;

constexpr Milliseconds kInterval{100};
constexpr std::chrono::seconds kLongEnough{2};
constexpr std::chrono::minutes kPatience{10};

// True if nothing had to be done.
bool is_thawed(ConnectionPool& connections, const MachineId& id) {
  const auto domain = connections.domain(id);
  if (!domain) return domain.error().code == ErrorCode::kNotFound;
  const auto report = thaw(domain->get());
  if (!report) return false;
  if (!report->was_frozen) return true;
  syslog(LOG_WARNING, "thawed the file systems of the machine %s (%s), which were left frozen",
         virDomainGetName(domain->get()), id.str().c_str());
  return false;
}

void keep_thawed(ConnectionPool& connections, const MachineId& id, const std::stop_token& stop) {
  const auto give_up = steady_clock::now() + kPatience;
  LastingSight sight(kLongEnough);
  while (!stop.stop_requested()) {
    const auto began = steady_clock::now();
    if (sight.note(is_thawed(connections, id), began)) return;
    if (steady_clock::now() > give_up) {
      syslog(
          LOG_ERR,
          "the file systems of the machine %s may still be frozen, and its agent does not answer: run fsfreeze -u in "
          "the guest, or restart it",
          id.str().c_str());
      return;
    }
    std::this_thread::sleep_for(kInterval);
  }
}

}  // namespace

Thawer::Thawer(ConnectionPool& connections, const std::vector<MachineId>& machines) {
  threads_.reserve(machines.size());
  for (const MachineId& id : machines) {
    threads_.emplace_back([&connections, id](const std::stop_token& stop) { keep_thawed(connections, id, stop); });
  }
}

void Thawer::request_stop() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

void Thawer::wait() {
  for (std::jthread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace cohort::hypervisor
