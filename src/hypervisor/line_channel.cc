#include "hypervisor/line_channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

namespace cohort::hypervisor {
namespace {

// A line that never ends must not fill the memory.
constexpr std::size_t kLongestBuffer = std::size_t{1} << 20U;

// For poll: rounded up, so that the time has really passed after it; -1 waits for ever.
int milliseconds_until(std::optional<SteadyTime> until) {
  if (!until) return -1;
  const auto left = std::chrono::ceil<Milliseconds>(*until - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, INT_MAX));
}

}  // namespace

std::optional<std::string> LineChannel::take_line() {
  const std::size_t end = buffer_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  return line;
}

LineChannel::Heard LineChannel::hear(std::optional<SteadyTime> until) {
  for (;;) {
    if (auto line = take_line()) return {Event::kLine, *std::move(line)};
    pollfd polled{socket_.get(), POLLIN, 0};
    const int ready = ::poll(&polled, 1, milliseconds_until(until));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) return {Event::kTimeout, {}};
    std::array<char, 4096> piece{};
    const ssize_t count = ::recv(socket_.get(), piece.data(), piece.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0 || buffer_.size() > kLongestBuffer) return {Event::kEnd, {}};
    buffer_.append(piece.data(), static_cast<std::size_t>(count));
  }
}

Result<void> LineChannel::say(std::string_view text) const {
  while (!text.empty()) {
    const ssize_t count = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      Error error = system_error(errno, "The other side does not listen any more.");
      error.code = ErrorCode::kIo;
      return Failure{std::move(error)};
    }
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace cohort::hypervisor
