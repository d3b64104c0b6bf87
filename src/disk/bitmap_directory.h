// The list of bitmaps in a qcow2 file.
#pragma once

#include <vector>

#include "disk/bitmap.h"
#include "disk/image_file.h"

namespace cohort::disk {

// kCorrupt if an entry is not possible, lies outside the directory or has the name of another, or if the directory is
// not within the file or holds another number of bitmaps than the header says.
[[nodiscard]] Result<std::vector<Bitmap>> read_bitmap_directory(const ImageFile& file,
                                                                const Qcow2BitmapDirectory& directory);

}  // namespace cohort::disk
