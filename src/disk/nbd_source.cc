#include "disk/nbd_source.h"

#include <libnbd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "disk/image_lock.h"
#include "disk/qemu_nbd.h"

namespace cohort::disk {
namespace {

using std::chrono::steady_clock;

// As many as a copy has threads that read.
constexpr std::size_t kConnections = 4;
constexpr std::chrono::seconds kStartDeadline{60};
constexpr std::chrono::milliseconds kStartPause{5};
// QEMU's own bound is 32 MiB.
constexpr std::uint64_t kMaxRead = std::uint64_t{16} << 20U;
// What one question may be about: the answer's lengths have 32 bits.
constexpr std::uint64_t kMaxAsked = std::uint64_t{1} << 30U;
constexpr const char* kAllocation = "base:allocation";

struct CloseHandle {
  void operator()(nbd_handle* handle) const { nbd_close(handle); }
};
using Handle = std::unique_ptr<nbd_handle, CloseHandle>;

// Collects what QEMU says of a stretch. The numbers are pairs: a length, and flags.
int on_extents(void* user_data, const char* /*context*/, std::uint64_t offset, std::uint32_t* numbers,
               std::size_t count, int* /*error*/) {
  auto& extents = *static_cast<std::vector<Extent>*>(user_data);
  for (std::size_t i = 0; i + 1 < count; i += 2) {
    if (numbers[i] == 0) continue;
    const auto kind = (numbers[i + 1] & LIBNBD_STATE_ZERO) != 0 ? ExtentKind::kZero : ExtentKind::kData;
    extents.push_back({.offset = offset, .length = numbers[i], .kind = kind, .file_offset = offset});
    offset += numbers[i];
  }
  return 0;
}

class NbdSource;

class NbdCursor : public ExtentCursor {
 public:
  explicit NbdCursor(const NbdSource& source) : source_(source) {}
  Result<std::optional<Extent>> next() override;
  void skip_to(std::uint64_t offset) override {
    while (!ahead_.empty() && ahead_.front().offset + ahead_.front().length <= offset) ahead_.pop_front();
    if (ahead_.empty()) asked_ = std::max(asked_, offset);
  }

 private:
  Result<void> ask();

  const NbdSource& source_;
  std::deque<Extent> ahead_;
  std::uint64_t asked_ = 0;
};

class NbdSource : public DiskSource {
 public:
  NbdSource(ImageLock lock, std::unique_ptr<QemuNbd> server, std::string name, std::stop_token stop)
      : lock_(std::move(lock)), server_(std::move(server)), name_(std::move(name)), stop_(std::move(stop)) {}

  Result<void> connect() {
    COHORT_ASSIGN(Handle first, wait_for_server());
    can_tell_zeros_ = nbd_can_meta_context(first.get(), kAllocation) == 1;
    const std::int64_t size = nbd_get_size(first.get());
    if (size < 0) return failure("cannot be measured");
    size_ = static_cast<std::uint64_t>(size);
    free_.push_back(std::move(first));
    while (free_.size() < kConnections) {
      COHORT_ASSIGN(Handle handle, try_connect());
      free_.push_back(std::move(handle));
    }
    server_->remove_socket();
    return {};
  }

  [[nodiscard]] std::uint64_t virtual_size() const override { return size_; }
  [[nodiscard]] Result<std::unique_ptr<ExtentCursor>> extents() const override {
    return std::make_unique<NbdCursor>(*this);
  }

  [[nodiscard]] Result<void> read(const Extent& extent, std::uint64_t begin, std::span<std::byte> into) const override {
    if (extent.kind == ExtentKind::kZero) {
      std::ranges::fill(into, std::byte{0});
      return {};
    }
    return with_handle([&](nbd_handle* handle) -> Result<void> {
      std::uint64_t place = extent.file_offset + begin;
      for (auto rest = into; !rest.empty();) {
        const auto part = rest.first(std::min<std::uint64_t>(rest.size(), kMaxRead));
        if (nbd_pread(handle, part.data(), part.size(), place, 0) != 0) return failure("cannot be read");
        place += part.size();
        rest = rest.subspan(part.size());
      }
      return {};
    });
  }

  [[nodiscard]] int descriptor(std::uint32_t /*file*/) const override { return -1; }

  // Some extents from `offset` on.
  // REQUIRES: offset < virtual_size().
  [[nodiscard]] Result<std::vector<Extent>> extents_from(std::uint64_t offset) const {
    const std::uint64_t length = std::min(size_ - offset, kMaxAsked);
    if (!can_tell_zeros_) {
      return std::vector<Extent>{
          {.offset = offset, .length = length, .kind = ExtentKind::kData, .file_offset = offset}};
    }
    return with_handle([&](nbd_handle* handle) -> Result<std::vector<Extent>> {
      std::vector<Extent> extents;
      const nbd_extent_callback callback{on_extents, &extents, nullptr};
      if (nbd_block_status(handle, length, offset, callback, 0) != 0) return failure("cannot be mapped");
      if (extents.empty()) return fail(ErrorCode::kIo, "QEMU tells nothing of \"{}\" at {}.", name_, offset);
      // The last may reach past what was asked for.
      Extent& last = extents.back();
      last.length = std::min(last.length, size_ - last.offset);
      return extents;
    });
  }

 private:
  [[nodiscard]] Result<Handle> wait_for_server() const {
    const auto deadline = steady_clock::now() + kStartDeadline;
    while (true) {
      if (stop_.stop_requested()) return cancelled();
      if (const auto error = server_->ended()) return Failure{*error};
      std::error_code ignored;
      if (std::filesystem::exists(server_->socket(), ignored)) {
        if (auto handle = try_connect()) return handle;
      }
      if (steady_clock::now() > deadline) {
        return fail(ErrorCode::kIo, "QEMU does not begin to read \"{}\".", name_);
      }
      std::this_thread::sleep_for(kStartPause);
    }
  }

  [[nodiscard]] Result<Handle> try_connect() const {
    Handle handle(nbd_create());
    if (!handle || nbd_add_meta_context(handle.get(), kAllocation) != 0 ||
        nbd_connect_unix(handle.get(), server_->socket().c_str()) != 0) {
      return failure("cannot be opened");
    }
    return handle;
  }

  // Waits for one that nobody uses.
  template <typename Work>
  [[nodiscard]] auto with_handle(const Work& work) const -> decltype(work(nullptr)) {
    std::unique_lock lock(mutex_);
    given_back_.wait(lock, [&] { return !free_.empty(); });
    Handle handle = std::move(free_.back());
    free_.pop_back();
    lock.unlock();
    auto outcome = work(handle.get());
    lock.lock();
    free_.push_back(std::move(handle));
    given_back_.notify_one();
    return outcome;
  }

  // Of this thread's last call to libnbd.
  [[nodiscard]] Failure failure(std::string_view what) const {
    if (stop_.stop_requested()) return cancelled();
    const int number = nbd_get_errno();
    const char* words = nbd_get_error();
    Error error = system_error(number != 0 ? number : EIO, fmt::format("\"{}\" {} through QEMU.", name_, what));
    if (words != nullptr) error.cause = words;
    return Failure{std::move(error)};
  }
  [[nodiscard]] Failure cancelled() const {
    return fail(ErrorCode::kCancelled, "Cancelled while reading \"{}\".", name_);
  }

  ImageLock lock_;  // qemu-nbd shows a raw image to which another program writes
  std::unique_ptr<QemuNbd> server_;
  std::string name_;  // for errors
  std::stop_token stop_;
  std::uint64_t size_ = 0;
  bool can_tell_zeros_ = false;
  mutable std::mutex mutex_;
  mutable std::condition_variable given_back_;
  mutable std::vector<Handle> free_;
};

Result<std::optional<Extent>> NbdCursor::next() {
  if (ahead_.empty()) COHORT_TRY(ask());
  if (ahead_.empty()) return std::nullopt;
  Extent whole = ahead_.front();
  ahead_.pop_front();
  while (true) {
    if (ahead_.empty()) COHORT_TRY(ask());
    if (ahead_.empty() || !join(whole, ahead_.front())) return whole;
    ahead_.pop_front();
  }
}

Result<void> NbdCursor::ask() {
  if (asked_ >= source_.virtual_size()) return {};
  COHORT_ASSIGN(const auto extents, source_.extents_from(asked_));
  ahead_.assign(extents.begin(), extents.end());
  asked_ = extents.back().offset + extents.back().length;
  return {};
}

}  // namespace

Result<std::unique_ptr<DiskSource>> open_disk_through_qemu(const Chain& chain, const std::stop_token& stop) {
  COHORT_ASSIGN(ImageLock lock, ImageLock::hold(chain));
  COHORT_ASSIGN(auto server, QemuNbd::start(chain, kConnections, stop));
  auto source =
      std::make_unique<NbdSource>(std::move(lock), std::move(server), chain.layers.front().path.string(), stop);
  COHORT_TRY(source->connect());
  return source;
}

}  // namespace cohort::disk
