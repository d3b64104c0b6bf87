// Copies disks that are only told of: the copy is a small file whose text names the source.
#pragma once

#include <string>
#include <vector>

#include "base/sha256.h"
#include "service/ports/disk_copier.h"
#include "service/testing/call_control.h"

namespace cohort::service {

class FakeDiskCopier final : public DiskCopier {
 public:
  static constexpr std::uint64_t kVirtualSize = 4096;

  explicit FakeDiskCopier(CallControl& control) : control_(control) {}

  [[nodiscard]] Result<std::uint64_t> measure(const Layer& source, const std::string& format,
                                              const std::stop_token& stop) override {
    return control_.call("measure " + source.path.string(), [&]() -> Result<std::uint64_t> {
      if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "The measuring was cancelled.");
      measured_formats_.push_back(format);
      return estimate_;
    });
  }

  [[nodiscard]] Result<std::uint64_t> measure_difference(const Layer& source, const DiskBase& base,
                                                         const std::stop_token& stop) override {
    return control_.call("measure_difference " + source.path.string(), [&]() -> Result<std::uint64_t> {
      if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "The measuring was cancelled.");
      bases_.push_back(base);
      return estimate_ / 2;
    });
  }

  [[nodiscard]] bool can_share(const Layer& /*source*/, const Path& /*folder*/) override { return can_share_; }

  // One after the other.
  [[nodiscard]] Result<std::vector<CopiedDisk>> copy(
      const std::vector<CopyDiskRequest>& requests, std::uint64_t rate_limit, std::stop_token stop,
      const std::function<void(std::uint64_t done)>& on_progress) override {
    rate_limit_ = rate_limit;
    std::vector<CopiedDisk> disks;
    for (const auto& request : requests) {
      const std::uint64_t before = disks.size() * estimate_;
      auto disk = copy_one(request, stop, [&](std::uint64_t done) { on_progress(before + done); });
      if (!disk) {
        for (std::size_t i = 0; i < disks.size(); ++i) {
          COHORT_TRY(remove_file(requests[i].target));
          if (requests[i].is_hashed) COHORT_TRY(remove_file(requests[i].block_hashes));
        }
        return Failure{std::move(disk).error().with_context("copying " + request.name)};
      }
      disks.push_back(*std::move(disk));
    }
    return disks;
  }

  // Files are real, and so are their copies.
  [[nodiscard]] Result<void> copy_file(const CopyFileRequest& request, std::stop_token stop,
                                       const std::function<void(std::uint64_t done)>& on_progress) override {
    return control_.call("copy_file " + request.source.filename().string(), [&]() -> Result<void> {
      if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "The copy was cancelled.");
      COHORT_ASSIGN(const auto content, read_file(request.source, 1U << 20U));
      if (Sha256::of(content) != request.sha256) {
        return fail(ErrorCode::kCorrupt, "\"{}\" has changed since it was verified.", request.source.string());
      }
      COHORT_TRY(create_file(request.target, content));
      on_progress(estimate_);
      return {};
    });
  }
  [[nodiscard]] Result<std::uint64_t> measure_file(const Path& /*source*/) override {
    return control_.call("measure_file", [&]() -> Result<std::uint64_t> { return estimate_; });
  }

  // The copy says nothing of the layers.
  [[nodiscard]] Result<CopiedDisk> copy_layers(const CopyLayersRequest& request, std::stop_token stop,
                                               const std::function<void(std::uint64_t done)>& on_progress) override {
    return control_.call("copy_layers", [&]() -> Result<CopiedDisk> {
      if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "The copy was cancelled.");
      layers_.push_back(request);
      std::string content = "layers";
      content.resize(kVirtualSize, '\0');
      COHORT_TRY(create_file(request.target, content));
      on_progress(estimate_);
      return CopiedDisk{virtual_size_, content.size(), Sha256::of(content), request.content_hash, 0};
    });
  }
  [[nodiscard]] Result<std::uint64_t> measure_layers(const std::vector<Layer>& /*layers*/,
                                                     const std::string& /*format*/,
                                                     const std::stop_token& /*stop*/) override {
    return control_.call("measure_layers", [&]() -> Result<std::uint64_t> { return estimate_; });
  }

  void estimate(std::uint64_t bytes) { estimate_ = bytes; }
  void can_share(bool can) { can_share_ = can; }
  // Of the copies from now on.
  void virtual_size(std::uint64_t bytes) { virtual_size_ = bytes; }
  [[nodiscard]] std::uint64_t rate_limit() const { return rate_limit_; }
  [[nodiscard]] const std::vector<CopyDiskRequest>& requests() const { return requests_; }
  [[nodiscard]] const std::vector<DiskBase>& bases() const { return bases_; }
  [[nodiscard]] const std::vector<CopyLayersRequest>& layers() const { return layers_; }
  [[nodiscard]] const std::vector<std::string>& measured_formats() const { return measured_formats_; }

 private:
  // All that is looked at of an image without its tables: version 3, clusters of 64 KiB.
  static std::string qcow2_head() {
    std::string head;
    const auto add = [&](std::uint64_t value, unsigned bytes) {
      while (bytes-- > 0) head += static_cast<char>((value >> (8 * bytes)) & 0xffU);
    };
    add(0x514649fb, 4);  // magic
    add(3, 4);
    head.append(12, '\0');  // no backing file
    add(16, 4);
    add(kVirtualSize, 8);
    add(0, 4);        // not encrypted
    add(1, 4);        // entries of L1
    add(0x30000, 8);  // where it lies
    add(0x10000, 8);  // the refcount table
    add(1, 4);
    head.append(12, '\0');  // no snapshots
    head.append(24, '\0');  // no features
    add(4, 4);
    add(104, 4);
    head.append(8, '\0');  // no extensions
    return head;
  }

  Result<CopiedDisk> copy_one(const CopyDiskRequest& request, const std::stop_token& stop,
                              const std::function<void(std::uint64_t done)>& on_progress) {
    return control_.call("copy " + request.source.path.string(), [&]() -> Result<CopiedDisk> {
      if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "The copy was cancelled.");
      requests_.push_back(request);
      std::string content = request.format == "qcow2" ? qcow2_head() : std::string();
      content += fmt::format("{} of {}\n", request.format, request.source.path.string());
      content.resize(kVirtualSize, '\0');
      COHORT_TRY(create_file(request.target, content));
      on_progress(estimate_ / 2);
      on_progress(estimate_);
      if (!request.is_hashed) return CopiedDisk{virtual_size_, content.size(), {}, {}, 0};
      const std::string hashes = request.source.path.string();
      COHORT_TRY(create_file(request.block_hashes, hashes));
      return CopiedDisk{virtual_size_, content.size(), Sha256::of(content), Sha256::of(hashes), hashes.size()};
    });
  }

  CallControl& control_;
  std::uint64_t estimate_ = kVirtualSize;
  bool can_share_ = false;
  std::uint64_t virtual_size_ = kVirtualSize;
  std::uint64_t rate_limit_ = 0;
  std::vector<CopyDiskRequest> requests_;
  std::vector<std::string> measured_formats_;
  std::vector<DiskBase> bases_;
  std::vector<CopyLayersRequest> layers_;
};

}  // namespace cohort::service
