// What has changed on a disk since one of the images below it was frozen.
#pragma once

#include <cstddef>
#include <memory>

#include "base/result.h"
#include "disk/chain.h"
#include "disk/changed_ranges.h"

namespace cohort::disk {

// What the images above `layer` of the chain have, without regard to what they have there: all else reads as that image
// and those below it do. An image that is shorter than the ones around it hides what is past its end.
// Costs one walk over the tables of the images above, memory as an ExtentCursor. Errors: see open_disk.
// REQUIRES: layer < chain.layers.size().
[[nodiscard]] Result<std::unique_ptr<RangeCursor>> changed_since(const Chain& chain, std::size_t layer);

}  // namespace cohort::disk
