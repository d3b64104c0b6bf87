// How machines come to their end, from libvirt's life cycle events.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "hypervisor/connection.h"
#include "service/ports/hypervisor.h"

namespace cohort::hypervisor {

// Of a life cycle event (virDomainEventType) and its detail; nothing if the machine goes on.
[[nodiscard]] std::optional<service::MachineEnd> end_in_event(int event, int detail);

// What has been heard so far of some machines.
// Threads: safe to use from several.
class EndLog {
 public:
  explicit EndLog(const std::vector<MachineId>& machines) : machines_(machines) {}

  // The first end of each machine counts; others are ignored.
  void hear(const MachineId& machine, service::MachineEnd end);
  [[nodiscard]] service::MachineEnd end_of(const MachineId& machine, Milliseconds patience) const;

 private:
  std::vector<MachineId> machines_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<MachineId, service::MachineEnd> ends_;
};

// Listens on `connection` until the watch is destroyed.
[[nodiscard]] Result<std::unique_ptr<service::EndWatch>> watch_life_cycles(ConnectionHandle connection,
                                                                           const std::vector<MachineId>& machines);

}  // namespace cohort::hypervisor
