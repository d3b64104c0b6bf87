#include "disk/qcow2_header.h"

#include <algorithm>

#include "base/big_endian.h"
#include "base/qcow2_extensions.h"
#include "disk/file_bytes.h"

namespace cohort::disk {
namespace {

constexpr std::uint32_t kMagic = 0x514649fb;  // "QFI\xfb"
constexpr std::size_t kVersion2Length = 72;
constexpr std::size_t kVersion3Length = 104;
constexpr std::uint32_t kMinClusterBits = 9;
constexpr std::uint32_t kMaxClusterBits = 21;
constexpr std::uint32_t kMaxBackingName = 1023;
// QEMU's own bound (QCOW_MAX_L1_SIZE, 32 MiB).
constexpr std::uint32_t kMaxL1Entries = 4U << 20U;
constexpr std::size_t kFirstCluster = std::size_t{1} << kMaxClusterBits;

constexpr std::uint64_t kFeatureCorrupt = 1U << 1U;
constexpr std::uint64_t kFeatureDataFile = 1U << 2U;
constexpr std::uint64_t kFeatureCompression = 1U << 3U;
constexpr std::uint64_t kFeatureExtendedL2 = 1U << 4U;
constexpr std::uint64_t kKnownFeatures = 0x1f;  // dirty, corrupt, data file, compression type, extended L2
constexpr std::uint64_t kAutoclearBitmaps = 1U << 0U;
// A subcluster, the 32nd part of a cluster, is no smaller than a sector.
constexpr std::uint32_t kMinExtendedClusterBits = 14;

constexpr std::uint32_t kExtensionBackingFormat = 0xe2792aca;
constexpr std::uint32_t kExtensionBitmaps = 0x23852875;
constexpr std::size_t kBitmapsLength = 24;

// The places of the fixed fields.
enum Field : std::size_t {
  kFieldVersion = 4,
  kFieldBackingOffset = 8,
  kFieldBackingSize = 16,
  kFieldClusterBits = 20,
  kFieldSize = 24,
  kFieldCrypt = 32,
  kFieldL1Entries = 36,
  kFieldL1Offset = 40,
  kFieldSnapshots = 60,
  kFieldFeatures = 72,
  kFieldAutoclear = 88,
  kFieldHeaderLength = 100,
  kFieldCompression = 104,
};

Result<void> check_version(std::string_view bytes) {
  if (!is_qcow2_magic(bytes)) return fail(ErrorCode::kCorrupt, "It is not a qcow2 image.");
  if (bytes.size() < kVersion2Length) return fail(ErrorCode::kCorrupt, "The qcow2 header is cut off.");
  const auto version = big_endian<std::uint32_t>(bytes, kFieldVersion);
  if (version != 2 && version != 3) {
    return fail(ErrorCode::kUnsupported, "The version {} of qcow2 is not known.", version);
  }
  if (version == 3 && bytes.size() < kVersion3Length) {
    return fail(ErrorCode::kCorrupt, "The qcow2 header is cut off.");
  }
  return {};
}

Qcow2Header read_fixed_fields(std::string_view bytes) {
  Qcow2Header header;
  header.version = big_endian<std::uint32_t>(bytes, kFieldVersion);
  header.cluster_bits = big_endian<std::uint32_t>(bytes, kFieldClusterBits);
  header.virtual_size = big_endian<std::uint64_t>(bytes, kFieldSize);
  header.is_encrypted = big_endian<std::uint32_t>(bytes, kFieldCrypt) != 0;
  header.l1_entries = big_endian<std::uint32_t>(bytes, kFieldL1Entries);
  header.l1_offset = big_endian<std::uint64_t>(bytes, kFieldL1Offset);
  header.internal_snapshots = big_endian<std::uint32_t>(bytes, kFieldSnapshots);
  return header;
}

Result<void> check_fixed_fields(const Qcow2Header& header) {
  if (header.cluster_bits < kMinClusterBits || header.cluster_bits > kMaxClusterBits) {
    return fail(ErrorCode::kCorrupt, "The cluster size of 2^{} bytes is not possible in qcow2.", header.cluster_bits);
  }
  if (header.virtual_size > INT64_MAX) {
    return fail(ErrorCode::kCorrupt, "The virtual size of {} bytes is not possible.", header.virtual_size);
  }
  if (header.l1_entries > kMaxL1Entries || header.l1_offset > INT64_MAX) {
    return fail(ErrorCode::kCorrupt, "The L1 table of {} entries at {} is not possible.", header.l1_entries,
                header.l1_offset);
  }
  if (header.l1_offset % (std::uint64_t{1} << header.cluster_bits) != 0) {
    return fail(ErrorCode::kCorrupt, "The L1 table at {} is not at the start of a cluster.", header.l1_offset);
  }
  return {};
}

// Feature bits and autoclear bits came with version 3.
bool has_bit(std::string_view bytes, const Qcow2Header& header, Field field, std::uint64_t bit) {
  return header.version >= 3 && (big_endian<std::uint64_t>(bytes, field) & bit) != 0;
}

Result<void> read_features(std::string_view bytes, Qcow2Header& header) {
  if (header.version < 3) return {};
  const auto features = big_endian<std::uint64_t>(bytes, kFieldFeatures);
  if ((features & ~kKnownFeatures) != 0) {
    return fail(ErrorCode::kUnsupported, "The image uses qcow2 features that are not known ({:#x}).",
                features & ~kKnownFeatures);
  }
  header.is_marked_corrupt = (features & kFeatureCorrupt) != 0;
  header.has_data_file = (features & kFeatureDataFile) != 0;
  header.has_extended_l2 = (features & kFeatureExtendedL2) != 0;
  if (header.has_extended_l2 && header.cluster_bits < kMinExtendedClusterBits) {
    return fail(ErrorCode::kCorrupt, "Clusters of 2^{} bytes are too small for subclusters.", header.cluster_bits);
  }
  return {};
}

// The field came late: a header that is shorter means deflate, and the feature bit guards everything else.
Result<void> read_compression(std::string_view bytes, std::size_t length, Qcow2Header& header) {
  if (header.version < 3) return {};
  const bool has_field = length > kFieldCompression && bytes.size() > kFieldCompression;
  const auto type = has_field ? big_endian<std::uint8_t>(bytes, kFieldCompression) : std::uint8_t{0};
  if (type > static_cast<std::uint8_t>(Compression::kZstd)) {
    return fail(ErrorCode::kUnsupported, "The compression type {} is not known.", type);
  }
  header.compression = static_cast<Compression>(type);
  if (has_bit(bytes, header, kFieldFeatures, kFeatureCompression) != (header.compression != Compression::kDeflate)) {
    return fail(ErrorCode::kCorrupt, "The compression type {} contradicts the feature bits.", type);
  }
  return {};
}

Result<std::size_t> header_length(std::string_view bytes, const Qcow2Header& header) {
  if (header.version < 3) return kVersion2Length;
  const auto length = big_endian<std::uint32_t>(bytes, kFieldHeaderLength);
  if (length < kVersion3Length || length > (1U << header.cluster_bits) || length % 8 != 0) {
    return fail(ErrorCode::kCorrupt, "The header length of {} bytes is not possible.", length);
  }
  return std::size_t{length};
}

Result<void> read_backing_file(std::string_view bytes, Qcow2Header& header) {
  const auto offset = big_endian<std::uint64_t>(bytes, kFieldBackingOffset);
  const auto size = big_endian<std::uint32_t>(bytes, kFieldBackingSize);
  if (offset == 0) return {};
  const std::uint64_t cluster = std::uint64_t{1} << header.cluster_bits;
  if (size > kMaxBackingName || offset > cluster || offset + size > cluster || offset + size > bytes.size()) {
    return fail(ErrorCode::kCorrupt, "The backing file's name ({} bytes at {}) is outside the header.", size, offset);
  }
  // QEMU, too, takes a name of no length for no backing file.
  if (size != 0) header.backing_file = std::string(bytes.substr(offset, size));
  return {};
}

Result<void> read_bitmaps_extension(std::string_view bytes, std::string_view data, Qcow2Header& header) {
  if (data.size() != kBitmapsLength) {
    return fail(ErrorCode::kCorrupt, "The header extension for bitmaps is {} bytes long.", data.size());
  }
  header.bitmaps = {big_endian<std::uint32_t>(data, 0), big_endian<std::uint64_t>(data, 16),
                    big_endian<std::uint64_t>(data, 8), has_bit(bytes, header, kFieldAutoclear, kAutoclearBitmaps)};
  return {};
}

Result<void> apply_extension(std::string_view bytes, const Qcow2Extension& extension, Qcow2Header& header) {
  const auto& [type, data] = extension;
  if (type == kExtensionBackingFormat) header.backing_format = std::string(data);
  if (type == kQcow2DataFileExtension) {
    if (has_bit(bytes, header, kFieldFeatures, kFeatureDataFile)) header.data_file = std::string(data);
    header.has_data_file = true;
  }
  if (type == kExtensionBitmaps) return read_bitmaps_extension(bytes, data, header);
  return {};
}

// Extensions lie between the header and the backing file's name, or the end of the first cluster.
Result<void> read_extensions(std::string_view bytes, std::size_t begin, Qcow2Header& header) {
  const auto backing_offset = big_endian<std::uint64_t>(bytes, kFieldBackingOffset);
  std::uint64_t end = std::uint64_t{1} << header.cluster_bits;
  if (backing_offset != 0) end = std::min(end, backing_offset);
  end = std::min<std::uint64_t>(end, bytes.size());
  Qcow2Extensions extensions(bytes.substr(0, end), begin);
  while (true) {
    COHORT_ASSIGN(const auto extension, extensions.next());
    if (!extension) return {};
    COHORT_TRY(apply_extension(bytes, *extension, header));
  }
}

}  // namespace

bool is_qcow2_magic(std::string_view bytes) {
  return bytes.size() >= sizeof kMagic && big_endian<std::uint32_t>(bytes, 0) == kMagic;
}

Result<Qcow2Header> parse_qcow2_header(std::string_view bytes) {
  COHORT_TRY(check_version(bytes));
  Qcow2Header header = read_fixed_fields(bytes);
  COHORT_TRY(check_fixed_fields(header));
  COHORT_TRY(read_features(bytes, header));
  COHORT_ASSIGN(const std::size_t length, header_length(bytes, header));
  COHORT_TRY(read_compression(bytes, length, header));
  COHORT_TRY(read_backing_file(bytes, header));
  COHORT_TRY(read_extensions(bytes, length, header));
  return header;
}

Result<Qcow2Header> read_qcow2_header(int fd, const std::string& name) {
  COHORT_ASSIGN(const std::string bytes, read_at(fd, 0, kFirstCluster, name));
  auto header = parse_qcow2_header(bytes);
  if (!header) return Failure{Error(header.error()).with_context(fmt::format("reading \"{}\"", name))};
  return header;
}

Result<Qcow2Header> read_qcow2_header(const Path& image) {
  COHORT_ASSIGN(const UniqueFd fd, open_image(image));
  return read_qcow2_header(fd.get(), image.string());
}

}  // namespace cohort::disk
