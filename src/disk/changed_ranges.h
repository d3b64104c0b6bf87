// Which parts of a disk have changed, in the order of the disk.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "disk/extents.h"
#include "disk/source.h"

namespace cohort::disk {

struct Range {
  std::uint64_t offset = 0;  // bytes
  std::uint64_t length = 0;  // bytes, > 0

  [[nodiscard]] std::uint64_t end() const { return offset + length; }
  friend bool operator==(const Range&, const Range&) = default;
};

// Walks once over ranges that neither overlap nor touch, the lowest first. One thread at a time.
class RangeCursor {
 public:
  virtual ~RangeCursor() = default;
  // Nothing after the end.
  [[nodiscard]] virtual Result<std::optional<Range>> next() = 0;
};

// What is in any of them. Memory: one range of each.
[[nodiscard]] std::unique_ptr<RangeCursor> union_of(std::vector<std::unique_ptr<RangeCursor>> cursors);

// Only those parts of the extents that are in a range: they no longer cover the disk. Zeros stay in, since a disk may
// have become zeros.
[[nodiscard]] std::unique_ptr<ExtentCursor> changed_extents(std::unique_ptr<ExtentCursor> extents,
                                                            std::unique_ptr<RangeCursor> changed);

}  // namespace cohort::disk
