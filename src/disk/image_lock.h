// Keeps QEMU from writing to images while they are read without it.
#pragma once

#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "disk/chain.h"

namespace cohort::disk {

// The locks that a reading QEMU holds itself (its docs/devel or block/file-posix.c call them image locks): a writer is
// refused while they are there, other readers are not. They are gone with the object, or with the process.
class ImageLock {
 public:
  // Of all files of the chain, external data files included. Fails with kInUse, naming the file, if a program has it
  // open for writing through QEMU; kNotFound, kPermission; kIo where the file system has no locks.
  [[nodiscard]] static Result<ImageLock> hold(const Chain& chain);

 private:
  Result<void> add(const Path& file);

  std::vector<UniqueFd> files_;
};

}  // namespace cohort::disk
