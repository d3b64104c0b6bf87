#include "disk/direct_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <vector>

#include "base/unique_fd.h"

namespace cohort::disk {

// A file that is open for O_DIRECT, and mapped to see what of it is in memory; the mapping is never read.
class DirectFiles::File {
 public:
  static std::unique_ptr<const File> open(int fd) {
    UniqueFd direct(::open(fmt::format("/proc/self/fd/{}", fd).c_str(), O_RDONLY | O_CLOEXEC | O_DIRECT | O_NONBLOCK));
    struct stat info {};
    if (!direct.is_open() || ::fstat(direct.get(), &info) != 0 || info.st_size <= 0) return nullptr;
    const auto size = static_cast<std::size_t>(info.st_size);
    void* mapping = ::mmap(nullptr, size, PROT_NONE, MAP_SHARED, direct.get(), 0);
    if (mapping == MAP_FAILED) return nullptr;
    return std::unique_ptr<const File>(new File(std::move(direct), static_cast<std::byte*>(mapping), size));
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { ::munmap(mapping_, size_); }

  [[nodiscard]] int descriptor() const { return fd_.get(); }

  // Whether most of the bytes, which begin at a page, are in memory.
  [[nodiscard]] bool is_cached(std::uint64_t offset, std::size_t length) const {
    if (offset >= size_) return true;  // what lies behind the end is no matter of ours
    std::vector<unsigned char> pages((std::min(length, size_ - offset) + kAlignment - 1) / kAlignment);
    if (::mincore(mapping_ + offset, std::min(length, size_ - offset), pages.data()) != 0) return true;
    const auto cached = std::ranges::count_if(pages, [](unsigned char page) { return (page & 1U) != 0; });
    return 2 * static_cast<std::size_t>(cached) >= pages.size();
  }

 private:
  File(UniqueFd fd, std::byte* mapping, std::size_t size) : fd_(std::move(fd)), mapping_(mapping), size_(size) {}

  UniqueFd fd_;
  std::byte* mapping_;
  std::size_t size_;
};

DirectFiles::DirectFiles(const DiskSource& source) : source_(source) {}
DirectFiles::~DirectFiles() = default;

int DirectFiles::best_for(std::uint32_t file, std::uint64_t offset, std::span<const std::byte> into) {
  const auto place = reinterpret_cast<std::uintptr_t>(into.data());
  const bool is_aligned = (offset | place | into.size()) % kAlignment == 0;
  const File* direct = is_aligned ? find(file) : nullptr;
  return direct != nullptr && !direct->is_cached(offset, into.size()) ? direct->descriptor() : source_.descriptor(file);
}

const DirectFiles::File* DirectFiles::find(std::uint32_t file) {
  const std::scoped_lock lock(mutex_);
  const auto found = files_.find(file);
  if (found != files_.end()) return found->second.get();
  const int fd = source_.descriptor(file);
  return files_.emplace(file, fd < 0 ? nullptr : File::open(fd)).first->second.get();
}

}  // namespace cohort::disk
