// Sockets that the service manager listens at before this program runs (systemd.socket(5)).
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace cohort::daemon {

// What a socket is for is said by its name (FileDescriptorName=): "http", "https", "status", "command".
struct PassedSockets {
  std::vector<UniqueFd> http, https, status;  // each instead of the addresses that are configured
  UniqueFd command;                           // of the command `cohort`; may be none

  // Those that were passed to this process, which are passed to no other; none if there are none. Fails with
  // kInvalidArgument, naming the socket: an unknown name, no stream socket that listens, one of the wrong family, a
  // second one for the command.
  [[nodiscard]] static Result<PassedSockets> take();

  [[nodiscard]] Result<void> add(std::string_view name, UniqueFd socket);
};

}  // namespace cohort::daemon
