#include "disk/new_qcow2_header.h"

#include <algorithm>
#include <string>

#include "base/big_endian.h"
#include "disk/chain.h"
#include "disk/qcow2_header.h"

namespace cohort::disk {
namespace {

constexpr std::uint32_t kClusterBits = 16;
constexpr std::uint64_t kMaxL1Entries = 4U << 20U;  // QEMU's own bound
constexpr std::size_t kMaxParentName = 1023;
constexpr std::uint32_t kHeaderLength = 112;
constexpr std::uint32_t kRefcountOrder = 4;  // 2^4 bits
constexpr std::uint64_t kFeatureCompressionType = std::uint64_t{1} << 3U;
constexpr std::uint32_t kExtensionBackingFormat = 0xe2792aca;

// Puts numbers and text one after the other.
class BigEndianWriter {
 public:
  explicit BigEndianWriter(std::span<std::byte> into) : into_(into) {}
  template <typename Number>
  void put(Number number) {
    put_big_endian(into_, place_, number);
    place_ += sizeof(Number);
  }
  void put_text(const std::string& text) {
    std::ranges::copy(std::as_bytes(std::span(text)), into_.subspan(place_).begin());
    place_ += text.size();
  }
  void align(std::size_t unit) { place_ = (place_ + unit - 1) / unit * unit; }
  [[nodiscard]] std::size_t place() const { return place_; }

 private:
  std::span<std::byte> into_;
  std::size_t place_ = 0;
};

// So that QEMU does not take a part of a file's name for a protocol.
std::string name_of_file(const std::string& name) { return has_protocol(name) ? "./" + name : name; }

}  // namespace

std::uint64_t NewQcow2Header::l1_entries() const {
  constexpr std::uint64_t kReach = kTableEntries * kClusterBytes;
  return virtual_size / kReach + (virtual_size % kReach != 0 ? 1 : 0);
}

Result<void> NewQcow2Header::check() const {
  if (l1_entries() > kMaxL1Entries) {
    return fail(ErrorCode::kUnsupported, "A disk of {} bytes is too large for qcow2 with clusters of 64 KiB.",
                virtual_size);
  }
  if (parent && (parent->file.empty() || name_of_file(parent->file).size() > kMaxParentName)) {
    return fail(ErrorCode::kInvalidArgument, "A qcow2 image cannot stand on a file of the name \"{}\".", parent->file);
  }
  return {};
}

void NewQcow2Header::fill(std::span<std::byte> into) const {
  BigEndianWriter header(into);
  header.put(std::uint32_t{0x514649fb});  // "QFI\xfb"
  header.put(std::uint32_t{3});           // version
  header.put(std::uint64_t{0});           // backing file: see below
  header.put(std::uint32_t{0});
  header.put(kClusterBits);
  header.put(virtual_size);
  header.put(std::uint32_t{0});  // encryption: none
  header.put(static_cast<std::uint32_t>(l1_entries()));
  header.put(l1_cluster * kClusterBytes);
  header.put(refcount_cluster * kClusterBytes);
  header.put(static_cast<std::uint32_t>(refcount_clusters));
  header.put(std::uint32_t{0});  // internal snapshots: none
  header.put(std::uint64_t{0});
  header.put(has_zstd_clusters ? kFeatureCompressionType : 0);  // incompatible features
  header.put(std::uint64_t{0});                                 // compatible, and those that clear themselves
  header.put(std::uint64_t{0});
  header.put(kRefcountOrder);
  header.put(kHeaderLength);
  header.put(static_cast<std::uint8_t>(has_zstd_clusters ? Compression::kZstd : Compression::kDeflate));
  header.align(8);
  if (!parent) return;
  header.put(kExtensionBackingFormat);
  header.put(static_cast<std::uint32_t>(parent->format.size()));
  header.put_text(parent->format);
  header.align(8);
  header.put(std::uint64_t{0});  // the end of the extensions
  const std::string name = name_of_file(parent->file);
  constexpr std::size_t kBackingOffset = 8;
  put_big_endian(into, kBackingOffset, std::uint64_t{header.place()});
  put_big_endian(into, kBackingOffset + 8, static_cast<std::uint32_t>(name.size()));
  header.put_text(name);
}

std::vector<std::uint64_t> groups_of(const BlockMap& stored, const BlockMap* cleared) {
  std::vector<std::uint64_t> groups;
  const auto add_all = [&](const BlockMap& map) {
    for (const BlockMap::Group& group : map.groups()) groups.push_back(group.index);
  };
  add_all(stored);
  if (cleared == nullptr) return groups;
  add_all(*cleared);
  std::ranges::sort(groups);
  groups.erase(std::ranges::unique(groups).begin(), groups.end());
  return groups;
}

void fill_cleared(const BlockMap* cleared, std::uint64_t group, std::span<std::byte> into) {
  const BlockMap::Group* blocks = cleared == nullptr ? nullptr : cleared->group(group);
  if (blocks == nullptr) return;
  for (std::uint64_t block = 0; block < kTableEntries; ++block) {
    if (blocks->contains(block)) put_big_endian(into, block * 8, kReadsAsZeros);
  }
}

}  // namespace cohort::disk
