// Whether a file was written to since somebody looked.
#pragma once

#include <cstdint>

#include "base/file.h"
#include "base/result.h"

namespace cohort {

// What the file system says of a file's content; owner and mode are no part of it. Equal stamps of one path at two
// moments: nothing was written between, unless somebody has set the time back on purpose.
struct FileStamp {
  std::uint64_t inode = 0;
  std::uint64_t size = 0;        // bytes
  std::int64_t modified_ns = 0;  // mtime, nanoseconds since 1970

  [[nodiscard]] bool operator==(const FileStamp&) const = default;
};

// Links are followed. kNotFound, kIo.
[[nodiscard]] Result<FileStamp> stamp_of(const Path& path);

}  // namespace cohort
