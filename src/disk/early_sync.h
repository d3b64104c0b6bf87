// Brings a file to the storage while it is being written.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

namespace cohort::disk {

// What goes past the page cache is still in that of the device, or of the host that this one is a guest of: it takes
// them at the speed of memory, and has everything to write when the file is synced. So it is synced now and then,
// beside the writing and the hashing, and little is left for the end.
// Threads: any number may add().
class EarlySync {
 public:
  // Bytes from one sync to the next. More leaves more for the end, and for a copy that is cancelled to wait for.
  static constexpr std::uint64_t kStep = std::uint64_t{64} << 20U;

  // `sync` returns 0 or an errno. It is called from a thread of this object's own.
  explicit EarlySync(std::function<int()> sync, std::uint64_t step = kStep)
      : sync_(std::move(sync)), step_(step), thread_([this](const std::stop_token& stop) { work(stop); }) {}

  // So many bytes more have been written.
  void add(std::uint64_t bytes);
  // Waits for a sync that has begun; none begins afterwards. The errno of the first that failed, or 0: the kernel tells
  // of a failure once, so that the next sync may well succeed although bytes are lost.
  [[nodiscard]] int finish();

 private:
  void work(const std::stop_token& stop);

  std::function<int()> sync_;
  std::uint64_t step_;
  std::mutex mutex_;
  std::condition_variable_any added_;
  std::uint64_t bytes_ = 0;  // since the last sync began
  int error_ = 0;
  std::jthread thread_;
};

}  // namespace cohort::disk
