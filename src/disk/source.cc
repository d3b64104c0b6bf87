#include "disk/source.h"

#include <algorithm>
#include <mutex>
#include <vector>

#include "disk/compressed_cluster.h"
#include "disk/file_bytes.h"
#include "disk/file_holes.h"
#include "disk/layer.h"
#include "disk/layer_walk.h"

namespace cohort::disk {
namespace {

using Layers = std::vector<std::unique_ptr<Layer>>;
using Bytes = std::vector<std::byte>;

class ChainCursor : public ExtentCursor {
 public:
  ChainCursor(const Layers& layers, const ImageFiles& files, const std::stop_token& stop)
      : files_(files), stop_(stop), size_(layers.front()->virtual_size()), holes_(files.size()) {
    for (const auto& layer : layers) layers_.emplace_back(layer->cursor(files));
  }

  Result<std::optional<Extent>> next() override {
    if (!ahead_) {
      COHORT_ASSIGN(ahead_, next_piece());
    }
    std::optional<Extent> whole = std::exchange(ahead_, std::nullopt);
    while (whole) {
      COHORT_ASSIGN(ahead_, next_piece());
      if (!ahead_ || !join(*whole, *ahead_)) break;
    }
    return whole;
  }

  void skip_to(std::uint64_t offset) override {
    if (ahead_ && ahead_->offset + ahead_->length > offset) return;
    if (offset <= place_) return;
    ahead_.reset();
    place_ = std::min(offset, size_);
  }

 private:
  Result<std::optional<Extent>> next_piece() {
    if (place_ == size_) return std::nullopt;
    if (stop_.stop_requested()) return fail(ErrorCode::kCancelled, "Cancelled while reading an image's tables.");
    COHORT_ASSIGN(Extent piece, topmost());
    if (piece.kind == ExtentKind::kData) {
      COHORT_ASSIGN(piece, without_holes(piece));
    }
    place_ += piece.length;
    return piece;
  }

  // What the topmost layer that has anything there has, as far as no layer above has something else.
  Result<Extent> topmost() {
    std::uint64_t length = size_ - place_;
    for (LayerWalk& layer : layers_) {
      COHORT_ASSIGN(const LayerExtent* found, layer.around(place_));
      const std::uint64_t begin = place_ - found->extent.offset;
      length = std::min(length, found->extent.length - begin);
      if (found->is_allocated) return part_of(found->extent, begin, length);
    }
    return Extent{.offset = place_, .length = length};
  }

  Result<Extent> without_holes(const Extent& data) {
    COHORT_ASSIGN(const FileHoles::Stretch stretch, holes_[data.file].stretch_at(files_[data.file], data.file_offset));
    const std::uint64_t length = std::min(data.length, stretch.end - data.file_offset);
    if (stretch.is_hole) return Extent{.offset = data.offset, .length = length};
    return part_of(data, 0, length);
  }

  const ImageFiles& files_;
  const std::stop_token& stop_;
  const std::uint64_t size_;
  std::vector<LayerWalk> layers_;  // the top first
  std::vector<FileHoles> holes_;   // of each file
  std::uint64_t place_ = 0;
  std::optional<Extent> ahead_;
};

// The compressed cluster that was unpacked last: who reads in small steps does not unpack it for each.
class LastCluster {
 public:
  [[nodiscard]] std::shared_ptr<const Bytes> find(const Extent& extent) const {
    const std::scoped_lock lock(mutex_);
    return file_ == extent.file && file_offset_ == extent.file_offset ? bytes_ : nullptr;
  }
  void keep(const Extent& extent, std::shared_ptr<const Bytes> bytes) {
    const std::scoped_lock lock(mutex_);
    file_ = extent.file;
    file_offset_ = extent.file_offset;
    bytes_ = std::move(bytes);
  }

 private:
  mutable std::mutex mutex_;
  std::uint32_t file_ = 0;
  std::uint64_t file_offset_ = 0;
  std::shared_ptr<const Bytes> bytes_;  // shared with readers that copy from it
};

class ChainSource : public DiskSource {
 public:
  ChainSource(Layers layers, ImageFiles files, std::stop_token stop)
      : layers_(std::move(layers)), files_(std::move(files)), stop_(std::move(stop)) {}

  [[nodiscard]] std::uint64_t virtual_size() const override { return layers_.front()->virtual_size(); }

  [[nodiscard]] Result<std::unique_ptr<ExtentCursor>> extents() const override {
    return std::make_unique<ChainCursor>(layers_, files_, stop_);
  }

  [[nodiscard]] Result<void> read(const Extent& extent, std::uint64_t begin, std::span<std::byte> into) const override {
    if (into.size() > extent.length || begin > extent.length - into.size()) {
      return fail(ErrorCode::kInternal, "{} bytes are read of an extent of {} bytes, from {} on.", into.size(),
                  extent.length, begin);
    }
    switch (extent.kind) {
      case ExtentKind::kData:
        return read_data(extent, begin, into);
      case ExtentKind::kCompressed:
        return read_compressed(extent, begin, into);
      case ExtentKind::kZero:
        break;
    }
    std::ranges::fill(into, std::byte{0});
    return {};
  }

  [[nodiscard]] int descriptor(std::uint32_t file) const override { return files_[file].fd.get(); }

 private:
  [[nodiscard]] Result<void> read_data(const Extent& extent, std::uint64_t begin, std::span<std::byte> into) const {
    const ImageFile& file = files_[extent.file];
    COHORT_ASSIGN(const std::size_t filled, read_into(file.fd.get(), extent.file_offset + begin, into, file.name));
    if (filled < into.size()) return changed_meanwhile(file);
    return {};
  }

  [[nodiscard]] Result<void> read_compressed(const Extent& extent, std::uint64_t begin,
                                             std::span<std::byte> into) const {
    const std::size_t size = std::size_t{1} << files_[extent.file].cluster_bits;
    if (into.size() == size) return unpack(extent, into);
    auto cluster = last_cluster_.find(extent);
    if (!cluster) {
      auto unpacked = std::make_shared<Bytes>(size);
      COHORT_TRY(unpack(extent, *unpacked));
      cluster = std::move(unpacked);
      last_cluster_.keep(extent, cluster);
    }
    std::ranges::copy(std::span(*cluster).subspan(extent.skip + begin, into.size()), into.begin());
    return {};
  }

  [[nodiscard]] Result<void> unpack(const Extent& extent, std::span<std::byte> cluster) const {
    const ImageFile& file = files_[extent.file];
    COHORT_ASSIGN(const std::string stored, read_at(file.fd.get(), extent.file_offset, extent.stored_bytes, file.name));
    if (stored.size() < extent.stored_bytes) return changed_meanwhile(file);
    if (unpack_cluster(file.compression, std::as_bytes(std::span(stored)), cluster)) return {};
    return damaged(file, fmt::format("the compressed cluster at {} cannot be unpacked.", extent.file_offset));
  }

  Layers layers_;
  ImageFiles files_;
  std::stop_token stop_;
  mutable LastCluster last_cluster_;
};

}  // namespace

Result<std::unique_ptr<DiskSource>> open_disk(const Chain& chain, const std::stop_token& stop) {
  if (chain.goes_on || chain.layers.empty()) {
    return fail(ErrorCode::kUnsupported, "A backing file that is no plain file cannot be read without QEMU.");
  }
  Layers layers;
  ImageFiles files;
  for (const ChainLayer& image : chain.layers) {
    COHORT_ASSIGN(std::unique_ptr<Layer> layer, open_layer(image, files));
    layers.push_back(std::move(layer));
  }
  return std::make_unique<ChainSource>(std::move(layers), std::move(files), stop);
}

}  // namespace cohort::disk
