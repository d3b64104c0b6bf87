// Hands things on in the order of their numbers, in whichever order they come.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace cohort::disk {

// Threads: any number may put; one takes.
template <typename Item>
class OrderedQueue {
 public:
  void put(std::uint64_t number, Item item) {
    {
      const std::lock_guard lock(mutex_);
      items_.emplace(number, std::move(item));
    }
    added_.notify_one();
  }

  // Waits for it; nothing if `stop` was requested before.
  [[nodiscard]] std::optional<Item> take(std::uint64_t number, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (!added_.wait(lock, stop, [&] { return items_.contains(number); })) return std::nullopt;
    return std::move(items_.extract(number).mapped());
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any added_;
  std::map<std::uint64_t, Item> items_;
};

}  // namespace cohort::disk
