#include "disk/copy_image.h"

#include <algorithm>

#include "disk/chain.h"
#include "disk/compressed_copy.h"
#include "disk/image_lock.h"
#include "disk/measure.h"
#include "disk/nbd_source.h"
#include "disk/source.h"

namespace cohort::disk {
namespace {

Result<CopiedImage> copy_source(const CopyImageRequest& request, const DiskSource& source, const std::stop_token& stop,
                                const std::function<void(std::uint64_t)>& on_progress) {
  const CopyRequest copy{source, request.target, request.target_format, request.resources, true};
  return request.is_compressed ? copy_compressed(copy, stop, on_progress) : copy_disk(copy, stop, on_progress);
}

bool needs_qemu(const Result<std::unique_ptr<DiskSource>>& opened) {
  return !opened && opened.error().code == ErrorCode::kUnsupported;
}

}  // namespace

Result<CopiedImage> copy_image_through_qemu(const CopyImageRequest& request, const std::stop_token& stop,
                                            const std::function<void(std::uint64_t done)>& on_progress) {
  COHORT_ASSIGN(const auto estimate, measure_image(request.source, request.source_format, request.target_format, stop));
  COHORT_ASSIGN(const Chain chain, read_chain(request.source, request.source_format, stop));
  COHORT_ASSIGN(const auto source, open_disk_through_qemu(chain, stop));
  auto copied = copy_source(request, *source, stop, [&](std::uint64_t done) {
    // The estimate is QEMU's, and the plan is not.
    if (on_progress) on_progress(std::min(done, estimate));
  });
  if (copied && on_progress) on_progress(estimate);
  return copied;
}

Result<CopiedImage> copy_image(const CopyImageRequest& request, const std::stop_token& stop,
                               const std::function<void(std::uint64_t done)>& on_progress) {
  COHORT_ASSIGN(const Chain chain, read_chain(request.source, request.source_format, stop));
  COHORT_ASSIGN(const ImageLock lock, ImageLock::hold(chain));
  const auto source = open_disk(chain, stop);
  if (needs_qemu(source)) return copy_image_through_qemu(request, stop, on_progress);
  if (!source) return Failure{source.error()};
  return copy_source(request, **source, stop, on_progress);
}

Result<std::uint64_t> measure_copy(const Path& source, const std::string& source_format,
                                   const std::string& target_format, const std::stop_token& stop) {
  COHORT_ASSIGN(const Chain chain, read_chain(source, source_format, stop));
  const auto disk = open_disk(chain, stop);
  if (needs_qemu(disk)) return measure_image(source, source_format, target_format, stop);
  if (!disk) return Failure{disk.error()};
  COHORT_ASSIGN(const PlannedCopy planned, plan_copy(**disk, target_format, stop));
  return planned.stored_bytes;
}

}  // namespace cohort::disk
