// Images that keep their data in another file.
#pragma once

#include <string>
#include <string_view>

#include "base/file.h"
#include "base/file_stamp.h"
#include "base/result.h"

namespace cohort {

// The external data file of an image of this format, as its head names it; empty if it has none. Only qcow2 has any.
// kCorrupt for a head that cannot be, or that has one and does not name it; as open_readonly.
[[nodiscard]] Result<std::string> data_file_of(const Path& image, std::string_view format);

// As if an image and its external data file were one file, so that a write to either is seen.
[[nodiscard]] Result<FileStamp> stamp_of_image(const Path& image, std::string_view format);

}  // namespace cohort
