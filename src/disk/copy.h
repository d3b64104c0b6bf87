// Copying a frozen disk into a file: read, hashed and written in one pass, without QEMU.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "base/file.h"
#include "base/result.h"
#include "base/sha256_of_parts.h"
#include "disk/buffer_pool.h"
#include "disk/difference.h"
#include "disk/rate_limiter.h"
#include "disk/source.h"

namespace cohort::disk {

// What copies that run side by side have in common.
struct CopyResources {
  BufferPool& buffers;   // the bytes in flight
  RateLimiter& limiter;  // of the bytes that are read
};

struct CopyRequest {
  const DiskSource& source;
  Path target;         // must not exist; made with mode 0600
  std::string format;  // of the target: "qcow2" or "raw"
  CopyResources resources;
  bool wants_content_hash = false;
  // The list of block hashes (content_hash.h); empty: none is made. Must not exist, and is synced and taken back as the
  // target is. REQUIRES: the content hash is wanted.
  Path block_hashes = {};
  // The content hash by the thread that hashes the file. False: by those that read, which is quicker where the
  // processor cannot do that.
  bool hashes_in_one_pass = Sha256OfParts::is_one_pass();
};

struct CopiedImage {
  std::uint64_t virtual_size = 0;  // bytes
  std::uint64_t file_size = 0;     // bytes, holes included
  std::string sha256;              // of the target file
  std::string content_hash;        // of the disk, if it was wanted: see content_hash.h
  std::uint64_t hashes_size = 0;   // bytes of the list of block hashes, if it was wanted
};

struct PlannedCopy {
  std::uint64_t stored_bytes = 0;  // that the target takes on its storage, at most
  std::uint64_t file_size = 0;
};

// What copy_disk would make. Costs one walk over the source's tables. kUnsupported as for copy_disk.
[[nodiscard]] Result<PlannedCopy> plan_copy(const DiskSource& source, const std::string& format,
                                            const std::stop_token& stop = {});

// A standalone copy with holes where the source reads zero, synced when it returns (its name in the folder is not:
// see sync_directory). After a failure or cancel the target is gone.
//
// `on_progress` gets the bytes done of plan_copy's stored_bytes, never fewer than before and all of them in the end,
// from the calling thread. Blocks; some threads of its own read and write meanwhile. Any number of copies at once.
// Besides the buffers it takes what a BlockMap does.
//
// Fails with kAlreadyExists for the target; kUnsupported for another format or a disk that is too large for it or for
// a BlockMap; kNoSpace, kIo, kPermission; kCorrupt naming the source's file; kCancelled.
[[nodiscard]] Result<CopiedImage> copy_disk(const CopyRequest& request, const std::stop_token& stop,
                                            const std::function<void(std::uint64_t done)>& on_progress);

// The same for a qcow2 image that has only what the disk's parent has not: it stands on the parent's file, which is not
// looked at. What reads as zeros now hides what the parent has there. The content hash is that of the whole disk.
[[nodiscard]] Result<PlannedCopy> plan_difference(const DiskSource& source, const Difference& difference,
                                                  const std::stop_token& stop = {});
// Fails with kInvalidArgument for a parent whose name the format cannot have, and as copy_disk and the walk over the
// changed ranges do; kCorrupt if the parent's list of block hashes is not what it should be.
// REQUIRES: the format is "qcow2"; the difference has the parent's block hashes if a content hash is wanted.
[[nodiscard]] Result<CopiedImage> copy_difference(const CopyRequest& request, const Difference& difference,
                                                  const std::stop_token& stop,
                                                  const std::function<void(std::uint64_t done)>& on_progress);

}  // namespace cohort::disk
