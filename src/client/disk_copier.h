// The service's DiskCopier over the disk images of disk/.
#pragma once

#include "disk/buffer_pool.h"
#include "service/ports/disk_copier.h"

namespace cohort::client {

class ImageCopier final : public service::DiskCopier {
 public:
  [[nodiscard]] Result<std::uint64_t> measure(const Layer& source, const std::string& format,
                                              const std::stop_token& stop) override;
  [[nodiscard]] Result<std::uint64_t> measure_difference(const Layer& source, const service::DiskBase& base,
                                                         const std::stop_token& stop) override;
  [[nodiscard]] bool can_share(const Layer& source, const Path& folder) override;
  [[nodiscard]] Result<std::vector<service::CopiedDisk>> copy(
      const std::vector<service::CopyDiskRequest>& requests, std::uint64_t rate_limit, std::stop_token stop,
      const std::function<void(std::uint64_t done)>& on_progress) override;
  [[nodiscard]] Result<void> copy_file(const service::CopyFileRequest& request, std::stop_token stop,
                                       const std::function<void(std::uint64_t done)>& on_progress) override;
  [[nodiscard]] Result<std::uint64_t> measure_file(const Path& source) override;
  [[nodiscard]] Result<service::CopiedDisk> copy_layers(
      const service::CopyLayersRequest& request, std::stop_token stop,
      const std::function<void(std::uint64_t done)>& on_progress) override;
  [[nodiscard]] Result<std::uint64_t> measure_layers(const std::vector<Layer>& layers, const std::string& format,
                                                     const std::stop_token& stop) override;

 private:
  disk::BufferPool buffers_;  // of all copies that run side by side
};

}  // namespace cohort::client
