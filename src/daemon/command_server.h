// Carries out command lines for the command, which cannot have the state while this process has it.
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>

#include "base/unique_fd.h"
#include "client/local_session.h"
#include "client/relay_channel.h"
#include "daemon/log.h"

namespace cohort::daemon {

// Each connection is one command, on a thread of its own: at most 32 at a time, others wait. Only root and this
// process's own user are served. A command whose other end goes away is cancelled, as one that is killed would be.
// Threads: start and stop from one.
class CommandServer {
 public:
  // What is given by reference outlives the server; the state's lock is held. `listener` listens already; without, one
  // is made in the state folder. Fails as RelayChannel::listen.
  [[nodiscard]] static Result<std::unique_ptr<CommandServer>> start(const Path& state_folder,
                                                                    const client::SharedParts& parts, Log& log,
                                                                    UniqueFd listener = {});
  CommandServer(const CommandServer&) = delete;
  CommandServer& operator=(const CommandServer&) = delete;
  ~CommandServer();  // stops

  // Accepts nothing more, and cancels the commands that run.
  void request_stop();
  // The same, and waits for their end. A command that waits for another job ends when that does.
  void stop();

 private:
  struct Running {
    std::atomic<bool> has_ended = false;
    std::jthread thread;
  };

  CommandServer(UniqueFd listener, const client::SharedParts& parts, Log& log);
  void accept_all(const std::stop_token& stop);
  void begin(client::RelayChannel channel);
  void forget_ended();
  void serve(const client::RelayChannel& channel, const std::stop_token& stop);

  UniqueFd listener_;
  client::SharedParts parts_;
  Log& log_;
  std::list<Running> running_;  // of the accepting thread
  std::jthread accepting_;
};

}  // namespace cohort::daemon
