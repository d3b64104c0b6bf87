// An open file that a disk consists of.
#pragma once

#include <cstdint>
#include <string>

#include "base/file.h"
#include "base/result.h"
#include "disk/qcow2_header.h"

namespace cohort::disk {

struct ImageFile {
  UniqueFd fd;
  std::string name;             // for errors
  std::uint64_t length = 0;     // bytes, when it was opened; a frozen file keeps its length
  bool may_have_holes = false;  // less is allocated than the file is long
  // Of the compressed clusters in it.
  std::uint32_t cluster_bits = 0;
  Compression compression = Compression::kDeflate;
};

// Opens a plain file or a block device. kUnsupported for anything else.
[[nodiscard]] Result<ImageFile> open_image_file(const Path& path);

// For a qcow2 file that says what cannot be: `what` is a sentence about it.
[[nodiscard]] Failure damaged(const ImageFile& file, std::string_view what);

// For a file that is not what it was when it was opened.
[[nodiscard]] Failure changed_meanwhile(const ImageFile& file);

// A table in a file, of which one piece at a time is in memory.
class TableWindow {
 public:
  static constexpr std::uint64_t kPiece = 64UL << 10U;  // bytes; qcow2's small clusters have smaller tables

  // The bytes from `offset` on, valid until the next call. Fails with kCorrupt if the file ends before them; `what`
  // ("an L2 table") is what the error calls them.
  // REQUIRES: length <= kPiece.
  [[nodiscard]] Result<std::string_view> read(const ImageFile& file, std::uint64_t offset, std::size_t length,
                                              std::string_view what);

 private:
  std::string bytes_;
  std::uint64_t offset_ = 0;
};

}  // namespace cohort::disk
