#include "client/relay_channel.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace cohort::client {
namespace {

constexpr const char* kSocketName = "cohortd.socket";
constexpr int kWaiting = 16;
constexpr std::size_t kHeadBytes = 5;

// A folder's socket by way of a descriptor of the folder: the folder's own path may be longer than addresses can be.
class Address {
 public:
  static std::optional<Address> in(const Path& folder) {
    UniqueFd opened(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!opened.is_open()) return std::nullopt;
    return Address(std::move(opened));
  }

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
  [[nodiscard]] socklen_t size() const { return sizeof address_; }
  [[nodiscard]] int folder() const { return folder_.get(); }

 private:
  explicit Address(UniqueFd folder) : folder_(std::move(folder)) {
    address_.sun_family = AF_UNIX;
    const std::string path = fmt::format("/proc/self/fd/{}/{}", folder_.get(), kSocketName);
    path.copy(static_cast<char*>(address_.sun_path), sizeof address_.sun_path - 1);
  }

  UniqueFd folder_;
  sockaddr_un address_{};
};

UniqueFd new_socket() { return UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

Failure gone() { return Failure{system_error(errno, "The other end of the socket cannot be reached any more.")}; }

std::array<char, kHeadBytes> head_of(FrameKind kind, std::size_t length) {
  std::array<char, kHeadBytes> head{static_cast<char>(kind)};
  for (std::size_t i = 0; i < 4; ++i) head[i + 1] = static_cast<char>((length >> (8 * i)) & 0xFFU);
  return head;
}

std::size_t length_in(const std::array<char, kHeadBytes>& head) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < 4; ++i) length |= std::size_t{static_cast<unsigned char>(head[i + 1])} << (8 * i);
  return length;
}

struct DescriptorSpace {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> bytes{};
};

// The first byte of a frame, with the descriptor.
Result<void> send_first(int socket, char byte, int descriptor) {
  iovec part{&byte, 1};
  DescriptorSpace space;
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptor >= 0) {
    message.msg_control = space.bytes.data();
    message.msg_controllen = space.bytes.size();
    cmsghdr* const control = CMSG_FIRSTHDR(&message);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(control), &descriptor, sizeof descriptor);
  }
  return ::sendmsg(socket, &message, MSG_NOSIGNAL) == 1 ? Result<void>() : gone();
}

Result<void> send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return gone();
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

// The first byte of a frame; nothing at the end.
Result<std::optional<char>> receive_first(int socket, UniqueFd* descriptor) {
  char byte = 0;
  iovec part{&byte, 1};
  DescriptorSpace space;
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = space.bytes.data();
  message.msg_controllen = space.bytes.size();
  ssize_t count = 0;
  do {
    count = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return gone();
  if (count == 0) return std::nullopt;
  if (const cmsghdr* const control = CMSG_FIRSTHDR(&message);
      control != nullptr && control->cmsg_type == SCM_RIGHTS && control->cmsg_len == CMSG_LEN(sizeof(int))) {
    int received = -1;
    std::memcpy(&received, CMSG_DATA(control), sizeof received);
    UniqueFd owned(received);
    if (descriptor != nullptr) *descriptor = std::move(owned);
  }
  return byte;
}

Result<void> receive_all(int socket, char* into, std::size_t length) {
  while (length > 0) {
    const ssize_t count = ::recv(socket, into, length, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count == 0) return fail(ErrorCode::kIo, "The other end of the socket was closed in the middle.");
    if (count < 0) return gone();
    into += count;
    length -= static_cast<std::size_t>(count);
  }
  return {};
}

}  // namespace

// "1" or "0" (a terminal), the width, and the arguments, each with a NUL behind it.
std::string to_content(const RelayedCommand& command) {
  std::string content = command.err_is_terminal ? "1" : "0";
  content += '\0' + std::to_string(command.width) + '\0';
  for (const std::string& argument : command.arguments) content += argument + '\0';
  return content;
}

Result<RelayedCommand> parse_command(std::string_view content) {
  std::vector<std::string> parts;
  while (!content.empty()) {
    const std::size_t end = content.find('\0');
    if (end == std::string_view::npos) return fail(ErrorCode::kInvalidArgument, "The command is cut off.");
    parts.emplace_back(content.substr(0, end));
    content.remove_prefix(end + 1);
  }
  RelayedCommand command;
  if (parts.size() < 2) return fail(ErrorCode::kInvalidArgument, "The command has too few parts.");
  command.err_is_terminal = parts[0] == "1";
  const char* const end = parts[1].data() + parts[1].size();
  if (const auto [at, error] = std::from_chars(parts[1].data(), end, command.width);
      error != std::errc() || at != end) {
    return fail(ErrorCode::kInvalidArgument, "\"{}\" is no width.", parts[1]);
  }
  command.arguments.assign(parts.begin() + 2, parts.end());
  return command;
}

std::optional<RelayChannel> RelayChannel::connect(const Path& state_folder) {
  const auto address = Address::in(state_folder);
  if (!address) return std::nullopt;
  UniqueFd socket = new_socket();
  if (!socket.is_open() || ::connect(socket.get(), address->get(), address->size()) != 0) return std::nullopt;
  return RelayChannel(std::move(socket));
}

Result<UniqueFd> RelayChannel::listen(const Path& state_folder) {
  const auto cannot = [&] {
    return Failure{system_error(errno, fmt::format("\"{}\" cannot be made.", (state_folder / kSocketName).string()))};
  };
  const auto address = Address::in(state_folder);
  UniqueFd socket = new_socket();
  if (!address || !socket.is_open()) return cannot();
  ::unlinkat(address->folder(), kSocketName, 0);
  // Nobody else may connect, from the beginning: a socket has the mode that its descriptor had when it was bound.
  if (::fchmod(socket.get(), S_IRUSR | S_IWUSR) != 0) return cannot();
  if (::bind(socket.get(), address->get(), address->size()) != 0) return cannot();
  if (::listen(socket.get(), kWaiting) != 0) return cannot();
  return socket;
}

Result<void> RelayChannel::send(FrameKind kind, std::string_view content, int descriptor) const {
  const auto head = head_of(kind, content.size());
  COHORT_TRY(send_first(socket_.get(), head[0], descriptor));
  COHORT_TRY(send_all(socket_.get(), {head.data() + 1, head.size() - 1}));
  return send_all(socket_.get(), content);
}

Result<std::optional<Frame>> RelayChannel::receive(UniqueFd* descriptor) const {
  COHORT_ASSIGN(const auto first, receive_first(socket_.get(), descriptor));
  if (!first) return std::nullopt;
  std::array<char, kHeadBytes> head{*first};
  COHORT_TRY(receive_all(socket_.get(), head.data() + 1, head.size() - 1));
  const std::size_t length = length_in(head);
  if (length > kLongestFrame) {
    return fail(ErrorCode::kInvalidArgument, "A frame of {} bytes is too long.", length);
  }
  Frame frame{static_cast<FrameKind>(head[0]), std::string(length, '\0')};
  COHORT_TRY(receive_all(socket_.get(), frame.content.data(), length));
  return frame;
}

}  // namespace cohort::client
