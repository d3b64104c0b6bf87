// The pauses of machines, from QEMU's own STOP and RESUME events.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "hypervisor/connection.h"
#include "service/ports/hypervisor.h"

namespace cohort::hypervisor {

// What has been heard so far of some machines.
// Threads: safe to use from several.
class PauseLog {
 public:
  explicit PauseLog(const std::vector<MachineId>& machines);

  // `event` as QEMU names it; others than STOP and RESUME, and other machines, are ignored.
  void hear(const MachineId& machine, std::string_view event, WallTime at);
  [[nodiscard]] std::optional<Pause> pause_of(const MachineId& machine, Milliseconds patience) const;
  [[nodiscard]] bool has_resumed(const MachineId& machine) const;

 private:
  struct Heard {
    std::optional<WallTime> stopped;  // of a pause that has not ended
    std::optional<Pause> pause;       // the last that has
    bool has_resumed = false;         // also from a pause that began before the watch
  };

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<MachineId, Heard> heard_;
};

// Listens on `connection` until the watch is destroyed.
[[nodiscard]] Result<std::unique_ptr<service::PauseWatch>> watch_qemu_events(ConnectionHandle connection,
                                                                             const std::vector<MachineId>& machines);
// For drivers without such events: nothing is ever seen.
[[nodiscard]] std::unique_ptr<service::PauseWatch> watch_nothing();

}  // namespace cohort::hypervisor
