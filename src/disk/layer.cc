#include "disk/layer.h"

namespace cohort::disk {

Result<std::unique_ptr<Layer>> open_layer(const ChainLayer& image, ImageFiles& files) {
  if (image.format == "raw") return open_raw_layer(image, files);
  if (image.format == "qcow2" && image.header && !image.header->is_encrypted) return open_qcow2_layer(image, files);
  if (image.format == "qcow2" && !image.header) {
    return fail(ErrorCode::kUnsupported, "\"{}\" has features of qcow2 that only QEMU may know.", image.path.string());
  }
  return fail(ErrorCode::kUnsupported, "\"{}\" ({}{}) cannot be read without QEMU.", image.path.string(),
              image.header && image.header->is_encrypted ? "encrypted " : "", image.format);
}

}  // namespace cohort::disk
