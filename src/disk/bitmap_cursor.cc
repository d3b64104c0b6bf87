#include "disk/bitmap_cursor.h"

#include <algorithm>
#include <bit>

#include "base/big_endian.h"

namespace cohort::disk {
namespace {

constexpr std::uint64_t kOffsetMask = 0x00fffffffffffe00;
constexpr std::uint64_t kAllOnes = 1;
constexpr std::uint64_t kTableEntry = 8;  // bytes
constexpr std::uint64_t kTableEntriesInPiece = TableWindow::kPiece / kTableEntry;
constexpr std::uint64_t kWord = 64;  // bits

std::uint64_t divided(std::uint64_t number, std::uint64_t unit) { return number / unit + (number % unit != 0 ? 1 : 0); }

// 64 bits, the lowest first; those past the end are 0.
std::uint64_t word_at(std::string_view bytes, std::uint64_t word) {
  std::uint64_t result = 0;
  const std::string_view part = bytes.substr(word * 8, 8);
  for (std::size_t i = 0; i < part.size(); ++i) {
    result |= std::uint64_t{static_cast<unsigned char>(part[i])} << (8 * i);
  }
  return result;
}

bool bit_at(std::string_view bytes, std::uint64_t bit) {
  return (word_at(bytes, bit / kWord) >> bit % kWord & 1U) != 0;
}

// The first bit from `bit` on that is different, at most `limit`.
std::uint64_t end_of_run(std::string_view bytes, std::uint64_t bit, std::uint64_t limit) {
  const bool value = bit_at(bytes, bit);
  while (bit < limit) {
    const std::uint64_t word = word_at(bytes, bit / kWord);
    const std::uint64_t different = (value ? ~word : word) >> bit % kWord;
    if (different != 0) return std::min(limit, bit + static_cast<std::uint64_t>(std::countr_zero(different)));
    bit += kWord - bit % kWord;
  }
  return limit;
}

class BitmapCursor : public RangeCursor {
 public:
  BitmapCursor(ImageFile file, const Qcow2Header& header, const Bitmap& bitmap)
      : file_(std::move(file)),
        name_(bitmap.name),
        table_offset_(bitmap.table_offset),
        size_(header.disk_size()),
        granularity_(bitmap.granularity),
        bits_(divided(size_, granularity_)),
        cluster_size_(std::uint64_t{1} << header.cluster_bits),
        table_entries_(divided(divided(bits_, 8), cluster_size_)) {}

  Result<void> check(std::uint32_t entries) const {
    if (entries < table_entries_) {
      return damaged(file_, fmt::format("the bitmap \"{}\" has a table of {} entries, but its disk needs {}.", name_,
                                        entries, table_entries_));
    }
    if (table_offset_ > file_.length || table_entries_ * kTableEntry > file_.length - table_offset_) {
      return damaged(file_, fmt::format("the table of the bitmap \"{}\" at {} is not within the file of {} bytes.",
                                        name_, table_offset_, file_.length));
    }
    return {};
  }

  Result<std::optional<Range>> next() override {
    COHORT_TRY(pass_over(false));
    const std::uint64_t first = bit_;
    COHORT_TRY(pass_over(true));
    if (first == bit_) return std::nullopt;
    const std::uint64_t begin = first * granularity_;
    const std::uint64_t end = bit_ == bits_ ? size_ : bit_ * granularity_;
    return Range{begin, end - begin};
  }

 private:
  // Bits of one value.
  struct Run {
    std::uint64_t end;
    bool is_dirty;
  };

  Result<void> pass_over(bool is_dirty) {
    while (bit_ < bits_) {
      COHORT_ASSIGN(const Run run, run_at(bit_));
      if (run.is_dirty != is_dirty) break;
      bit_ = run.end;
    }
    return {};
  }

  Result<Run> run_at(std::uint64_t bit) {
    const std::uint64_t index = bit / (cluster_size_ * 8);
    COHORT_ASSIGN(const std::uint64_t entry, table_entry(index));
    const std::uint64_t place = entry & kOffsetMask;
    if (place != 0) return run_in_cluster(bit, place);
    return Run{std::min((index + 1) * cluster_size_ * 8, bits_), (entry & kAllOnes) != 0};
  }

  Result<std::uint64_t> table_entry(std::uint64_t index) {
    const std::uint64_t first = index / kTableEntriesInPiece * kTableEntriesInPiece;
    const std::uint64_t count = std::min(kTableEntriesInPiece, table_entries_ - first);
    COHORT_ASSIGN(const std::string_view piece, table_.read(file_, table_offset_ + first * kTableEntry,
                                                            count * kTableEntry, "the table of a bitmap"));
    const auto entry = big_endian<std::uint64_t>(piece, (index - first) * kTableEntry);
    const std::uint64_t place = entry & kOffsetMask;
    const std::uint64_t allowed = place == 0 ? kAllOnes : kOffsetMask;
    if ((entry & ~allowed) != 0 || place % cluster_size_ != 0) {
      return damaged(file_, fmt::format("entry {} of the table of the bitmap \"{}\" ({:#x}) is not possible.", index,
                                        name_, entry));
    }
    return entry;
  }

  Result<Run> run_in_cluster(std::uint64_t bit, std::uint64_t place) {
    const std::uint64_t piece_bits = std::min(cluster_size_, TableWindow::kPiece) * 8;
    const std::uint64_t first = bit / piece_bits * piece_bits;
    const std::uint64_t count = std::min(piece_bits, bits_ - first);
    COHORT_ASSIGN(const std::string_view bytes,
                  data_.read(file_, place + first / 8 % cluster_size_, divided(count, 8), "the data of a bitmap"));
    return Run{first + end_of_run(bytes, bit - first, count), bit_at(bytes, bit - first)};
  }

  const ImageFile file_;
  const std::string name_;
  const std::uint64_t table_offset_;
  const std::uint64_t size_;         // of the disk
  const std::uint64_t granularity_;  // bytes of the disk for each bit
  const std::uint64_t bits_;
  const std::uint64_t cluster_size_;
  const std::uint64_t table_entries_;  // that the disk needs
  TableWindow table_;
  TableWindow data_;
  std::uint64_t bit_ = 0;
};

}  // namespace

Result<std::unique_ptr<RangeCursor>> open_bitmap(ImageFile file, const Qcow2Header& header, const Bitmap& bitmap) {
  auto cursor = std::make_unique<BitmapCursor>(std::move(file), header, bitmap);
  COHORT_TRY(cursor->check(bitmap.table_entries));
  return cursor;
}

}  // namespace cohort::disk
