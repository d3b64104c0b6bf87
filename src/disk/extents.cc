#include "disk/extents.h"

namespace cohort::disk {

Extent part_of(const Extent& extent, std::uint64_t begin, std::uint64_t length) {
  Extent part = extent;
  part.offset += begin;
  part.length = length;
  if (part.kind == ExtentKind::kData) part.file_offset += begin;
  if (part.kind == ExtentKind::kCompressed) part.skip += static_cast<std::uint32_t>(begin);
  return part;
}

bool join(Extent& extent, const Extent& next) {
  if (extent.kind != next.kind || extent.offset + extent.length != next.offset) return false;
  if (extent.kind != ExtentKind::kZero && part_of(extent, extent.length, next.length) != next) return false;
  extent.length += next.length;
  return true;
}

}  // namespace cohort::disk
