// Walking over the bits of one bitmap.
#pragma once

#include <memory>

#include "disk/bitmap.h"
#include "disk/image_file.h"

namespace cohort::disk {

// REQUIRES: the bitmap is of this file and consistent.
// kCorrupt if its table is not within the file or too small for the disk.
[[nodiscard]] Result<std::unique_ptr<RangeCursor>> open_bitmap(ImageFile file, const Qcow2Header& header,
                                                               const Bitmap& bitmap);

}  // namespace cohort::disk
