#include "base/data_file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/big_endian.h"
#include "base/qcow2_extensions.h"

namespace cohort {
namespace {

// The head of a qcow2 file (QEMU's docs/interop/qcow2.txt).
constexpr std::string_view kMagic("QFI\xfb", 4);
constexpr std::size_t kVersion = 4;
constexpr std::size_t kBackingOffset = 8;
constexpr std::size_t kClusterBits = 20;
constexpr std::size_t kFeatures = 72;  // the incompatible ones; from version 3 on
constexpr std::size_t kHeaderLength = 100;
constexpr std::size_t kFixedFields = 104;
constexpr std::uint64_t kHasDataFile = 1U << 2U;
constexpr std::uint32_t kMaxClusterBits = 21;

Result<std::string> read_start(const Path& image, std::size_t length) {
  COHORT_ASSIGN(const UniqueFd fd, open_readonly(image));
  std::string bytes(length, '\0');
  std::size_t filled = 0;
  while (filled < length) {
    const ssize_t count = ::pread(fd.get(), bytes.data() + filled, length - filled, static_cast<off_t>(filled));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Failure{system_error(errno, fmt::format("\"{}\" cannot be read.", image.string()))};
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  bytes.resize(filled);
  return bytes;
}

bool has_data_file(std::string_view head) {
  return head.size() >= kFixedFields && head.starts_with(kMagic) && big_endian<std::uint32_t>(head, kVersion) >= 3 &&
         (big_endian<std::uint64_t>(head, kFeatures) & kHasDataFile) != 0;
}

// The part of the first cluster that extensions are in.
std::string_view extensions_in(std::string_view cluster) {
  const auto backing = big_endian<std::uint64_t>(cluster, kBackingOffset);
  return backing == 0 ? cluster : cluster.substr(0, std::min<std::uint64_t>(backing, cluster.size()));
}

Result<std::string> name_in(std::string_view cluster) {
  Qcow2Extensions extensions(extensions_in(cluster), big_endian<std::uint32_t>(cluster, kHeaderLength));
  while (true) {
    COHORT_ASSIGN(const auto extension, extensions.next());
    if (!extension) return fail(ErrorCode::kCorrupt, "It has an external data file, but does not name it.");
    if (extension->type == kQcow2DataFileExtension) return std::string(extension->data);
  }
}

}  // namespace

Result<std::string> data_file_of(const Path& image, std::string_view format) {
  if (format != "qcow2") return std::string();
  COHORT_ASSIGN(const std::string head, read_start(image, kFixedFields));
  if (!has_data_file(head)) return std::string();
  const auto cluster_bits = std::min(big_endian<std::uint32_t>(head, kClusterBits), kMaxClusterBits);
  COHORT_ASSIGN(const std::string cluster, read_start(image, std::size_t{1} << cluster_bits));
  if (cluster.size() < kFixedFields) return fail(ErrorCode::kCorrupt, "\"{}\" is cut off.", image.string());
  auto name = name_in(cluster);
  if (name) return name;
  return Failure{std::move(name).error().with_context(fmt::format("reading \"{}\"", image.string()))};
}

Result<FileStamp> stamp_of_image(const Path& image, std::string_view format) {
  COHORT_ASSIGN(const FileStamp own, stamp_of(image));
  COHORT_ASSIGN(const std::string name, data_file_of(image, format));
  if (name.empty()) return own;
  COHORT_ASSIGN(const FileStamp data, stamp_of(name));
  // The earlier time counts as well, or the write to the one would be hidden by the other one's time, where that lies
  // in the future.
  const auto [earlier, later] = std::minmax({own.modified_ns, data.modified_ns});
  return FileStamp{own.inode + data.inode, own.size + data.size + static_cast<std::uint64_t>(earlier), later};
}

}  // namespace cohort
