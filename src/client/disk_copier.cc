#include "client/disk_copier.h"

#include "disk/convert.h"
#include "disk/measure.h"

namespace cohort::client {

Result<std::uint64_t> ImageCopier::measure(const Layer& source, const std::string& format) {
  return disk::measure_image(source.path, source.format, format);
}

Result<service::CopiedDisk> ImageCopier::copy(const service::CopyDiskRequest& request, std::stop_token stop,
                                              const std::function<void(std::uint64_t done)>& on_progress) {
  COHORT_ASSIGN(const auto estimate, measure(request.source, request.format));
  const auto on_fraction = [&](double fraction) {
    if (on_progress) on_progress(static_cast<std::uint64_t>(fraction * static_cast<double>(estimate)));
  };
  COHORT_ASSIGN(auto converted, disk::convert_image({request.source.path, request.source.format, request.target,
                                                     request.format, request.rate_limit},
                                                    std::move(stop), on_fraction));
  return service::CopiedDisk{converted.virtual_size, converted.file_size, std::move(converted.sha256)};
}

}  // namespace cohort::client
