#include "disk/difference.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace cohort::disk {
namespace {

constexpr std::uint64_t divided_up(std::uint64_t number, std::uint64_t by) { return number / by + (number % by != 0); }

class OneRange : public RangeCursor {
 public:
  explicit OneRange(Range range) : range_(range) {}
  Result<std::optional<Range>> next() override { return std::exchange(range_, std::nullopt); }

 private:
  std::optional<Range> range_;
};

// Ranges made larger to whole blocks, as far as the disk goes.
class WholeBlocks : public RangeCursor {
 public:
  WholeBlocks(std::unique_ptr<RangeCursor> ranges, std::uint64_t disk_size)
      : ranges_(std::move(ranges)), disk_size_(disk_size) {}

  Result<std::optional<Range>> next() override {
    if (!std::exchange(has_begun_, true)) COHORT_TRY(advance());
    std::optional<Range> whole = ahead_;
    while (whole) {
      COHORT_TRY(advance());
      if (!ahead_ || ahead_->offset > whole->end()) break;
      whole->length = std::max(whole->end(), ahead_->end()) - whole->offset;
    }
    return whole;
  }

 private:
  Result<void> advance() {
    COHORT_ASSIGN(ahead_, ranges_->next());
    if (!ahead_) return {};
    const std::uint64_t begin = ahead_->offset / kBlockBytes * kBlockBytes;
    if (begin >= disk_size_) {
      ahead_.reset();
      return {};
    }
    const std::uint64_t end = std::min(ahead_->end(), disk_size_);
    *ahead_ = {begin, std::min(divided_up(end, kBlockBytes) * kBlockBytes, disk_size_) - begin};
    return {};
  }

  std::unique_ptr<RangeCursor> ranges_;
  std::uint64_t disk_size_;
  std::optional<Range> ahead_;
  bool has_begun_ = false;
};

Result<std::unique_ptr<RangeCursor>> changed_blocks(const Difference& difference, std::uint64_t disk_size) {
  std::vector<std::unique_ptr<RangeCursor>> parts;
  COHORT_ASSIGN(auto changed, difference.changed());
  parts.push_back(std::move(changed));
  const std::uint64_t parent_size = difference.parent.virtual_size;
  if (parent_size < disk_size) parts.push_back(std::make_unique<OneRange>(Range{parent_size, disk_size - parent_size}));
  return std::make_unique<WholeBlocks>(union_of(std::move(parts)), disk_size);
}

// Sorts extents into blocks that are stored and blocks that are wholly zero.
class Sorter {
 public:
  Sorter(DifferenceMap& map, std::uint64_t disk_size, std::uint64_t parent_size)
      : map_(map), disk_size_(disk_size), parent_blocks_(divided_up(parent_size, kBlockBytes)) {}

  Result<void> add(const Extent& extent) {
    if (extent.kind == ExtentKind::kZero) return add_zeros(extent);
    COHORT_TRY(finish());
    const std::uint64_t first = std::max(extent.offset / kBlockBytes, stored_end_);
    stored_end_ = divided_up(extent.offset + extent.length, kBlockBytes);
    return first < stored_end_ ? map_.stored.add(first, stored_end_) : Result<void>();
  }

  // The zeros that were added last.
  Result<void> finish() {
    const bool is_last = zeros_.end() == disk_size_;
    const std::uint64_t first = divided_up(zeros_.offset, kBlockBytes);
    std::uint64_t end = is_last ? divided_up(disk_size_, kBlockBytes) : zeros_.end() / kBlockBytes;
    // Past the parent's end there is nothing to hide.
    end = std::min(end, parent_blocks_);
    zeros_ = {};
    return first < end ? map_.cleared.add(first, end) : Result<void>();
  }

 private:
  Result<void> add_zeros(const Extent& extent) {
    if (zeros_.length == 0 || zeros_.end() != extent.offset) {
      COHORT_TRY(finish());
      zeros_.offset = extent.offset;
    }
    zeros_.length += extent.length;
    return {};
  }

  DifferenceMap& map_;
  const std::uint64_t disk_size_;
  const std::uint64_t parent_blocks_;
  std::uint64_t stored_end_ = 0;  // in blocks
  Range zeros_;                   // not in the map yet
};

}  // namespace

Result<DifferenceMap> DifferenceMap::of(const DiskSource& source, const Difference& difference,
                                        const std::stop_token& stop) {
  DifferenceMap map;
  const std::uint64_t size = source.virtual_size();
  COHORT_ASSIGN(auto blocks, changed_blocks(difference, size));
  COHORT_ASSIGN(auto extents, source.extents());
  const auto cursor = changed_extents(std::move(extents), std::move(blocks));
  Sorter sorter(map, size, difference.parent.virtual_size);
  while (true) {
    if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "Cancelled while planning the copy.");
    COHORT_ASSIGN(const auto extent, cursor->next());
    if (!extent) break;
    COHORT_TRY(sorter.add(*extent));
  }
  COHORT_TRY(sorter.finish());
  return map;
}

}  // namespace cohort::disk
