// The overlay files themselves.
#pragma once

#include <stop_token>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "domain/snapshot.h"

namespace cohort::hypervisor {

// See service::Hypervisor::create_overlay. A qcow2 image that is to be frozen, and that a killed QEMU has left with
// reference counts that are out of date, is repaired first.
[[nodiscard]] Result<void> create_overlay_file(const DiskSnapshot& disk);

// Refuses an overlay that holds an internal snapshot: merging would lose it.
[[nodiscard]] Result<void> check_no_internal_snapshot(const DiskSnapshot& disk);

// True if a reader of the overlay sees anything that is not in the frozen file. An overlay that nothing was written to,
// that is not there, or that is no qcow2 image, holds nothing. Compares the two if it has to, which may take long.
[[nodiscard]] Result<bool> holds_more_than_frozen(const DiskSnapshot& disk, std::stop_token stop);

// Removes the overlay and syncs its folder; success if it is gone already. Refuses a file that is not qcow2: it is not
// the overlay. An empty file is one that was about to become it. Whatever libvirt says, a file that a QEMU writes to is
// not removed: kInUse.
// REQUIRES: no chain of the machine has it.
[[nodiscard]] Result<void> remove_overlay_file(const Path& overlay);

// Whether a QEMU, or another program that knows QEMU's locks, has this image open for writing. False if it is not
// there. Only looks: nobody who opens it meanwhile is kept out.
[[nodiscard]] Result<bool> is_written_to(const Path& image);

// For a machine that is off as libvirt sees it: kInUse, with the remedy, if a QEMU, or another program that knows
// QEMU's locks, has this image of its disk `target` open for writing. libvirt may have lost a machine that runs
// (docs/lessons.md). Only looks: nobody who opens it meanwhile is kept out.
[[nodiscard]] Result<void> check_nobody_writes(const Path& image, const std::string& target,
                                               const std::string& machine);

// Keeps every QEMU from opening an image for writing, by QEMU's own locks (docs/devel and block/file-posix.c: byte
// 100 + n of the file stands for a permission that is used, byte 200 + n for one that is not shared). Reading it stays
// possible. kInUse if somebody writes to it now.
class WriteBarrier {
 public:
  [[nodiscard]] static Result<WriteBarrier> raise(const Path& image);

 private:
  explicit WriteBarrier(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;  // the locks belong to the open file description
};

}  // namespace cohort::hypervisor
