// Who may change the state: one process at a time.
#pragma once

#include "base/file.h"
#include "base/unique_fd.h"

namespace cohort::store {

// Holds flock() on "<state>/lock", in which the holder's pid and command line stand for people to read.
// Crash: the kernel releases it with the process. Children do not inherit it (close-on-exec).
class StateLock {
 public:
  // `state` must exist. Fails at once with kInUse naming the process that holds it, kPermission, kIo.
  [[nodiscard]] static Result<StateLock> acquire(const Path& state);

  StateLock(StateLock&&) noexcept = default;
  StateLock& operator=(StateLock&&) noexcept = delete;
  ~StateLock();

 private:
  explicit StateLock(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace cohort::store
