// Room that is kept on the state's file system for taking back what was begun.
#pragma once

#include <cstdint>

#include "base/file.h"
#include "base/result.h"

namespace cohort::store {

// The file "<state>/cohort.db.reserve". Nothing is begun unless it is whole; where the file system is full, parts of it
// are given up for the changes that end or take back something.
//
// Threads and processes: safe to use from several; each only makes the file longer or shorter.
// Crash: the next that begins something makes it whole again.
class SpaceReserve {
 public:
  // More than the log and the state file grow by while a job with hundreds of disks is taken back.
  static constexpr std::uint64_t kBytes = 4ULL << 20U;

  explicit SpaceReserve(const Path& state) : path_(state / "cohort.db.reserve") {}

  // Makes it whole. kNoSpace if there is no room for it.
  [[nodiscard]] Result<void> fill() const;
  // Gives a part of it to the file system; false if there is nothing left to give.
  [[nodiscard]] bool give() const;

 private:
  Path path_;
};

}  // namespace cohort::store
