#include "client/disk_copier.h"

#include "disk/copy_file.h"
#include "disk/copy_images.h"
#include "disk/shares_storage.h"

namespace cohort::client {
namespace {

disk::ImageBase image_base(const service::DiskBase& base) {
  return {
      base.frozen, {base.parent_file, base.parent_format, base.virtual_size}, {base.block_hashes, base.content_hash}};
}

disk::ListedImages listed(const std::vector<Layer>& layers) {
  disk::ListedImages images;
  for (const auto& layer : layers) images.emplace_back(layer.path, layer.format);
  return images;
}

service::CopiedDisk told(disk::CopiedImage&& image) {
  return {image.virtual_size, image.file_size, std::move(image.sha256), std::move(image.content_hash),
          image.hashes_size};
}

}  // namespace

Result<std::uint64_t> ImageCopier::measure(const Layer& source, const std::string& format,
                                           const std::stop_token& stop) {
  return disk::measure_copy(source.path, source.format, format, stop);
}

Result<std::uint64_t> ImageCopier::measure_difference(const Layer& source, const service::DiskBase& base,
                                                      const std::stop_token& stop) {
  return disk::measure_difference(source.path, source.format, image_base(base), stop);
}

bool ImageCopier::can_share(const Layer& source, const Path& folder) {
  return disk::shares_storage(source.path, source.format, folder);
}

Result<std::vector<service::CopiedDisk>> ImageCopier::copy(const std::vector<service::CopyDiskRequest>& requests,
                                                           std::uint64_t rate_limit, std::stop_token stop,
                                                           const std::function<void(std::uint64_t done)>& on_progress) {
  disk::RateLimiter limiter(rate_limit);
  std::vector<disk::ImageToCopy> images;
  for (const auto& request : requests) {
    images.push_back({{.source = request.source.path,
                       .source_format = request.source.format,
                       .target = request.target,
                       .target_format = request.format,
                       .resources = {buffers_, limiter},
                       .is_compressed = request.is_compressed,
                       .is_hashed = request.is_hashed,
                       .block_hashes = request.block_hashes,
                       .base = request.base ? std::optional(image_base(*request.base)) : std::nullopt},
                      fmt::format("copying {}", request.name)});
  }
  COHORT_ASSIGN(auto copied, disk::copy_images(images, stop, on_progress));
  std::vector<service::CopiedDisk> disks;
  for (auto& image : copied) disks.push_back(told(std::move(image)));
  return disks;
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

Result<service::CopiedDisk> ImageCopier::copy_layers(const service::CopyLayersRequest& request, std::stop_token stop,
                                                     const std::function<void(std::uint64_t done)>& on_progress) {
  disk::RateLimiter limiter(0);
  COHORT_ASSIGN(auto copied,
                disk::copy_listed({listed(request.layers), request.target, request.format, {buffers_, limiter}}, stop,
                                  on_progress));
  if (copied.content_hash == request.content_hash) return told(std::move(copied));
  COHORT_TRY(remove_file(request.target));
  return fail(
      ErrorCode::kCorrupt,
      "\"{}\" and what it stands on have another content than the manifest says: either they have changed since "
      "they were verified, or the package was made wrongly.",
      request.layers.front().path.string());
}

Result<std::uint64_t> ImageCopier::measure_layers(const std::vector<Layer>& layers, const std::string& format,
                                                  const std::stop_token& stop) {
  return disk::measure_listed(listed(layers), format, stop);
}

Result<std::uint64_t> ImageCopier::measure_file(const Path& source) { return disk::measure_file(source); }

}  // namespace cohort::client
