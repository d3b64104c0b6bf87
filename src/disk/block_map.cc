#include "disk/block_map.h"

#include <algorithm>

namespace cohort::disk {
namespace {

constexpr std::uint64_t kMaxBitmaps = std::uint64_t{128} << 10U;
constexpr std::uint64_t kMaxGroups = std::uint64_t{4} << 20U;
constexpr std::uint64_t kWordBits = 64;

Failure too_much() {
  return fail(ErrorCode::kUnsupported, "The disk has too much on it, or is too fragmented, to be copied in this way.");
}

}  // namespace

bool BlockMap::Group::contains(std::uint64_t block) const {
  return !bits || ((*bits)[block / kWordBits] >> (block % kWordBits) & 1U) != 0;
}

Result<BlockMap> BlockMap::of(const DiskSource& source, const std::stop_token& stop) {
  BlockMap map;
  COHORT_ASSIGN(const auto cursor, source.extents());
  std::uint64_t end = 0;  // of what has been added, in blocks
  while (true) {
    if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "Cancelled while planning the copy.");
    COHORT_ASSIGN(const auto extent, cursor->next());
    if (!extent) return map;
    if (extent->kind == ExtentKind::kZero) continue;
    const std::uint64_t first = std::max(extent->offset / kBlockBytes, end);
    end = (extent->offset + extent->length - 1) / kBlockBytes + 1;
    COHORT_TRY(map.add(first, end));
  }
}

std::uint64_t BlockMap::blocks() const { return groups_.empty() ? 0 : groups_.back().before + groups_.back().count; }

const BlockMap::Group* BlockMap::group(std::uint64_t index) const {
  const auto found = std::ranges::lower_bound(groups_, index, {}, &Group::index);
  return found != groups_.end() && found->index == index ? &*found : nullptr;
}

Result<void> BlockMap::add(std::uint64_t first, std::uint64_t end) {
  while (first < end) {
    const std::uint64_t group = first / kGroupBlocks;
    const std::uint64_t group_end = std::min(end, (group + 1) * kGroupBlocks);
    COHORT_TRY(add_to_group(group, first % kGroupBlocks, group_end - group * kGroupBlocks));
    first = group_end;
  }
  return {};
}

Result<void> BlockMap::add_to_group(std::uint64_t index, std::uint64_t first, std::uint64_t end) {
  if (groups_.empty() || groups_.back().index != index) {
    groups_.push_back({index, blocks(), 0, nullptr});
  }
  if (groups_.size() > kMaxGroups) return too_much();
  Group& group = groups_.back();
  group.count += end - first;
  if (group.count == kGroupBlocks) {
    if (group.bits) --bitmaps_;
    group.bits = nullptr;
    return {};
  }
  if (!group.bits) {
    group.bits = std::make_unique<std::array<std::uint64_t, kGroupBlocks / kWordBits>>();
    ++bitmaps_;
  }
  if (bitmaps_ > kMaxBitmaps) return too_much();
  for (std::uint64_t block = first; block < end; ++block) {
    (*group.bits)[block / kWordBits] |= std::uint64_t{1} << (block % kWordBits);
  }
  return {};
}

std::optional<std::uint64_t> BlockWalk::next() {
  for (; group_ < groups_.size(); ++group_, block_ = 0) {
    const BlockMap::Group& group = groups_[group_];
    while (block_ < BlockMap::kGroupBlocks) {
      const std::uint64_t block = block_++;
      if (group.contains(block)) return group.index * BlockMap::kGroupBlocks + block;
    }
  }
  return std::nullopt;
}

}  // namespace cohort::disk
