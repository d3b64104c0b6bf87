#include "daemon/command_server.h"

#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <ostream>
#include <streambuf>
#include <utility>

#include "base/user_name.h"
#include "cli/run.h"

namespace cohort::daemon {
namespace {

constexpr std::size_t kMostCommands = 32;
constexpr int kLookMilliseconds = 200;  // between two looks whether to stop
constexpr std::size_t kBufferBytes = 8192;

// Writes to the other end, as frames of one kind; what cannot be sent is lost.
class FrameBuffer final : public std::streambuf {
 public:
  FrameBuffer(const client::RelayChannel& channel, client::FrameKind kind, std::mutex& sending)
      : channel_(channel), kind_(kind), sending_(sending) {
    setp(buffer_.data(), buffer_.data() + buffer_.size());
  }

 protected:
  int sync() override {
    const auto length = static_cast<std::size_t>(pptr() - pbase());
    bool is_sent = true;
    if (length > 0) {
      const std::scoped_lock lock(sending_);
      is_sent = channel_.send(kind_, {pbase(), length}).has_value();
    }
    setp(buffer_.data(), buffer_.data() + buffer_.size());
    return is_sent ? 0 : -1;
  }

  int_type overflow(int_type c) override {
    if (sync() != 0) return traits_type::eof();
    if (!traits_type::eq_int_type(c, traits_type::eof())) sputc(traits_type::to_char_type(c));
    return traits_type::not_eof(c);
  }

 private:
  const client::RelayChannel& channel_;
  client::FrameKind kind_;
  std::mutex& sending_;
  std::array<char, kBufferBytes> buffer_{};
};

// Nothing if it cannot be found out.
std::optional<uid_t> user_at(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
  return peer.uid;
}

bool may_command(int socket) {
  const auto user = user_at(socket);
  return user && (*user == 0 || *user == ::geteuid());
}

// Relative paths mean what they mean to the command: this thread, and those that it starts, get its working folder.
bool work_in(const UniqueFd& folder) {
  return folder.is_open() && ::unshare(CLONE_FS) == 0 && ::fchdir(folder.get()) == 0;
}

bool is_readable(int descriptor, int patience_milliseconds) {
  pollfd look{descriptor, POLLIN, 0};
  return ::poll(&look, 1, patience_milliseconds) > 0;
}

// While it lives: the other end's wishes to stop, its end, and the server's own reach the command.
class Wishes {
 public:
  Wishes(const client::RelayChannel& channel, std::mutex& sending, cli::Cancellation& cancellation,
         std::stop_token stopping)
      : channel_(channel),
        sending_(sending),
        cancellation_(cancellation),
        stopping_(std::move(stopping)),
        thread_([this](const std::stop_token& ended) { listen(ended); }) {}

 private:
  // The top of the thread.
  void listen(const std::stop_token& ended) {
    while (!ended.stop_requested() && !stopping_.stop_requested()) {
      if (!is_readable(channel_.descriptor(), kLookMilliseconds)) continue;
      const auto frame = channel_.receive();
      if (!frame || !*frame) break;
      if (cancellation_.interrupt()) continue;
      const std::scoped_lock lock(sending_);
      static_cast<void>(channel_.send(client::FrameKind::kUnheard, {}));
    }
    insist(ended);
  }

  // The command may not have begun its job yet.
  void insist(const std::stop_token& ended) {
    while (!ended.stop_requested() && !cancellation_.interrupt()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(kLookMilliseconds));
    }
  }

  const client::RelayChannel& channel_;
  std::mutex& sending_;
  cli::Cancellation& cancellation_;
  std::stop_token stopping_;
  std::jthread thread_;
};

}  // namespace

CommandServer::CommandServer(UniqueFd listener, const client::SharedParts& parts, Log& log)
    : listener_(std::move(listener)),
      parts_(parts),
      log_(log),
      accepting_([this](const std::stop_token& stop) { accept_all(stop); }) {}

CommandServer::~CommandServer() { stop(); }

Result<std::unique_ptr<CommandServer>> CommandServer::start(const Path& state_folder, const client::SharedParts& parts,
                                                            Log& log, UniqueFd listener) {
  if (!listener.is_open()) {
    COHORT_ASSIGN(listener, client::RelayChannel::listen(state_folder));
  }
  return std::unique_ptr<CommandServer>(new CommandServer(std::move(listener), parts, log));
}

void CommandServer::request_stop() { accepting_.request_stop(); }

void CommandServer::stop() {
  request_stop();
  if (accepting_.joinable()) accepting_.join();
}

// The top of the thread. Commands that run end with it: their threads are asked to, and waited for.
void CommandServer::accept_all(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    forget_ended();
    if (running_.size() >= kMostCommands || !is_readable(listener_.get(), kLookMilliseconds)) {
      if (running_.size() >= kMostCommands) std::this_thread::sleep_for(std::chrono::milliseconds(kLookMilliseconds));
      continue;
    }
    UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (socket.is_open() && may_command(socket.get())) begin(client::RelayChannel(std::move(socket)));
  }
  for (Running& each : running_) each.thread.request_stop();
  running_.clear();
}

void CommandServer::forget_ended() {
  running_.remove_if([](const Running& each) { return each.has_ended.load(); });
}

void CommandServer::begin(client::RelayChannel channel) {
  Running& running = running_.emplace_back();
  running.thread = std::jthread([this, &running, own = std::move(channel)](const std::stop_token& stop) {
    serve(own, stop);
    running.has_ended = true;
  });
}

void CommandServer::serve(const client::RelayChannel& channel, const std::stop_token& stop) {
  UniqueFd folder;
  while (!is_readable(channel.descriptor(), kLookMilliseconds)) {
    if (stop.stop_requested()) return;
  }
  const auto frame = channel.receive(&folder);
  if (!frame || !*frame || (*frame)->kind != client::FrameKind::kCommand) return;
  const auto command = client::parse_command((*frame)->content);
  if (!command || !work_in(folder)) return;
  const auto peer = user_at(channel.descriptor());
  const std::string user = peer ? user_name(*peer) : "";
  log_.write(Event::kCommand, fmt::format("{}", fmt::join(command->arguments, " ")), {{"user", user}});
  std::mutex sending;
  FrameBuffer out_buffer(channel, client::FrameKind::kOut, sending);
  FrameBuffer err_buffer(channel, client::FrameKind::kErr, sending);
  std::ostream out(&out_buffer);
  std::ostream err(&err_buffer);
  err << std::unitbuf;
  cli::Cancellation cancellation;
  const SystemClock clock;
  cli::Surroundings surroundings{{out, err, command->err_is_terminal, command->width},
                                 [this](const client::SessionOptions& options) -> std::unique_ptr<client::Session> {
                                   return std::make_unique<client::LocalSession>(options, parts_);
                                 },
                                 cancellation,
                                 clock,
                                 [](Milliseconds time) { std::this_thread::sleep_for(time); },
                                 {},
                                 user};
  int status = 0;
  {
    const Wishes wishes(channel, sending, cancellation, stop);
    status = cli::run(command->arguments, surroundings);
  }
  out.flush();
  const char byte = static_cast<char>(status);
  static_cast<void>(channel.send(client::FrameKind::kStatus, {&byte, 1}));
}

}  // namespace cohort::daemon
