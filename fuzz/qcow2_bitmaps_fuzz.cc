// The directory of bitmaps of a qcow2 file and their tables, alone and as the union over two images.
//
// The first bytes say what a header would: clusters, the disk's size, how many bitmaps in how many bytes. The rest is
// the file, and the directory is at its start. Whatever the bytes are: ranges ascend, do not touch and lie within the
// disk, and what is planned of a difference to them is within the disk, too.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/big_endian.h"
#include "disk/bitmap.h"
#include "disk/difference.h"

namespace {

using namespace cohort;

constexpr std::size_t kHead = 12;
// A larger one takes longer to be planned than there is time for.
constexpr std::uint64_t kMaxPlanned = std::uint64_t{1} << 44U;  // bytes
constexpr int kMaxRanges = 5000;  // a small file can tell of far more than there is time for

void require(bool holds) {
  if (!holds) std::abort();
}

// A disk of zeros.
class Zeros final : public disk::DiskSource {
 public:
  explicit Zeros(std::uint64_t size) : size_(size) {}
  [[nodiscard]] std::uint64_t virtual_size() const override { return size_; }
  [[nodiscard]] Result<std::unique_ptr<disk::ExtentCursor>> extents() const override {
    class All : public disk::ExtentCursor {
     public:
      explicit All(std::uint64_t size) : size_(size) {}
      Result<std::optional<disk::Extent>> next() override {
        const std::uint64_t length = std::exchange(size_, 0);
        if (length == 0) return std::nullopt;
        return disk::Extent{.offset = 0, .length = length};
      }

     private:
      std::uint64_t size_;
    };
    return std::make_unique<All>(size_);
  }
  [[nodiscard]] Result<void> read(const disk::Extent&, std::uint64_t, std::span<std::byte>) const override {
    return {};
  }
  [[nodiscard]] int descriptor(std::uint32_t) const override { return -1; }

 private:
  std::uint64_t size_;
};

// Its ranges as they come, as far as there is time for.
class Checked final : public disk::RangeCursor {
 public:
  Checked(std::unique_ptr<disk::RangeCursor> ranges, std::uint64_t disk_size)
      : ranges_(std::move(ranges)), disk_size_(disk_size) {}

  Result<std::optional<disk::Range>> next() override {
    if (count_++ == kMaxRanges) return std::nullopt;
    COHORT_ASSIGN(const auto range, ranges_->next());
    if (!range) return range;
    require(range->length > 0 && (range->offset > end_ || end_ == 0));
    require(range->offset < disk_size_ && range->length <= disk_size_ - range->offset);
    end_ = range->end();
    return range;
  }

 private:
  std::unique_ptr<disk::RangeCursor> ranges_;
  std::uint64_t disk_size_;
  std::uint64_t end_ = 0;
  int count_ = 0;
};

void walk_ranges(const disk::Chain& chain, const std::string& bitmap, std::uint64_t size) {
  auto ranges = disk::read_bitmap(chain, bitmap);
  if (!ranges) return;
  Checked checked(*std::move(ranges), size);
  for (auto range = checked.next(); range && *range;) range = checked.next();
}

void walk(const disk::Chain& chain, const std::string& bitmap) {
  const std::uint64_t size = chain.layers.front().header->disk_size();
  if (size > kMaxPlanned) return walk_ranges(chain, bitmap, size);
  const disk::Difference difference{{"parent", "qcow2", size}, [&]() -> Result<std::unique_ptr<disk::RangeCursor>> {
                                      COHORT_ASSIGN(auto ranges, disk::read_bitmap(chain, bitmap));
                                      return std::make_unique<Checked>(std::move(ranges), size);
                                    }};
  const auto map = disk::DifferenceMap::of(Zeros(size), difference, {});
  if (!map) return;
  require(map->stored.blocks() == 0);
  require(map->cleared.blocks() <= size / disk::kBlockBytes + 1);
}

disk::Qcow2Header header_from(std::string_view head) {
  disk::Qcow2Header header;
  header.version = 3;
  header.cluster_bits = 9 + big_endian<std::uint8_t>(head, 0) % 13U;
  // Up to 2^63 bytes, and often few.
  header.virtual_size = (big_endian<std::uint64_t>(head, 1) >> 1U) >> (big_endian<std::uint8_t>(head, 0) / 13U * 3U);
  header.bitmaps =
      disk::Qcow2BitmapDirectory{big_endian<std::uint8_t>(head, 9), 0, big_endian<std::uint16_t>(head, 10), true};
  return header;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < kHead) return 0;
  const disk::Qcow2Header header = header_from({reinterpret_cast<const char*>(data), kHead});
  const UniqueFd file(::memfd_create("image", MFD_CLOEXEC));
  require(::write(file.get(), data + kHead, size - kHead) == static_cast<ssize_t>(size - kHead));
  disk::Chain chain;
  chain.layers.assign(1, {"/proc/self/fd/" + std::to_string(file.get()), "qcow2", false, header});
  const auto bitmaps = disk::list_bitmaps(chain.layers.front());
  if (!bitmaps) return 0;
  for (const auto& bitmap : *bitmaps) walk(chain, bitmap.name);
  chain.layers.push_back(chain.layers.front());
  if (!bitmaps->empty()) walk(chain, bitmaps->front().name);
  return 0;
}
