// Thaws guests, until it is sure that they are thawed.
#pragma once

#include <thread>
#include <vector>

#include "hypervisor/connection.h"

namespace cohort::hypervisor {

// Works from its construction on, on a thread for each machine, until its agent has told for two seconds without a
// break that nothing is frozen, or the machine is off: an order to freeze, given by a process that has died, may still
// be on its way. A libvirtd that is gone is asked again until it is back, and so is an agent that does not answer, for
// ten minutes; then the machine is given up, with a message in the system's log.
class Thawer {
 public:
  // `connections` must outlive this object.
  Thawer(ConnectionPool& connections, const std::vector<MachineId>& machines);
  // Stops all work.
  ~Thawer() = default;
  Thawer(const Thawer&) = delete;
  Thawer& operator=(const Thawer&) = delete;

  void request_stop();
  // Returns when all are thawed, or given up.
  void wait();

 private:
  std::vector<std::jthread> threads_;
};

}  // namespace cohort::hypervisor
