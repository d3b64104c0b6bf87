// The head of a qcow2 file (QEMU's docs/interop/qcow2.txt), versions 2 and 3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace cohort::disk {

constexpr std::uint64_t kSector = 512;  // bytes; QEMU counts disks in sectors

enum class Compression : std::uint8_t { kDeflate, kZstd };

// Where the persistent bitmaps of an image are listed.
struct Qcow2BitmapDirectory {
  std::uint32_t count = 0;
  std::uint64_t offset = 0;  // bytes from the start of the file
  std::uint64_t size = 0;    // bytes
  // False once a program that knows nothing of bitmaps has written to the image: they lack what it changed.
  bool is_current = false;
};

struct Qcow2Header {
  std::uint32_t version = 0;
  std::uint32_t cluster_bits = 0;
  std::uint64_t virtual_size = 0;  // bytes
  std::uint32_t internal_snapshots = 0;
  bool is_encrypted = false;
  bool has_data_file = false;  // an external data file, by feature bit or extension
  // Its name as recorded. Not there if there is none, or if only one of feature bit and extension is.
  std::optional<std::string> data_file;
  bool has_extended_l2 = false;
  Compression compression = Compression::kDeflate;
  bool is_marked_corrupt = false;  // by QEMU, when it found the image damaged
  std::optional<std::string> backing_file;
  std::optional<std::string> backing_format;
  std::uint64_t l1_offset = 0;   // bytes from the start of the file
  std::uint32_t l1_entries = 0;  // of 8 bytes each
  std::optional<Qcow2BitmapDirectory> bitmaps;

  // Bytes of the disk as the guest sees it: QEMU counts whole sectors.
  [[nodiscard]] std::uint64_t disk_size() const { return virtual_size / kSector * kSector; }
};

// Fails with kCorrupt, naming what is wrong, or kUnsupported for a version or feature that is not known; never reads
// outside `bytes`. A few KiB from the start suffice (the backing file's name lies within the first cluster, at most
// 2 MiB).
[[nodiscard]] Result<Qcow2Header> parse_qcow2_header(std::string_view bytes);
[[nodiscard]] Result<Qcow2Header> read_qcow2_header(const Path& image);
// Of an open file; `name` is what the errors call it.
[[nodiscard]] Result<Qcow2Header> read_qcow2_header(int fd, const std::string& name);

// True if the bytes begin as a qcow2 file does.
[[nodiscard]] bool is_qcow2_magic(std::string_view bytes);

}  // namespace cohort::disk
