#include "daemon/password_check.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigemptyset and kill are POSIX
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <istream>
#include <optional>

#include "base/unique_fd.h"

namespace cohort::daemon {
namespace {

constexpr const char* kOwnProgram = "/proc/self/exe";  // also when the file was replaced by a newer one

// How the process is to begin: with what is asked at standard input, in a group of its own, and with nothing else of
// this one.
class Beginning {
 public:
  explicit Beginning(const UniqueFd& input) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_adddup2(&actions_, input.get(), STDIN_FILENO);
    ::posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    ::posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  Beginning(const Beginning&) = delete;
  Beginning& operator=(const Beginning&) = delete;
  ~Beginning() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  [[nodiscard]] std::optional<pid_t> spawn(std::string service) const {
    std::string name = "cohortd", option = "--check-password";
    std::array<char*, 4> arguments{name.data(), option.data(), service.data(), nullptr};
    pid_t child = 0;
    if (::posix_spawn(&child, kOwnProgram, &actions_, &attributes_, arguments.data(), environ) != 0) return {};
    return child;
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

// Whether it ended with 0 in time; it is over afterwards in any case.
bool has_said_yes(pid_t child, std::chrono::milliseconds patience) {
  // glibc 2.36 declares pidfd_open for C alone.
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  pollfd end{process.get(), POLLIN, 0};
  const bool is_over = process.is_open() && ::poll(&end, 1, static_cast<int>(patience.count())) == 1;
  if (!is_over) ::kill(-child, SIGKILL);  // with what the modules have started in its group
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return is_over && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

bool PasswordCheck::is_right(const std::string& name, const std::string& password, const std::string& address) {
  std::string question;
  for (const std::string& part : {name, password, address}) question.append(part).push_back('\0');
  std::array<int, 2> ends{};
  // What fits into a pipe at once needs nobody who reads it.
  if (question.size() > PIPE_BUF || ::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  UniqueFd out(ends[0]), in(ends[1]);
  const bool is_written = ::write(in.get(), question.data(), question.size()) == static_cast<ssize_t>(question.size());
  in.reset();
  if (!is_written || !free_.try_acquire_for(patience_)) return false;
  const auto child = Beginning(out).spawn(service_);
  const bool is_it = child && has_said_yes(*child, patience_);
  free_.release();
  return is_it;
}

int answer_password_check(const std::string& service, std::istream& in) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  http::PamQuestion question{service, {}, {}, {}};
  std::string rest;
  const bool is_whole = std::getline(in, question.name, '\0') && std::getline(in, question.password, '\0') &&
                        std::getline(in, question.address, '\0') && !in.eof() && !std::getline(in, rest);
  return is_whole && http::is_right_for_pam(question) ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace cohort::daemon
