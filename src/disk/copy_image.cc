#include "disk/copy_image.h"

#include <algorithm>

#include "disk/chain.h"
#include "disk/changed_since.h"
#include "disk/compressed_copy.h"
#include "disk/image_lock.h"
#include "disk/measure.h"
#include "disk/nbd_source.h"
#include "disk/source.h"
#include "disk/unhashed_copy.h"

namespace cohort::disk {
namespace {

CopyRequest request_for(const CopyImageRequest& request, const DiskSource& source) {
  return {source, request.target, request.target_format, request.resources, request.is_hashed, request.block_hashes};
}

Result<CopiedImage> copy_source(const CopyImageRequest& request, const DiskSource& source, const std::stop_token& stop,
                                const std::function<void(std::uint64_t)>& on_progress) {
  const CopyRequest copy = request_for(request, source);
  if (!request.is_hashed) return copy_unhashed(copy, stop, on_progress);
  return request.is_compressed ? copy_compressed(copy, stop, on_progress) : copy_disk(copy, stop, on_progress);
}

// Which of the chain's images it is, by whatever name.
Result<std::size_t> layer_of(const Chain& chain, const Path& image) {
  for (std::size_t i = 0; i < chain.layers.size(); ++i) {
    std::error_code code;
    if (std::filesystem::equivalent(chain.layers[i].path, image, code)) return i;
  }
  return fail(ErrorCode::kUnsupported, "The disk does not stand on \"{}\" any more.", image.string());
}

// The chain must outlive it.
Result<Difference> difference_from(const ImageBase& base, const Chain& chain, const DiskSource& source) {
  COHORT_ASSIGN(const std::size_t layer, layer_of(chain, base.frozen));
  if (base.parent.virtual_size != source.virtual_size()) {
    return fail(ErrorCode::kUnsupported, "The disk had {} bytes and has {} now.", base.parent.virtual_size,
                source.virtual_size());
  }
  return Difference{base.parent, [&chain, layer] { return changed_since(chain, layer); }, base.hashes};
}

Result<CopiedImage> copy_changed(const CopyImageRequest& request, const Chain& chain, const DiskSource& source,
                                 const std::stop_token& stop, const std::function<void(std::uint64_t)>& on_progress) {
  COHORT_ASSIGN(const Difference difference, difference_from(request.base.value(), chain, source));
  const CopyRequest copy = request_for(request, source);
  return request.is_compressed ? copy_compressed(copy, difference, stop, on_progress)
                               : copy_difference(copy, difference, stop, on_progress);
}

bool needs_qemu(const Result<std::unique_ptr<DiskSource>>& opened) {
  return !opened && opened.error().code == ErrorCode::kUnsupported;
}

// Of what QEMU does not read either, `unread` names the image.
template <typename Value>
Result<Value> through_qemu(const Error& unread, Result<Value> outcome) {
  if (outcome || outcome.error().code != ErrorCode::kUnsupported) return outcome;
  outcome.error().message = unread.message + " " + outcome.error().message;
  return outcome;
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
  if (needs_qemu(source) && !request.base) {
    return through_qemu(source.error(), copy_image_through_qemu(request, stop, on_progress));
  }
  if (!source) return Failure{source.error()};
  if (request.base) return copy_changed(request, chain, **source, stop, on_progress);
  return copy_source(request, **source, stop, on_progress);
}

Result<std::uint64_t> measure_copy(const Path& source, const std::string& source_format,
                                   const std::string& target_format, const std::stop_token& stop) {
  COHORT_ASSIGN(const Chain chain, read_chain(source, source_format, stop));
  const auto disk = open_disk(chain, stop);
  if (needs_qemu(disk)) return through_qemu(disk.error(), measure_image(source, source_format, target_format, stop));
  if (!disk) return Failure{disk.error()};
  COHORT_ASSIGN(const PlannedCopy planned, plan_copy(**disk, target_format, stop));
  return planned.stored_bytes;
}

Result<std::uint64_t> measure_difference(const Path& source, const std::string& source_format, const ImageBase& base,
                                         const std::stop_token& stop) {
  COHORT_ASSIGN(const Chain chain, read_chain(source, source_format, stop));
  COHORT_ASSIGN(const auto disk, open_disk(chain, stop));
  COHORT_ASSIGN(const Difference difference, difference_from(base, chain, *disk));
  COHORT_ASSIGN(const PlannedCopy planned, plan_difference(*disk, difference, stop));
  return planned.stored_bytes;
}

Result<CopiedImage> copy_listed(const CopyListedRequest& request, const std::stop_token& stop,
                                const std::function<void(std::uint64_t done)>& on_progress) {
  COHORT_ASSIGN(const Chain chain, listed_chain(request.source, stop));
  COHORT_ASSIGN(const ImageLock lock, ImageLock::hold(chain));
  COHORT_ASSIGN(const auto source, open_disk(chain, stop));
  return copy_disk({*source, request.target, request.target_format, request.resources, true}, stop, on_progress);
}

Result<std::uint64_t> measure_listed(const ListedImages& source, const std::string& target_format,
                                     const std::stop_token& stop) {
  COHORT_ASSIGN(const Chain chain, listed_chain(source, stop));
  COHORT_ASSIGN(const auto disk, open_disk(chain, stop));
  COHORT_ASSIGN(const PlannedCopy planned, plan_copy(*disk, target_format, stop));
  return planned.stored_bytes;
}

}  // namespace cohort::disk
