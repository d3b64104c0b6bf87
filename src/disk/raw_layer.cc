#include "disk/layer.h"

namespace cohort::disk {
namespace {

Extent zeros_from(std::uint64_t offset) { return {.offset = offset, .length = UINT64_MAX - offset}; }

class RawCursor : public LayerCursor {
 public:
  RawCursor(std::uint32_t file, std::uint64_t length) : file_(file), length_(length) {}

  // Holes are left to who knows them for every format: FileHoles.
  Result<LayerExtent> extent_at(std::uint64_t offset) override {
    if (offset >= length_) return LayerExtent{zeros_from(offset), true};
    return LayerExtent{{offset, length_ - offset, ExtentKind::kData, file_, offset}, true};
  }

 private:
  std::uint32_t file_;
  std::uint64_t length_;
};

class RawLayer : public Layer {
 public:
  RawLayer(std::uint32_t file, std::uint64_t length) : file_(file), length_(length) {}

  // A last sector that is not whole is filled up with zeros.
  [[nodiscard]] std::uint64_t virtual_size() const override { return (length_ + kSector - 1) / kSector * kSector; }
  [[nodiscard]] std::unique_ptr<LayerCursor> cursor(const ImageFiles& /*files*/) const override {
    return std::make_unique<RawCursor>(file_, length_);
  }

 private:
  std::uint32_t file_;
  std::uint64_t length_;
};

}  // namespace

Result<std::unique_ptr<Layer>> open_raw_layer(const ChainLayer& image, ImageFiles& files) {
  COHORT_ASSIGN(ImageFile file, open_image_file(image.path));
  // Read in its order, a file gives away its holes cheaply, however few they are.
  file.may_have_holes = !image.is_block_device;
  const std::uint64_t length = file.length;
  files.push_back(std::move(file));
  return std::make_unique<RawLayer>(static_cast<std::uint32_t>(files.size() - 1), length);
}

}  // namespace cohort::disk
