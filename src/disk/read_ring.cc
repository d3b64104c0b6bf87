#include "disk/read_ring.h"

#include <liburing.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace cohort::disk {
namespace {

constexpr unsigned kDepth = 32;

}  // namespace

struct ReadRing::Impl {
  io_uring ring{};
  bool is_usable = true;  // not after a failure: requests that the kernel has not taken would come again

  // How many of them the kernel has taken.
  unsigned submit(std::span<const Request> requests) {
    if (!is_usable) return 0;
    for (const Request& request : requests) {
      io_uring_sqe* entry = io_uring_get_sqe(&ring);
      const auto length = static_cast<unsigned>(request.into.size());
      io_uring_prep_read(entry, request.fd, request.into.data(), length, request.offset);
      io_uring_sqe_set_data64(entry, length);
    }
    unsigned submitted = 0;
    while (submitted < requests.size() && is_usable) {
      const int count = io_uring_submit(&ring);
      if (count > 0) submitted += static_cast<unsigned>(count);
      is_usable = count > 0 || count == -EINTR;
    }
    return submitted;
  }

  // Waits for so many requests; true if each has read all that it should.
  bool are_whole(unsigned submitted) {
    bool is_whole = true;
    for (; submitted > 0; --submitted) {
      io_uring_cqe* done = nullptr;
      // Only a signal interrupts it, and the memory is the kernel's until the request is done.
      while (io_uring_wait_cqe(&ring, &done) != 0) {
      }
      is_whole = is_whole && done->res >= 0 && static_cast<std::uint64_t>(done->res) == io_uring_cqe_get_data64(done);
      io_uring_cqe_seen(&ring, done);
    }
    return is_whole;
  }
};

ReadRing::ReadRing(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

ReadRing::~ReadRing() { io_uring_queue_exit(&impl_->ring); }

std::unique_ptr<ReadRing> ReadRing::open() {
  auto impl = std::make_unique<Impl>();
  if (io_uring_queue_init(kDepth, &impl->ring, 0) < 0) return nullptr;
  return std::unique_ptr<ReadRing>(new ReadRing(std::move(impl)));
}

bool ReadRing::read(std::span<const Request> requests) {
  bool is_whole = true;
  while (!requests.empty()) {
    const auto batch = requests.first(std::min<std::size_t>(requests.size(), kDepth));
    requests = requests.subspan(batch.size());
    const unsigned submitted = impl_->submit(batch);
    is_whole = impl_->are_whole(submitted) && submitted == batch.size() && is_whole;
  }
  return is_whole;
}

}  // namespace cohort::disk
