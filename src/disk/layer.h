// One image of a chain, without those it stands on.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "disk/chain.h"
#include "disk/extents.h"
#include "disk/image_file.h"

namespace cohort::disk {

// All files of a disk; Extent::file counts through them.
using ImageFiles = std::vector<ImageFile>;

struct LayerExtent {
  Extent extent;
  // False where the image says nothing: the one below decides. The extent is kZero then, for the lowest.
  bool is_allocated = false;
};

// One thread at a time.
class LayerCursor {
 public:
  virtual ~LayerCursor() = default;
  // What the image has from `offset` on: at least a byte, ending where the table in memory does. Past the image's own
  // end it has zeros. Costs no more than the reading of the tables on the way if `offset` only grows.
  [[nodiscard]] virtual Result<LayerExtent> extent_at(std::uint64_t offset) = 0;
};

class Layer {
 public:
  virtual ~Layer() = default;
  [[nodiscard]] virtual std::uint64_t virtual_size() const = 0;  // bytes
  // The files must outlive the cursor.
  [[nodiscard]] virtual std::unique_ptr<LayerCursor> cursor(const ImageFiles& files) const = 0;
};

// Opens what the image consists of and appends it to `files`.
// kUnsupported if it is of a format that is not read here, or encrypted; and as below.
[[nodiscard]] Result<std::unique_ptr<Layer>> open_layer(const ChainLayer& image, ImageFiles& files);

// The same for one format.
// kUnsupported if its data is in a file that it does not name, or that is not a plain file; kCorrupt if the L1 table
// cannot be this image's.
[[nodiscard]] Result<std::unique_ptr<Layer>> open_qcow2_layer(const ChainLayer& image, ImageFiles& files);
[[nodiscard]] Result<std::unique_ptr<Layer>> open_raw_layer(const ChainLayer& image, ImageFiles& files);

}  // namespace cohort::disk
