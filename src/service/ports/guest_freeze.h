// What guests tell of the freezing of their file systems.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace cohort::service {

// What a guest's agent tells before it is asked to freeze.
struct FreezeOutlook {
  bool is_frozen = false;  // already, by somebody else
  // A program of the guest takes part in its freezes, and makes them fail if it fails: the agent's freeze hook, or VSS.
  // False where the agent does not tell.
  bool has_hook = false;
};

struct ThawReport {
  bool was_frozen = false;  // until now
  // As the agent counts them; nothing if there was nothing to thaw, or it did not tell.
  std::optional<std::uint64_t> file_systems;
  // The agent's words, if it has thawed and complains all the same: a hook failed, or the freeze had not lasted.
  std::string complaint;
};

}  // namespace cohort::service
