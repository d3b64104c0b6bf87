#include "client/disk_copier.h"

#include "disk/copy_image.h"

namespace cohort::client {

Result<std::uint64_t> ImageCopier::measure(const Layer& source, const std::string& format) {
  return disk::measure_copy(source.path, source.format, format);
}

Result<service::CopiedDisk> ImageCopier::copy(const service::CopyDiskRequest& request, std::stop_token stop,
                                              const std::function<void(std::uint64_t done)>& on_progress) {
  disk::RateLimiter limiter(request.rate_limit);
  COHORT_ASSIGN(auto copied,
                disk::copy_image(
                    {request.source.path, request.source.format, request.target, request.format, {buffers_, limiter}},
                    stop, on_progress));
  return service::CopiedDisk{copied.virtual_size, copied.file_size, std::move(copied.sha256)};
}

}  // namespace cohort::client
