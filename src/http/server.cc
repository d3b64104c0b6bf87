#include "http/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <future>
#include <list>
#include <thread>

#include "http/connection.h"
#include "http/tls_context.h"

namespace cohort::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds kBreath{100};  // before accepting again when that failed, of descriptors perhaps

// Of the socket, or of what is to be listened at.
Result<tcp::endpoint> wanted_endpoint(const ServerOptions& options) {
  if (options.listener >= 0) {
    tcp::endpoint endpoint;
    auto size = static_cast<socklen_t>(endpoint.capacity());
    if (::getsockname(options.listener, endpoint.data(), &size) != 0) {
      return Failure{system_error(errno, "A socket that was passed has no address.")};
    }
    endpoint.resize(size);
    return endpoint;
  }
  error_code error;
  const auto address = asio::ip::make_address(options.address, error);
  if (error) return fail(ErrorCode::kInvalidArgument, "\"{}\" is not an IP address to listen at.", options.address);
  return tcp::endpoint(address, options.port);
}

Result<tcp::endpoint> endpoint_of(const ServerOptions& options) {
  COHORT_ASSIGN(const tcp::endpoint endpoint, wanted_endpoint(options));
  const auto address = endpoint.address();
  if (!options.certificate && options.plain == PlainHttp::kLoopback && !address.is_loopback()) {
    return fail(ErrorCode::kInvalidArgument,
                "HTTP without TLS at {} would send passwords for everybody to read: give a certificate, or listen at "
                "a loopback address.",
                address.to_string());
  }
  return endpoint;
}

}  // namespace

class Server::Impl final : private Surroundings {
 public:
  Impl(const ServerOptions& options, Authenticator& its_authenticator, Handler& its_handler)
      : Surroundings(options, its_authenticator, its_handler), options_(options), workers_(options.limits.workers) {}

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() override { stop(std::chrono::seconds(0)); }

  [[nodiscard]] Result<void> start() {
    COHORT_ASSIGN(const tcp::endpoint endpoint, endpoint_of(options_));
    if (options_.certificate) {
      COHORT_ASSIGN(tls_, make_tls_context(*options_.certificate, options_.clients));
    }
    COHORT_TRY(listen(endpoint));
    accept();
    thread_ = std::thread([this] { io_.run(); });
    return {};
  }

  [[nodiscard]] Result<void> reload_certificate() {
    if (!options_.certificate) return {};
    COHORT_ASSIGN(auto read, make_tls_context(*options_.certificate, options_.clients));
    asio::post(io_, [this, read = std::move(read)]() mutable { replace(std::move(read)); });
    return {};
  }

  [[nodiscard]] bool is_alive(std::chrono::milliseconds patience) {
    // Of this thread, which may give up, and the other: hence shared.
    const auto promise = std::make_shared<std::promise<void>>();
    auto reached = promise->get_future();
    asio::post(io_, [promise] { promise->set_value(); });
    return reached.wait_for(patience) == std::future_status::ready;
  }

  [[nodiscard]] std::string address() const { return at_.address().to_string(); }
  [[nodiscard]] std::uint16_t port() const { return at_.port(); }
  [[nodiscard]] std::size_t connections() const { return count_; }

  void stop(std::chrono::seconds patience) {
    if (!thread_.joinable()) return;
    std::promise<void> all_ended;
    auto ended = all_ended.get_future();
    asio::post(io_, [&] {
      ended_ = &all_ended;
      end_idle();
    });
    static_cast<void>(ended.wait_for(patience));
    io_.stop();
    thread_.join();
    workers_.join();
    ended_ = nullptr;
  }

 private:
  // They belong to their pending operations.
  using Connections = std::list<std::weak_ptr<Connection>>;

  Result<void> listen(const tcp::endpoint& endpoint) {
    if (options_.listener >= 0) return take_over(endpoint);
    error_code error;
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (!error) {
      at_ = acceptor_.local_endpoint(error);
      return {};
    }
    const auto text = fmt::format("Cannot listen at {} port {}.", options_.address, endpoint.port());
    if (error == asio::error::address_in_use) return fail(ErrorCode::kInUse, "{} Another program does.", text);
    return Failure{system_error(error.value(), text)};
  }

  Result<void> take_over(const tcp::endpoint& endpoint) {
    error_code error;
    acceptor_.assign(endpoint.protocol(), options_.listener, error);
    if (error) return Failure{system_error(error.value(), "A socket that was passed cannot be listened at.")};
    at_ = endpoint;
    return {};
  }

  void accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (is_stopping()) return;
      if (error == asio::error::no_descriptors && end_oldest_stranger()) return accept();
      if (error) return accept_later();
      if (count_ < limits.connections || end_oldest_stranger()) begin(std::move(socket));
      accept();
    });
  }

  // Whoever keeps connections open without being anybody is in nobody's way.
  bool end_oldest_stranger() {
    return std::ranges::any_of(connections_, [](const auto& each) {
      const auto connection = each.lock();
      return connection && connection->end_stranger();
    });
  }

  void accept_later() {
    breath_.expires_after(kBreath);
    breath_.async_wait([this](error_code error) {
      if (!error && !is_stopping()) accept();
    });
  }

  void begin(tcp::socket socket) {
    ++count_;
    // Asked of the options: a server that is to encrypt never begins to speak in the clear.
    const auto made = options_.certificate ? make_connection(std::move(socket), *tls_, *this)
                                           : make_connection(std::move(socket), *this);
    connections_.push_back(made);
    made->start();
  }

  // Who showed a certificate has to show it again: it may be revoked by now.
  void replace(std::unique_ptr<asio::ssl::context> tls) {
    tls_ = std::move(tls);
    if (!options_.clients) return;
    for (const auto& each : connections_) {
      if (const auto connection = each.lock()) connection->end_certificate();
    }
  }

  void on_ended() override {
    --count_;
    std::erase_if(connections_, [](const auto& each) { return each.expired(); });
    if (ended_ != nullptr && count_ == 0) std::exchange(ended_, nullptr)->set_value();
  }

  void end_idle() {
    error_code ignored;
    acceptor_.close(ignored);
    breath_.cancel();
    for (const auto& each : connections_) {
      if (const auto connection = each.lock()) connection->stop();
    }
    if (count_ == 0 && ended_ != nullptr) std::exchange(ended_, nullptr)->set_value();
  }

  [[nodiscard]] bool is_stopping() const override { return !acceptor_.is_open(); }

  [[nodiscard]] bool work(std::function<void()> work, std::function<void()> then) override {
    if (waiting_ >= limits.waiting + limits.workers) return false;
    ++waiting_;
    asio::post(workers_, [this, work = std::move(work), then = std::move(then)]() mutable {
      try {
        work();
      } catch (...) {  // NOLINT(bugprone-empty-catch): what it should have made is missing, as `then` sees
      }
      work = nullptr;
      --waiting_;
      asio::post(io_, std::move(then));
    });
    return true;
  }

  const ServerOptions options_;
  // What connections tell their end to outlives the operations that own them, which end with io_.
  Connections connections_;
  std::atomic<std::size_t> count_ = 0;
  std::promise<void>* ended_ = nullptr;
  asio::io_context io_{1};
  // A connection may wait for nothing but a worker.
  asio::executor_work_guard<asio::io_context::executor_type> runs_{io_.get_executor()};
  tcp::acceptor acceptor_{io_};
  asio::steady_timer breath_{io_};
  std::unique_ptr<asio::ssl::context> tls_;  // connections that began with another one have their part of it
  tcp::endpoint at_;
  std::atomic<std::size_t> waiting_ = 0;  // for a worker, or worked on
  asio::thread_pool workers_;
  std::thread thread_;
};

Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options, Authenticator& authenticator,
                                              Handler& handler) {
  auto impl = std::make_unique<Impl>(options, authenticator, handler);
  COHORT_TRY(impl->start());
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

std::string Server::address() const { return impl_->address(); }
std::uint16_t Server::port() const { return impl_->port(); }
std::size_t Server::connections() const { return impl_->connections(); }
bool Server::is_alive(std::chrono::milliseconds patience) { return impl_->is_alive(patience); }
Result<void> Server::reload_certificate() { return impl_->reload_certificate(); }
void Server::stop(std::chrono::seconds patience) { impl_->stop(patience); }

}  // namespace cohort::http
