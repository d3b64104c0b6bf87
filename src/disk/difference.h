// What a disk has that an earlier state of it, its parent, has not.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "disk/block_hashes.h"
#include "disk/block_map.h"
#include "disk/changed_ranges.h"
#include "disk/source.h"

namespace cohort::disk {

// The image that a difference stands on.
struct Parent {
  std::string file;                // as the difference names it: absolute, or from its own folder on
  std::string format;              // "qcow2" or "raw"
  std::uint64_t virtual_size = 0;  // bytes
};

struct Difference {
  Parent parent;
  // Begins a walk over what may have changed since. What lies past the parent's end has changed in any case.
  std::function<Result<std::unique_ptr<RangeCursor>>()> changed;
  // Of the parent, which is as large as the disk; without them the content hash cannot be told.
  std::optional<BlockHashList> parent_hashes = {};
};

// The blocks of a difference. Those that have changed in part are in it as a whole, which is right since their other
// bytes are the parent's.
struct DifferenceMap {
  BlockMap stored;
  BlockMap cleared;  // read as zeros now, and hide what the parent has there

  // Walks once over what has changed, and over the source only there. Errors: see BlockMap::of.
  [[nodiscard]] static Result<DifferenceMap> of(const DiskSource& source, const Difference& difference,
                                                const std::stop_token& stop);
};

}  // namespace cohort::disk
