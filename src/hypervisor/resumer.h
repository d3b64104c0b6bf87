// Makes machines run again, however often somebody makes them stand still.
#pragma once

#include <thread>
#include <vector>

#include "hypervisor/connection.h"

namespace cohort::hypervisor {

// Works from its construction on, on a thread for each machine, until the machine has run, or was off, for two seconds
// without a break: an order to suspend it, given by a process that has died, may still be on its way through libvirtd.
// A libvirtd that is gone is asked again until it is back. A machine that stands still for another reason than a user's
// order is left alone.
class Resumer {
 public:
  // `connections` must outlive this object. With `is_saving`, the saving of their memory is broken off: it keeps them
  // from running.
  Resumer(ConnectionPool& connections, const std::vector<MachineId>& machines, bool is_saving = false);
  // Stops all work.
  ~Resumer() = default;
  Resumer(const Resumer&) = delete;
  Resumer& operator=(const Resumer&) = delete;

  void request_stop();
  // Returns when all machines have run for long enough.
  void wait();

 private:
  std::vector<std::jthread> threads_;
};

}  // namespace cohort::hypervisor
