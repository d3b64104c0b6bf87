#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigemptyset and kill are POSIX
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/unique_fd.h"

namespace cohort {
namespace {

constexpr std::size_t kKept = 1UL << 20U;
// How soon a stop is heard while the child is silent.
constexpr int kPollMilliseconds = 50;

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Failure{system_error(errno, "A pipe cannot be made.")};
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

// The environment of this process, with LC_ALL=C so that messages can be read.
std::vector<std::string> child_environment() {
  std::vector<std::string> words;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    if (std::string_view word = *entry; !word.starts_with("LC_ALL=")) words.emplace_back(word);
  }
  words.emplace_back("LC_ALL=C");
  return words;
}

// Between fork and exec only async-signal-safe calls are allowed: all memory is prepared before.
struct Child {
  std::vector<std::string> argv;
  std::vector<std::string> environment = child_environment();
  std::vector<char*> argv_pointers = pointers_to(argv);
  std::vector<char*> environment_pointers = pointers_to(environment);
  Pipe out;
  Pipe err;
  Pipe failed;  // carries errno if exec fails, else closes with it

  [[noreturn]] void become(pid_t parent) const {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);  // it died before the line above
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    const int null = ::open("/dev/null", O_RDONLY);
    ::dup2(null, STDIN_FILENO);
    ::dup2(out.write.get(), STDOUT_FILENO);
    ::dup2(err.write.get(), STDERR_FILENO);
    // Interrupts from the terminal reach this process; it ends its children itself.
    ::setpgid(0, 0);
    ::execvpe(argv_pointers[0], argv_pointers.data(), environment_pointers.data());
    const int number = errno;
    [[maybe_unused]] const auto told = ::write(failed.write.get(), &number, sizeof number);
    ::_exit(127);
  }
};

int reap(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Reads what is there; false at the end of the stream.
bool drain(const UniqueFd& from, std::string& into, const std::function<void(std::string_view)>& on_output) {
  std::array<char, 16384> buffer{};
  const ssize_t count = ::read(from.get(), buffer.data(), buffer.size());
  if (count < 0) return errno == EINTR || errno == EAGAIN;
  if (count == 0) return false;
  const std::string_view piece(buffer.data(), static_cast<std::size_t>(count));
  if (on_output) on_output(piece);
  if (into.size() < kKept) into.append(piece.substr(0, kKept - into.size()));
  return true;
}

// Follows both streams until they end; false if the stop came first.
bool follow(Child& child, const std::stop_token& stop, const std::function<void(std::string_view)>& on_output,
            ProcessOutput& output) {
  std::array<pollfd, 2> polled{{{child.out.read.get(), POLLIN, 0}, {child.err.read.get(), POLLIN, 0}}};
  while (polled[0].fd >= 0 || polled[1].fd >= 0) {
    if (stop.stop_requested()) return false;
    if (::poll(polled.data(), polled.size(), kPollMilliseconds) <= 0) continue;
    if (polled[0].revents != 0 && !drain(child.out.read, output.out, on_output)) polled[0].fd = -1;
    if (polled[1].revents != 0 && !drain(child.err.read, output.err, {})) polled[1].fd = -1;
  }
  return true;
}

Result<Child> prepare(const std::vector<std::string>& argv) {
  Child child{argv, child_environment(), {}, {}, {}, {}, {}};
  child.argv_pointers = pointers_to(child.argv);
  child.environment_pointers = pointers_to(child.environment);
  COHORT_ASSIGN(child.out, make_pipe());
  COHORT_ASSIGN(child.err, make_pipe());
  COHORT_ASSIGN(child.failed, make_pipe());
  return child;
}

Result<void> check_started(Child& child, pid_t pid) {
  int number = 0;
  ssize_t count = 0;
  do {
    count = ::read(child.failed.read.get(), &number, sizeof number);
  } while (count < 0 && errno == EINTR);
  if (count != sizeof number) return {};
  reap(pid);
  Error error =
      system_error(number, fmt::format("The program \"{}\" cannot be started: is it installed?", child.argv[0]));
  error.code = ErrorCode::kUnsupported;
  return Failure{std::move(error)};
}

}  // namespace

Result<ProcessOutput> run_process(const std::vector<std::string>& argv, std::stop_token stop,
                                  const std::function<void(std::string_view)>& on_output) {
  COHORT_ASSIGN(Child child, prepare(argv));
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return Failure{system_error(errno, fmt::format("\"{}\" cannot be started.", argv[0]))};
  if (pid == 0) child.become(parent);
  child.out.write.reset();
  child.err.write.reset();
  child.failed.write.reset();
  COHORT_TRY(check_started(child, pid));
  ProcessOutput output;
  if (!follow(child, stop, on_output, output)) {
    ::kill(pid, SIGKILL);
    reap(pid);
    return fail(ErrorCode::kCancelled, "\"{}\" was stopped.", argv[0]);
  }
  output.exit_status = reap(pid);
  return output;
}

}  // namespace cohort
