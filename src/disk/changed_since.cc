#include "disk/changed_since.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "disk/layer_walk.h"

namespace cohort::disk {
namespace {

class AllocatedAbove : public RangeCursor {
 public:
  AllocatedAbove(std::vector<std::unique_ptr<Layer>> layers, ImageFiles files)
      : files_(std::move(files)), size_(layers.empty() ? 0 : layers.front()->virtual_size()) {
    for (const auto& layer : layers) layers_.emplace_back(layer->cursor(files_));
  }

  Result<std::optional<Range>> next() override {
    COHORT_TRY(pass_over(false));
    const std::uint64_t begin = place_;
    COHORT_TRY(pass_over(true));
    if (begin == place_) return std::nullopt;
    return Range{begin, place_ - begin};
  }

 private:
  Result<void> pass_over(bool is_allocated) {
    while (place_ < size_) {
      std::uint64_t end = size_;
      bool is_found = false;
      for (LayerWalk& layer : layers_) {
        COHORT_ASSIGN(const LayerExtent* part, layer.around(place_));
        const std::uint64_t rest = part->extent.length - (place_ - part->extent.offset);
        end = std::min(end, place_ + std::min(rest, size_ - place_));
        is_found = part->is_allocated;
        if (is_found) break;
      }
      if (is_found != is_allocated) return {};
      place_ = end;
    }
    return {};
  }

  const ImageFiles files_;
  const std::uint64_t size_;
  std::vector<LayerWalk> layers_;  // the top first
  std::uint64_t place_ = 0;
};

}  // namespace

Result<std::unique_ptr<RangeCursor>> changed_since(const Chain& chain, std::size_t layer) {
  std::vector<std::unique_ptr<Layer>> layers;
  ImageFiles files;
  for (std::size_t i = 0; i < layer; ++i) {
    COHORT_ASSIGN(auto opened, open_layer(chain.layers[i], files));
    layers.push_back(std::move(opened));
  }
  return std::make_unique<AllocatedAbove>(std::move(layers), std::move(files));
}

}  // namespace cohort::disk
