#include "disk/bitmap_directory.h"

#include <algorithm>
#include <set>

#include "base/big_endian.h"
#include "disk/file_bytes.h"

namespace cohort::disk {
namespace {

// QEMU's own bounds.
constexpr std::uint32_t kMaxBitmaps = 65535;
constexpr std::uint64_t kMaxDirectory = 64UL << 20U;  // bytes
constexpr std::uint16_t kMaxName = 1023;

constexpr std::size_t kEntry = 24;  // bytes, before extra data and name
constexpr std::uint32_t kFlagInUse = 1;
constexpr std::uint32_t kFlagAuto = 2;
constexpr std::uint32_t kFlagExtraDataIsHarmless = 4;
constexpr std::uint32_t kKnownFlags = 7;
constexpr std::uint8_t kTypeDirty = 1;
constexpr std::uint8_t kMaxGranularityBits = 63;

// The places of the fields.
enum Field : std::size_t {
  kFieldTableOffset = 0,
  kFieldTableEntries = 8,
  kFieldFlags = 12,
  kFieldType = 16,
  kFieldGranularityBits = 17,
  kFieldNameSize = 18,
  kFieldExtraDataSize = 20,
};

BitmapState state_of(std::string_view entry, bool is_current) {
  const auto flags = big_endian<std::uint32_t>(entry, kFieldFlags);
  const bool has_foreign_data =
      big_endian<std::uint32_t>(entry, kFieldExtraDataSize) != 0 && (flags & kFlagExtraDataIsHarmless) == 0;
  if (!is_current) return BitmapState::kStale;
  if ((flags & ~kKnownFlags) != 0 || has_foreign_data || big_endian<std::uint8_t>(entry, kFieldType) != kTypeDirty) {
    return BitmapState::kUnsupported;
  }
  return (flags & kFlagInUse) != 0 ? BitmapState::kInUse : BitmapState::kConsistent;
}

class DirectoryReader {
 public:
  DirectoryReader(const ImageFile& file, const Qcow2BitmapDirectory& directory) : file_(file), directory_(directory) {}

  Result<std::vector<Bitmap>> read() {
    COHORT_TRY(check_bounds());
    std::vector<Bitmap> bitmaps;
    for (std::uint32_t i = 0; i < directory_.count; ++i) {
      COHORT_ASSIGN(Bitmap bitmap, next_entry());
      if (!names_.insert(bitmap.name).second) {
        return damaged(file_, fmt::format("it has two bitmaps \"{}\".", bitmap.name));
      }
      bitmaps.push_back(std::move(bitmap));
    }
    if (place_ != end_) {
      return damaged(file_,
                     fmt::format("its directory of {} bitmaps ends at {}, not at {}.", directory_.count, place_, end_));
    }
    return bitmaps;
  }

 private:
  Result<void> check_bounds() {
    if (directory_.count > kMaxBitmaps || directory_.size > kMaxDirectory) {
      return damaged(file_, fmt::format("its directory of {} bitmaps in {} bytes is too large.", directory_.count,
                                        directory_.size));
    }
    if (directory_.offset > file_.length || directory_.size > file_.length - directory_.offset) {
      return damaged(file_, fmt::format("its directory of bitmaps ({} bytes at {}) is not within the file of {} bytes.",
                                        directory_.size, directory_.offset, file_.length));
    }
    place_ = directory_.offset;
    end_ = directory_.offset + directory_.size;
    return {};
  }

  Result<Bitmap> next_entry() {
    COHORT_ASSIGN(const std::string entry, bytes(kEntry));
    const auto name_size = big_endian<std::uint16_t>(entry, kFieldNameSize);
    const auto granularity_bits = big_endian<std::uint8_t>(entry, kFieldGranularityBits);
    if (name_size == 0 || name_size > kMaxName || granularity_bits > kMaxGranularityBits) {
      return damaged(file_, fmt::format("a bitmap with a name of {} bytes and a granularity of 2^{} bytes is not "
                                        "possible.",
                                        name_size, granularity_bits));
    }
    const std::uint64_t begin = place_ - kEntry;
    COHORT_TRY(skip(big_endian<std::uint32_t>(entry, kFieldExtraDataSize)));
    Bitmap bitmap;
    COHORT_ASSIGN(bitmap.name, bytes(name_size));
    COHORT_TRY(skip((8 - (place_ - begin) % 8) % 8));
    bitmap.granularity = std::uint64_t{1} << granularity_bits;
    bitmap.is_auto = (big_endian<std::uint32_t>(entry, kFieldFlags) & kFlagAuto) != 0;
    bitmap.state = state_of(entry, directory_.is_current);
    bitmap.table_offset = big_endian<std::uint64_t>(entry, kFieldTableOffset);
    bitmap.table_entries = big_endian<std::uint32_t>(entry, kFieldTableEntries);
    return bitmap;
  }

  Result<std::string> bytes(std::size_t count) {
    const std::uint64_t begin = place_;
    COHORT_TRY(skip(count));
    COHORT_ASSIGN(std::string found, read_at(file_.fd.get(), begin, count, file_.name));
    if (found.size() < count) return changed_meanwhile(file_);
    return found;
  }

  Result<void> skip(std::uint64_t count) {
    if (count > end_ - place_) {
      return damaged(file_, fmt::format("its directory of bitmaps ends at {}, within an entry.", end_));
    }
    place_ += count;
    return {};
  }

  const ImageFile& file_;
  const Qcow2BitmapDirectory& directory_;
  std::uint64_t place_ = 0;
  std::uint64_t end_ = 0;
  std::set<std::string> names_;
};

}  // namespace

Result<std::vector<Bitmap>> read_bitmap_directory(const ImageFile& file, const Qcow2BitmapDirectory& directory) {
  return DirectoryReader(file, directory).read();
}

}  // namespace cohort::disk
