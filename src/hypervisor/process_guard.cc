#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "hypervisor/guard_protocol.h"
#include "hypervisor/libvirt_hypervisor.h"
#include "hypervisor/line_channel.h"

namespace cohort::hypervisor {
namespace {

// The guard connects to libvirt before it answers "ready"; the other answers need nobody else.
constexpr std::chrono::seconds kReadyPatience{15};
constexpr std::chrono::seconds kAnswerPatience{5};

// The attributes and file actions of posix_spawn, with one owner.
class SpawnPlan {
 public:
  explicit SpawnPlan(int socket) {
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_init(&actions_);
    // A session of its own: a terminal's Ctrl-C and a kill of the process group do not reach it.
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawn_file_actions_adddup2(&actions_, socket, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    // It may outlive this process for long: no mount is to be kept busy.
    posix_spawn_file_actions_addchdir_np(&actions_, "/");
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&actions_);
  }

  // errno, or 0.
  [[nodiscard]] int spawn(const Path& program, pid_t& pid) const {
    std::string name = program.string();
    std::array<char*, 2> argv{name.data(), nullptr};
    return ::posix_spawn(&pid, name.c_str(), &actions_, &attributes_, argv.data(), environ);
  }

 private:
  posix_spawnattr_t attributes_{};
  posix_spawn_file_actions_t actions_{};
};

Error guard_lost(std::string_view doing) {
  return make_error(ErrorCode::kInternal, "The guard has died or hangs while {}: the snapshot is not taken.", doing);
}

Error spawn_error(int number, const Path& program) {
  Error error = system_error(number, fmt::format("The guard program \"{}\" cannot be started.", program.string()));
  error.code = ErrorCode::kUnsupported;
  return error;
}

// The guard's first process ends as soon as the guard itself runs.
void bury(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
}

Result<LineChannel> spawn_guard(const Path& program) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return Failure{system_error(errno, "A socket to the guard cannot be made.")};
  }
  UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  std::error_code ignored;
  const Path absolute = std::filesystem::absolute(program, ignored);
  pid_t pid = -1;
  if (const int number = SpawnPlan(theirs.get()).spawn(absolute, pid); number != 0) {
    return Failure{spawn_error(number, absolute)};
  }
  bury(pid);
  return LineChannel(std::move(ours));
}

class ArmedProcessGuard final : public service::ArmedGuard {
 public:
  explicit ArmedProcessGuard(LineChannel channel) : channel_(std::move(channel)) {}

  Result<void> freeze() override {
    COHORT_ASSIGN(const std::string answer, ask(kFreeze, "the guests were to be frozen"));
    if (answer == kFreezing) return {};
    return Failure{parse_failure(answer)};
  }

  Result<void> raise() override {
    COHORT_ASSIGN(const std::string answer, ask(kRaise, "the fence was to go up"));
    if (answer == kRaised) return {};
    if (answer == kFired) {
      return fail(ErrorCode::kTimeout,
                  "The guard had the guests thawed before the fence was up, because freezing took too long. Try again, "
                  "with a longer --freeze-deadline if the host is busy.");
    }
    return Failure{parse_failure(answer)};
  }

  Result<bool> disarm() override {
    COHORT_ASSIGN(const std::string answer, ask(kDisarm, "the fence was to come down"));
    if (answer == kClean || answer == kFired) return answer == kFired;
    return Failure{parse_failure(answer)};
  }

  // That it had to act shows in what the guests' agents say of the thaw.
  Result<void> thawed() override {
    COHORT_ASSIGN(const std::string answer, ask(kThawed, "the guests were thawed"));
    if (answer == kClean || answer == kFired) return {};
    return Failure{parse_failure(answer)};
  }

  Result<void> order(const GuardOrder& order) {
    COHORT_TRY(channel_.say(format_order(order)));
    COHORT_ASSIGN(const std::string answer, hear(kReadyPatience, "it was being armed"));
    if (answer == kReady) return {};
    return Failure{parse_failure(answer)};
  }

 private:
  Result<std::string> ask(std::string_view word, std::string_view doing) {
    COHORT_TRY(channel_.say(fmt::format("{}\n", word)));
    return hear(kAnswerPatience, doing);
  }

  Result<std::string> hear(std::chrono::seconds patience, std::string_view doing) {
    auto heard = channel_.hear(std::chrono::steady_clock::now() + patience);
    if (heard.event != LineChannel::Event::kLine) return Failure{guard_lost(doing)};
    return std::move(heard.line);
  }

  LineChannel channel_;
};

class ProcessGuard final : public service::Guard {
 public:
  ProcessGuard(std::string uri, Path program) : uri_(std::move(uri)), program_(std::move(program)) {}

  Result<std::unique_ptr<service::ArmedGuard>> arm(const service::GuardedFence& fence) override {
    COHORT_ASSIGN(LineChannel channel, spawn_guard(program_));
    auto guard = std::make_unique<ArmedProcessGuard>(std::move(channel));
    COHORT_TRY(guard->order({uri_, fence}));
    return guard;
  }

 private:
  std::string uri_;
  Path program_;
};

}  // namespace

Path guard_program() {
  std::error_code ignored;
  const Path self = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const Path& candidate :
       {self / "cohort-guard", self / "../hypervisor/cohort-guard", self / "../libexec/cohort/cohort-guard"}) {
    if (::access(candidate.c_str(), X_OK) == 0) return candidate.lexically_normal();
  }
  return self / "cohort-guard";
}

std::unique_ptr<service::Guard> make_process_guard(const std::string& uri, const Path& program) {
  return std::make_unique<ProcessGuard>(uri, program);
}

}  // namespace cohort::hypervisor
