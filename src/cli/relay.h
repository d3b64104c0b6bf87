// Lets the daemon that has the state carry out the command.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cli/console.h"
#include "client/relay_channel.h"
#include "client/session.h"

namespace cohort::cli {

// Threads: interrupt() from any thread, not from a signal handler.
class Relay {
 public:
  // The exit status, when the daemon has carried the command out; nothing, and nothing was written, if there is no
  // daemon for this state.
  [[nodiscard]] std::optional<int> carry_out(const client::SessionOptions& options,
                                             const std::vector<std::string>& arguments, const Console& console);

  // Hands the user's wish to stop on. False if no daemon is at work.
  [[nodiscard]] bool interrupt();

 private:
  [[nodiscard]] int follow(const client::RelayChannel& channel, const Console& console);

  std::mutex mutex_;
  std::optional<client::RelayChannel> channel_;
};

}  // namespace cohort::cli
