#include "client/disk_copier.h"

#include "disk/copy_file.h"
#include "disk/copy_image.h"

namespace cohort::client {

Result<std::uint64_t> ImageCopier::measure(const Layer& source, const std::string& format) {
  return disk::measure_copy(source.path, source.format, format);
}

Result<service::CopiedDisk> ImageCopier::copy(const service::CopyDiskRequest& request, std::stop_token stop,
                                              const std::function<void(std::uint64_t done)>& on_progress) {
  disk::RateLimiter limiter(request.rate_limit);
  const disk::CopyImageRequest copy{
      .source = request.source.path,
      .source_format = request.source.format,
      .target = request.target,
      .target_format = request.format,
      .resources = {buffers_, limiter},
      .is_compressed = request.is_compressed,
  };
  COHORT_ASSIGN(auto copied, disk::copy_image(copy, stop, on_progress));
  return service::CopiedDisk{copied.virtual_size, copied.file_size, std::move(copied.sha256),
                             std::move(copied.content_hash)};
}

Result<void> ImageCopier::copy_file(const service::CopyFileRequest& request, std::stop_token stop,
                                    const std::function<void(std::uint64_t done)>& on_progress) {
  disk::RateLimiter limiter(0);
  COHORT_ASSIGN(const auto copied,
                disk::copy_file({request.source, request.target, {buffers_, limiter}}, stop, on_progress));
  if (copied.sha256 == request.sha256) return {};
  COHORT_TRY(remove_file(request.target));
  return fail(ErrorCode::kCorrupt, "\"{}\" has changed since it was verified.", request.source.string());
}

Result<std::uint64_t> ImageCopier::measure_file(const Path& source) { return disk::measure_file(source); }

}  // namespace cohort::client
