#include "disk/early_sync.h"

namespace cohort::disk {

void EarlySync::add(std::uint64_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    bytes_ += bytes;
    if (bytes_ < step_) return;
  }
  added_.notify_one();
}

int EarlySync::finish() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  return error_;
}

void EarlySync::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (added_.wait(lock, stop, [this] { return bytes_ >= step_; }) && !stop.stop_requested()) {
    bytes_ = 0;
    lock.unlock();
    const int failed = sync_();
    lock.lock();
    if (error_ == 0) error_ = failed;
  }
}

}  // namespace cohort::disk
