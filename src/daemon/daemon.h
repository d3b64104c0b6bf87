// The daemon as a whole: puts the layers together, and takes them apart in order.
#pragma once

#include <chrono>
#include <memory>

#include "base/result.h"
#include "daemon/configuration.h"
#include "daemon/log.h"
#include "daemon/passed_sockets.h"

namespace cohort::daemon {

// Threads: all functions from one.
class Daemon {
 public:
  // Opens the state with its lock, undoes what an earlier process left open, and listens when it returns.
  // Fails with kInUse (another process has the state, or the port), and as opening state, certificate and users does.
  [[nodiscard]] static Result<std::unique_ptr<Daemon>> start(const Configuration& configuration, PassedSockets sockets,
                                                             Log& log);
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  ~Daemon();

  // Whether requests are taken within that time.
  [[nodiscard]] bool is_alive(std::chrono::milliseconds patience) const;
  // Reads certificate, users and the rights for single collections again.
  void reload();
  // Takes nothing new and answers what was read. Jobs that run are cancelled and undone. Returns when all has ended.
  void stop();

 private:
  class Impl;
  explicit Daemon(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

// Runs until it is told to stop by a signal. The exit status is the program's.
[[nodiscard]] int run_daemon(const Configuration& configuration, Log& log);

}  // namespace cohort::daemon
