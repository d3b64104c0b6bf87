// A walk over the layers of a chain, side by side.
#pragma once

#include <memory>
#include <utility>

#include "disk/layer.h"

namespace cohort::disk {

// A layer's cursor with what it said last. One thread at a time.
class LayerWalk {
 public:
  explicit LayerWalk(std::unique_ptr<LayerCursor> cursor) : cursor_(std::move(cursor)) {}

  // Valid until the next call.
  Result<const LayerExtent*> around(std::uint64_t offset) {
    if (offset < last_.extent.offset || offset - last_.extent.offset >= last_.extent.length) {
      COHORT_ASSIGN(last_, cursor_->extent_at(offset));
    }
    return &last_;
  }

 private:
  std::unique_ptr<LayerCursor> cursor_;
  LayerExtent last_;
};

}  // namespace cohort::disk
