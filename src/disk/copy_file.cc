#include "disk/copy_file.h"

#include <algorithm>

#include "disk/chain.h"
#include "disk/image_lock.h"

namespace cohort::disk {
namespace {

// Ends where the file does: a disk would be filled up to a whole sector.
class FileCursor : public ExtentCursor {
 public:
  FileCursor(std::unique_ptr<ExtentCursor> disk, std::uint64_t size) : disk_(std::move(disk)), size_(size) {}

  Result<std::optional<Extent>> next() override {
    COHORT_ASSIGN(auto extent, disk_->next());
    if (!extent || extent->offset >= size_) return std::optional<Extent>();
    extent->length = std::min(extent->length, size_ - extent->offset);
    return extent;
  }
  void skip_to(std::uint64_t offset) override { disk_->skip_to(offset); }

 private:
  std::unique_ptr<ExtentCursor> disk_;
  std::uint64_t size_;
};

class FileSource : public DiskSource {
 public:
  FileSource(std::unique_ptr<DiskSource> disk, std::uint64_t size) : disk_(std::move(disk)), size_(size) {}

  [[nodiscard]] std::uint64_t virtual_size() const override { return size_; }
  [[nodiscard]] Result<std::unique_ptr<ExtentCursor>> extents() const override {
    COHORT_ASSIGN(auto cursor, disk_->extents());
    return std::make_unique<FileCursor>(std::move(cursor), size_);
  }
  [[nodiscard]] Result<void> read(const Extent& extent, std::uint64_t begin, std::span<std::byte> into) const override {
    return disk_->read(extent, begin, into);
  }
  [[nodiscard]] int descriptor(std::uint32_t file) const override { return disk_->descriptor(file); }

 private:
  std::unique_ptr<DiskSource> disk_;
  std::uint64_t size_;
};

Result<FileSource> open_source(const Chain& chain, const std::stop_token& stop) {
  COHORT_ASSIGN(const std::uint64_t size, size_of_file(chain.layers.front().path));
  COHORT_ASSIGN(auto disk, open_disk(chain, stop));
  return FileSource(std::move(disk), size);
}

}  // namespace

Result<CopiedImage> copy_file(const CopyFileRequest& request, const std::stop_token& stop,
                              const std::function<void(std::uint64_t done)>& on_progress) {
  COHORT_ASSIGN(const Chain chain, read_chain(request.source, "raw", stop));
  COHORT_ASSIGN(const ImageLock lock, ImageLock::hold(chain));
  COHORT_ASSIGN(const FileSource source, open_source(chain, stop));
  return copy_disk({source, request.target, "raw", request.resources}, stop, on_progress);
}

Result<std::uint64_t> measure_file(const Path& source) {
  COHORT_ASSIGN(const Chain chain, read_chain(source, "raw"));
  COHORT_ASSIGN(const FileSource file, open_source(chain, {}));
  COHORT_ASSIGN(const PlannedCopy planned, plan_copy(file, "raw"));
  return planned.stored_bytes;
}

}  // namespace cohort::disk
