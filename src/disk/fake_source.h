// A disk in memory for tests, with faults where they are wanted.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "disk/source.h"

namespace cohort::disk {

class FakeSource final : public DiskSource {
 public:
  explicit FakeSource(std::uint64_t size) : size_(size) {}

  // REQUIRES: in ascending order, without overlap, within the disk.
  FakeSource& store(std::uint64_t offset, std::string bytes) {
    const std::uint64_t length = bytes.size();
    parts_[offset] = {length, std::move(bytes)};
    return *this;
  }
  // Zeros that are stored all the same.
  FakeSource& store_zeros(std::uint64_t offset, std::uint64_t length) {
    parts_[offset] = {length, {}};
    return *this;
  }
  // Called at each read, with the place on the disk; its error is the read's.
  std::function<Result<void>(std::uint64_t offset)> on_read;
  // Called for each walk over the extents, with its number from 0 on; an error ends the walk before the second extent.
  std::function<Result<void>(int walk)> on_walk;
  // From the second walk on there are no holes, as if the file system had filled them: all is one extent.
  bool holes_vanish = false;

  [[nodiscard]] std::uint64_t virtual_size() const override { return size_; }
  [[nodiscard]] Result<std::unique_ptr<ExtentCursor>> extents() const override {
    const int walk = walks_++;
    std::vector<Extent> extents;
    std::uint64_t place = 0;
    for (const auto& [offset, part] : parts_) {
      if (offset > place) extents.push_back({.offset = place, .length = offset - place, .kind = ExtentKind::kZero});
      extents.push_back({.offset = offset, .length = part.length, .kind = ExtentKind::kData, .file_offset = offset});
      place = offset + part.length;
    }
    if (place < size_) extents.push_back({.offset = place, .length = size_ - place, .kind = ExtentKind::kZero});
    if (holes_vanish && walk > 0) extents = {{.offset = 0, .length = size_, .kind = ExtentKind::kData}};
    return std::make_unique<Cursor>(std::move(extents), on_walk ? on_walk(walk) : Result<void>());
  }

  [[nodiscard]] Result<void> read(const Extent& extent, std::uint64_t begin, std::span<std::byte> into) const override {
    if (on_read) COHORT_TRY(on_read(extent.offset + begin));
    std::ranges::fill(into, std::byte{0});
    const std::uint64_t place = extent.offset + begin;
    for (const auto& [offset, part] : parts_) {
      const std::uint64_t from = std::max(offset, place);
      const std::uint64_t to = std::min(offset + part.bytes.size(), place + into.size());
      if (from >= to) continue;
      const auto bytes = std::as_bytes(std::span(part.bytes)).subspan(from - offset, to - from);
      std::ranges::copy(bytes, into.subspan(from - place).begin());
    }
    return {};
  }
  [[nodiscard]] int descriptor(std::uint32_t /*file*/) const override { return -1; }

  // The whole disk; for small ones.
  [[nodiscard]] std::string content() const {
    std::string all(size_, '\0');
    for (const auto& [offset, part] : parts_) all.replace(offset, part.bytes.size(), part.bytes);
    return all;
  }

 private:
  struct Part {
    std::uint64_t length = 0;
    std::string bytes;  // empty: zeros
  };
  class Cursor final : public ExtentCursor {
   public:
    Cursor(std::vector<Extent> extents, Result<void> outcome)
        : extents_(std::move(extents)), outcome_(std::move(outcome)) {}
    Result<std::optional<Extent>> next() override {
      if (next_ == 1) COHORT_TRY(std::as_const(outcome_));
      if (next_ == extents_.size()) return std::nullopt;
      return extents_[next_++];
    }

   private:
    std::vector<Extent> extents_;
    Result<void> outcome_;
    std::size_t next_ = 0;
  };

  std::uint64_t size_;
  std::map<std::uint64_t, Part> parts_;
  mutable std::atomic<int> walks_ = 0;
};

}  // namespace cohort::disk
