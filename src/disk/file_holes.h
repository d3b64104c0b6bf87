// Where a file has holes (SEEK_HOLE): preallocated images are full of clusters for which nothing is stored.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "disk/image_file.h"

namespace cohort::disk {

// Remembers the stretch that was asked for last, so that going on in a file costs a system call for each of its
// stretches, not for each question. One thread at a time.
class FileHoles {
 public:
  struct Stretch {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;  // bytes from the start of the file
    bool is_hole = false;
  };

  // The stretch around `offset`, which may begin earlier and end later than what is returned. All is data where the
  // file system does not tell. kCorrupt if the file changed meanwhile.
  // REQUIRES: offset < file.length.
  [[nodiscard]] Result<Stretch> stretch_at(const ImageFile& file, std::uint64_t offset);

 private:
  Stretch last_;
};

}  // namespace cohort::disk
