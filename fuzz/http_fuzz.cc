// What a stranger sends to a server of HTTP over one connection of its own: headers, bodies, several requests. Nothing
// reaches the handler that was not authenticated, and the server closes every connection that the client has ended.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/unique_fd.h"
#include "http/server.h"

namespace {

using namespace cohort::http;

constexpr std::string_view kPassed = "Basic YTph";  // a:a

class OnePassword final : public Authenticator {
 public:
  std::variant<Identity, Challenge> authenticate(std::string_view authorization, const Peer& /*peer*/) override {
    if (authorization == kPassed) return identify("a", Role::kReader);
    return Challenge{{"Basic realm=\"fuzz\""}};
  }
};

class Answering final : public Handler {
 public:
  Response handle(const Request& request, const Identity& identity) override {
    if (request.header("Authorization") != kPassed || identity.name() != "a") std::abort();
    if (request.target == "/pieces") return {200, {}, Chunks([n = 3]() mutable { return piece(n); })};
    return {200, {{"Content-Type", "text/plain"}}, request.body};
  }

 private:
  static std::optional<std::string> piece(int& left) {
    return left-- > 0 ? std::optional<std::string>("piece") : std::nullopt;
  }
};

Server& server() {
  static OnePassword password;
  static Answering answering;
  static const std::unique_ptr<Server> started = [] {
    ServerOptions options;
    options.limits.body_bytes = 4096;
    options.limits.header_bytes = 4096;
    options.limits.workers = 1;
    auto server = Server::start(options, password, answering);
    if (!server) std::abort();
    return *std::move(server);
  }();
  return *started;
}

sockaddr_in on_loopback(std::uint32_t host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + host);
  address.sin_port = htons(port);
  return address;
}

void expect(bool is_so, const char* what) {
  if (is_so) return;
  std::perror(what);
  std::abort();
}

// From ever another address, with a port that only this connection has to be free of: else they would run out while
// ended connections are remembered.
cohort::UniqueFd connected() {
  static std::uint32_t host = 0;
  host = host % 50'000 + 1;
  cohort::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in from = on_loopback(host, 0), to = on_loopback(0, server().port());
  const timeval patience{5, 0};
  const int late = 1;
  expect(::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0, "SO_RCVTIMEO");
  expect(::setsockopt(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &late, sizeof late) == 0, "the port comes later");
  expect(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0, "bind");
  const bool connects = ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 || errno == EINTR;
  // The fuzzer's clock may have interrupted it; it goes on by itself.
  pollfd writable{fd.get(), POLLOUT, 0};
  expect(connects && TEMP_FAILURE_RETRY(::poll(&writable, 1, 5000)) == 1, "connect");
  return fd;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const cohort::UniqueFd fd = connected();
  // The server may have closed it already, which is an answer, too.
  static_cast<void>(::send(fd.get(), data, size, MSG_NOSIGNAL));
  static_cast<void>(::shutdown(fd.get(), SHUT_WR));
  std::array<char, 4096> answer{};
  ssize_t count = 0;
  do {
    count = TEMP_FAILURE_RETRY(::recv(fd.get(), answer.data(), answer.size(), 0));
  } while (count > 0);
  expect(count >= 0 || errno != EAGAIN, "neither answered nor closed");
  return 0;
}
