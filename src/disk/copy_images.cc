#include "disk/copy_images.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "disk/copy_outcome.h"

namespace cohort::disk {
namespace {

// Enough to keep any storage busy; more would only make it seek.
constexpr std::size_t kAtOnce = 8;

class Copies {
 public:
  Copies(const std::vector<ImageToCopy>& images, const std::stop_token& stop,
         const std::function<void(std::uint64_t)>& on_progress)
      : images_(images), on_progress_(on_progress), outcome_(stop), copied_(images.size()), done_(images.size()) {}

  Result<std::vector<CopiedImage>> run() {
    {
      std::vector<std::jthread> workers;
      for (std::size_t i = 0; i < std::min(images_.size(), kAtOnce); ++i) workers.emplace_back([this] { work(); });
    }
    if (auto result = outcome_.result(images_.front().request.target.parent_path()); !result) {
      return Failure{remove_copies(std::move(result).error())};
    }
    std::vector<CopiedImage> all;
    for (auto& image : copied_) all.push_back(*std::move(image));
    return all;
  }

 private:
  // The top of a worker's thread.
  void work() {
    for (std::size_t i = next_++; i < images_.size() && !outcome_.stop().stop_requested(); i = next_++) {
      auto copied = copy_image(images_[i].request, outcome_.stop(), [&](std::uint64_t done) { report(i, done); });
      if (!copied) return outcome_.fail(std::move(copied).error().with_context(images_[i].context));
      copied_[i] = *std::move(copied);
    }
  }

  void report(std::size_t number, std::uint64_t done) {
    if (!on_progress_) return;
    const std::lock_guard lock(mutex_);
    sum_ += done - done_[number];
    done_[number] = done;
    on_progress_(sum_);
  }

  Error remove_copies(Error error) {
    for (std::size_t i = 0; i < images_.size(); ++i) {
      if (!copied_[i]) continue;
      for (const Path& file : {images_[i].request.target, images_[i].request.block_hashes}) {
        const auto removed = file.empty() ? Result<void>() : remove_file(file);
        if (!removed) error.message += " " + removed.error().describe();
      }
    }
    return error;
  }

  const std::vector<ImageToCopy>& images_;
  const std::function<void(std::uint64_t)>& on_progress_;
  CopyOutcome outcome_;
  std::vector<std::optional<CopiedImage>> copied_;  // each by one thread
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;
  std::vector<std::uint64_t> done_;  // bytes, of each
  std::uint64_t sum_ = 0;
};

}  // namespace

Result<std::vector<CopiedImage>> copy_images(const std::vector<ImageToCopy>& images, const std::stop_token& stop,
                                             const std::function<void(std::uint64_t done)>& on_progress) {
  if (images.empty()) return std::vector<CopiedImage>{};
  return Copies(images, stop, on_progress).run();
}

}  // namespace cohort::disk
