// Boots the machines of a package straight from its files, for a look, and leaves nothing of them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "domain/machine.h"
#include "domain/refusal_kind.h"
#include "service/job_context.h"
#include "service/ports/hypervisor.h"
#include "service/ports/state_store.h"
#include "service/undo.h"

namespace cohort::service {

enum class TryNetwork {
  kNone,      // the interfaces are there, their cables are not plugged in
  kIsolated,  // the machines of the try see each other, and nobody else
};
[[nodiscard]] std::string_view to_string(TryNetwork network);  // "none", "isolated"
// kInvalidArgument names those that there are.
[[nodiscard]] Result<TryNetwork> try_network_from(std::string_view name);

struct TryRequest {
  Path directory;                     // the package
  std::vector<std::string> machines;  // only these, by their names in the package; empty: all
  std::string name_prefix = "try-";   // put before every name; a number follows where such a machine is there already
  Path scratch;                       // folder for what the machines write; empty: the state's
  TryNetwork network = TryNetwork::kNone;
  std::set<RefusalKind> trusted;               // what the machines may ask of this host all the same
  std::optional<Milliseconds> agent_patience;  // wait for the agents of all machines, so long at most
  std::optional<Milliseconds> run_for;         // then run for so long; without either: until a stop is requested
};

struct TriedMachine {
  std::string original_name;
  std::string name;
  MachineId id;                             // nil in a plan
  std::vector<ImportedDisk> disks;          // the files of the package
  std::vector<LeftOutDisk> left_out;        // of the original: not in the package, so the machine comes without them
  std::optional<Path> console;              // the file that its first port writes to, if it does; not in a plan
  std::optional<Milliseconds> agent_after;  // when its agent first answered, since the machine ran; if it was asked
  std::optional<MachineEnd> end;            // absent: it was there until the try was over
  PowerState power = PowerState::kRunning;  // when it was last seen; it may stand still, by a fault or its own wish
};

struct TryPlan {
  std::vector<TriedMachine> machines;
  Path scratch;
  std::uint64_t free_bytes = 0;  // there
  TryNetwork network = TryNetwork::kNone;
};

struct TryReport {
  std::vector<TriedMachine> machines;
  TryNetwork network = TryNetwork::kNone;
  Milliseconds ran{0};

  [[nodiscard]] bool has_crashed() const;  // any of the machines
};

// Called once, when all machines run.
using OnRunning = std::function<void(const TryReport&)>;

// Nothing of the package is changed, not even the owner or a time of a file; it may be on a file system that cannot be
// written to, and only this process has to be able to read it.
//
// Crash: the machines end with this process. Everything is recorded before it is made; recover() removes it.
class TryPackage {
 public:
  TryPackage(Hypervisor& hypervisor, StateStore& store, Undo& undo, const Clock& clock)
      : hypervisor_(hypervisor), store_(store), undo_(undo), clock_(clock) {}

  // All checks but the reading of the disks; changes nothing.
  [[nodiscard]] Result<TryPlan> plan(const TryRequest& request);

  // Verifies the package first (kCorrupt), and looks again before the first guest runs. Returns when all is over and
  // removed. A machine that ends by itself ends the try only if it was the last, or if its agent was waited for
  // (kInvalidState); kTimeout names the machines whose agents did not answer.
  // A stop is a cancel (kCancelled), but for a request without an end: of that it is the end.
  [[nodiscard]] Result<TryReport> run(const TryRequest& request, JobContext& job, const OnRunning& on_running);

 private:
  [[nodiscard]] Result<void> take_back(JobContext& job);

  Hypervisor& hypervisor_;
  StateStore& store_;
  Undo& undo_;
  const Clock& clock_;
};

}  // namespace cohort::service
