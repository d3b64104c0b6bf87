#include "disk/copy_layout.h"

#include "disk/qcow2_layout.h"

namespace cohort::disk {
namespace {

class RawLayout final : public CopyLayout {
 public:
  explicit RawLayout(std::uint64_t size) : size_(size) {}
  [[nodiscard]] std::uint64_t file_size() const override { return size_; }
  [[nodiscard]] std::uint64_t virtual_size() const override { return size_; }
  [[nodiscard]] std::uint64_t head_blocks() const override { return 0; }
  void fill_head_block(std::uint64_t /*number*/, std::span<std::byte> /*into*/) const override {}
  [[nodiscard]] std::uint64_t place_of(std::uint64_t block, std::uint64_t /*blocks_before*/) const override {
    return block * kBlockBytes;
  }

 private:
  std::uint64_t size_;
};

}  // namespace

Result<std::unique_ptr<CopyLayout>> lay_out(const std::string& format, const BlockMap& map,
                                            std::uint64_t virtual_size) {
  if (format == "raw") return std::make_unique<RawLayout>(virtual_size);
  if (format == "qcow2") return Qcow2Layout::plan(map, virtual_size);
  return fail(ErrorCode::kUnsupported, "Images can be written as qcow2 or raw, not as \"{}\".", format);
}

Result<std::unique_ptr<CopyLayout>> lay_out_difference(const DifferenceMap& map, const Parent& parent,
                                                       std::uint64_t virtual_size) {
  return Qcow2Layout::plan(map, parent, virtual_size);
}

}  // namespace cohort::disk
