#include "store/state_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <optional>
#include <string>
#include <thread>

namespace cohort::store {
namespace {

constexpr std::size_t kShownCommand = 120;  // characters: a whole command line can be megabytes
constexpr std::uint64_t kLongestCommand = 4UL << 20U;
// A holder that has just begun has not yet written its pid, one that has just died has left its own.
constexpr int kAttempts = 50;
constexpr std::chrono::milliseconds kBetweenAttempts{10};

// For a terminal: no control characters, and not without end.
std::string printable(std::string text) {
  while (!text.empty() && text.back() == '\0') {
    text.pop_back();
  }
  std::replace_if(
      text.begin(), text.end(), [](unsigned char byte) { return byte < 0x20 || byte == 0x7f; }, ' ');
  if (text.size() > kShownCommand) {
    std::size_t end = kShownCommand;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) {
      --end;  // not inside a UTF-8 sequence
    }
    text.resize(end);
    text += "…";
  }
  return text;
}

// Empty if there is no such process (any more).
std::string command_of(pid_t pid) {
  const auto command = read_file(fmt::format("/proc/{}/cmdline", pid), kLongestCommand);
  return command ? printable(*command) : std::string();
}

std::optional<pid_t> pid_in(int fd) {
  std::array<char, 32> text{};
  const ssize_t length = ::pread(fd, text.data(), text.size(), 0);
  pid_t pid = 0;
  if (length <= 0 || std::from_chars(text.data(), text.data() + length, pid).ec != std::errc() || pid <= 0) {
    return std::nullopt;
  }
  return pid;
}

Failure errno_failure(std::string_view what, const Path& path) {
  const int number = errno;
  return Failure{system_error(number, fmt::format("The lock file \"{}\" cannot be {}.", path.string(), what))};
}

// For people to read. The lock is held without it, and a full file system must not keep anybody from making room.
void write_holder(int fd) {
  const std::string text = fmt::format("{}\n{}\n", ::getpid(), command_of(::getpid()));
  [[maybe_unused]] const bool is_written =
      ::ftruncate(fd, 0) == 0 && ::pwrite(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

// True once it is ours; false while another holds it.
Result<bool> try_lock(int fd, const Path& path) {
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) {
    return true;
  }
  if (errno == EWOULDBLOCK || errno == EINTR) {
    return false;
  }
  return errno_failure("locked", path);
}

// Empty while nobody who lives is named in the file.
std::string holder_named_in(int fd) {
  const std::optional<pid_t> pid = pid_in(fd);
  if (!pid) {
    return {};
  }
  const std::string command = command_of(*pid);
  return command.empty() ? std::string() : fmt::format("process {} ({})", *pid, command);
}

// True once the lock is ours; else who has it.
Result<bool> try_for_a_while(int fd, const Path& path, std::string& holder) {
  for (int attempt = 0; attempt < kAttempts && holder.empty(); ++attempt) {
    auto is_ours = try_lock(fd, path);
    if (!is_ours || *is_ours) {
      return is_ours;
    }
    holder = holder_named_in(fd);
    if (holder.empty()) {
      std::this_thread::sleep_for(kBetweenAttempts);
    }
  }
  return false;
}

Failure in_use(const Path& state, const std::string& holder) {
  return fail(ErrorCode::kInUse, "The state in \"{}\" is in use by {}: wait until it has ended.", state.string(),
              holder);
}

}  // namespace

Result<StateLock> StateLock::acquire(const Path& state) {
  const Path path = state / "lock";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.is_open()) {
    return errno_failure("opened", path);
  }
  std::string holder;
  COHORT_ASSIGN(const bool is_ours, try_for_a_while(fd.get(), path, holder));
  if (!is_ours) {
    return in_use(state, holder.empty() ? "another process" : holder);
  }
  write_holder(fd.get());
  return StateLock(std::move(fd));
}

StateLock::~StateLock() {
  if (fd_.is_open()) {
    // So that a pid that means nothing any more is not shown; the kernel unlocks at close in any case.
    [[maybe_unused]] const int ignored = ::ftruncate(fd_.get(), 0);
  }
}

}  // namespace cohort::store
