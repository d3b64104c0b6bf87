#include "disk/changed_ranges.h"

#include <algorithm>
#include <utility>

namespace cohort::disk {
namespace {

// A cursor with its next range in view.
class Head {
 public:
  explicit Head(std::unique_ptr<RangeCursor> cursor) : cursor_(std::move(cursor)) {}

  [[nodiscard]] const std::optional<Range>& range() const { return range_; }
  Result<void> advance() {
    COHORT_ASSIGN(range_, cursor_->next());
    return {};
  }

 private:
  std::unique_ptr<RangeCursor> cursor_;
  std::optional<Range> range_;
};

class Union : public RangeCursor {
 public:
  explicit Union(std::vector<std::unique_ptr<RangeCursor>> cursors) {
    for (auto& cursor : cursors) heads_.emplace_back(std::move(cursor));
  }

  Result<std::optional<Range>> next() override {
    COHORT_TRY(begin());
    std::optional<Range> whole = lowest();
    if (!whole) return whole;
    for (std::optional<Range> more = whole; more && more->offset <= whole->end(); more = lowest()) {
      whole->length = std::max(whole->end(), more->end()) - whole->offset;
      COHORT_TRY(advance_to(whole->end()));
    }
    return whole;
  }

 private:
  Result<void> begin() {
    if (std::exchange(has_begun_, true)) return {};
    for (Head& head : heads_) COHORT_TRY(head.advance());
    return {};
  }

  [[nodiscard]] std::optional<Range> lowest() const {
    std::optional<Range> found;
    for (const Head& head : heads_) {
      if (head.range() && (!found || head.range()->offset < found->offset)) found = head.range();
    }
    return found;
  }

  // Past the ranges that end at `end` or before.
  Result<void> advance_to(std::uint64_t end) {
    for (Head& head : heads_) {
      while (head.range() && head.range()->end() <= end) COHORT_TRY(head.advance());
    }
    return {};
  }

  std::vector<Head> heads_;
  bool has_begun_ = false;
};

class ChangedExtents : public ExtentCursor {
 public:
  ChangedExtents(std::unique_ptr<ExtentCursor> extents, std::unique_ptr<RangeCursor> changed)
      : extents_(std::move(extents)), changed_(std::move(changed)) {}

  Result<std::optional<Extent>> next() override {
    if (!std::exchange(has_begun_, true)) {
      COHORT_TRY(next_range());
      COHORT_TRY(next_extent());
    }
    while (extent_ && changed_.range()) {
      const Range& range = *changed_.range();
      const std::uint64_t extent_end = extent_->offset + extent_->length;
      const std::uint64_t begin = std::max(extent_->offset, range.offset);
      const std::uint64_t end = std::min(extent_end, range.end());
      std::optional<Extent> both;
      if (begin < end) both = part_of(*extent_, begin - extent_->offset, end - begin);
      COHORT_TRY(extent_end <= range.end() ? next_extent() : next_range());
      if (both) return both;
    }
    return std::nullopt;
  }

 private:
  Result<void> next_extent() {
    COHORT_ASSIGN(extent_, extents_->next());
    return {};
  }
  Result<void> next_range() {
    COHORT_TRY(changed_.advance());
    if (changed_.range()) extents_->skip_to(changed_.range()->offset);
    return {};
  }

  std::unique_ptr<ExtentCursor> extents_;
  Head changed_;
  std::optional<Extent> extent_;
  bool has_begun_ = false;
};

}  // namespace

std::unique_ptr<RangeCursor> union_of(std::vector<std::unique_ptr<RangeCursor>> cursors) {
  return std::make_unique<Union>(std::move(cursors));
}

std::unique_ptr<ExtentCursor> changed_extents(std::unique_ptr<ExtentCursor> extents,
                                              std::unique_ptr<RangeCursor> changed) {
  return std::make_unique<ChangedExtents>(std::move(extents), std::move(changed));
}

}  // namespace cohort::disk
