#include "http/connection.h"

#include <algorithm>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <type_traits>
#include <utility>

#include "http/channel_binding.h"
#include "http/client_names.h"
#include "http/session.h"

namespace cohort::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using boost::system::error_code;
using Tcp = beast::tcp_stream;
using Tls = beast::ssl_stream<beast::tcp_stream>;

constexpr std::size_t kReadAhead = 8192;
// A stranger's body is read and thrown away up to here, so that the connection can be kept.
constexpr std::uint64_t kStrangersBody = std::uint64_t{64} << 10U;
// So long the rest of a request is awaited that was answered unread: a reset would take the answer with it.
constexpr std::chrono::seconds kLingering{2};

Peer peer_of(const asio::ip::tcp::socket& socket, bool is_encrypted, PlainHttp plain) {
  error_code ignored;
  const auto endpoint = socket.remote_endpoint(ignored);
  const bool is_exposed = !is_encrypted && plain != PlainHttp::kEverywhere && !endpoint.address().is_loopback();
  return {endpoint.address().to_string(), endpoint.port(), is_encrypted, is_exposed};
}

template <typename Stream>
class StreamConnection final : public Connection, public std::enable_shared_from_this<StreamConnection<Stream>> {
 public:
  template <typename... StreamArguments>
  explicit StreamConnection(Surroundings& surroundings, StreamArguments&&... arguments)
      : surroundings_(surroundings),
        stream_(std::forward<StreamArguments>(arguments)...),
        peer_(peer_of(tcp().socket(), kIsTls, surroundings.plain)) {}
  StreamConnection(const StreamConnection&) = delete;
  StreamConnection& operator=(const StreamConnection&) = delete;
  ~StreamConnection() override { surroundings_.on_ended(); }

  void start() override {
    if constexpr (kIsTls) {
      tcp().expires_after(limits().receiving);
      stream_.async_handshake(asio::ssl::stream_base::server, [self = self()](error_code error) {
        if (!error) self->on_shaken_hands();
      });
    } else {
      begin_session();
    }
  }

  void stop() override {
    if (is_idle_) tcp().cancel();
  }

  void end_certificate() override {
    if (!session_) return tcp().cancel();  // in its handshake
    if (peer_.certificate_names.empty()) return;
    is_last_ = true;
    stop();
  }

  bool end_stranger() override {
    if (!std::exchange(is_strangers_, false)) return false;
    tcp().close();
    return true;
  }

 private:
  static constexpr bool kIsTls = std::is_same_v<Stream, Tls>;
  using Parser = bhttp::request_parser<bhttp::string_body>;

  [[nodiscard]] std::shared_ptr<StreamConnection> self() { return this->shared_from_this(); }
  [[nodiscard]] Tcp& tcp() { return beast::get_lowest_layer(stream_); }
  [[nodiscard]] const ServerLimits& limits() const { return surroundings_.limits; }

  void on_shaken_hands() {
    if constexpr (kIsTls) {
      peer_.channel_binding = channel_binding_of(stream_.native_handle());
      peer_.certificate_names = client_names_of(stream_.native_handle());
    }
    begin_session();
  }

  void begin_session() {
    session_.emplace(surroundings_.authenticator, peer_);
    await_request();
  }

  // --- a request ---

  void await_request() {
    if (surroundings_.is_stopping()) return close();
    if (buffer_.size() > 0) return read_header();
    is_idle_ = true;
    tcp().expires_after(limits().idle);
    stream_.async_read_some(buffer_.prepare(kReadAhead), [self = self()](error_code error, std::size_t bytes) {
      self->is_idle_ = false;
      if (error) return;
      self->buffer_.commit(bytes);
      self->read_header();
    });
  }

  void read_header() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(limits().header_bytes));
    parser_->body_limit(boost::none);
    tcp().expires_after(limits().receiving);
    bhttp::async_read_header(stream_, buffer_, *parser_,
                             [self = self()](error_code error, std::size_t) { self->on_header(error); });
  }

  void on_header(error_code error) {
    if (error) return on_bad_request(error);
    tcp().expires_never();
    is_strangers_ = false;
    const auto outcome = std::make_shared<std::variant<Identity, Challenge>>(Challenge{});  // of two threads in turn
    const bool is_begun = surroundings_.work(
        [self = self(), outcome, authorization = std::string(parser_->get()[bhttp::field::authorization])] {
          *outcome = self->session_->authenticate(authorization);
        },
        [self = self(), outcome] { self->on_authenticated(*outcome); });
    if (is_begun) return;
    mark_stranger();
    refuse(503);
  }

  // Over this connection nobody has been let in; a password that is wrong once makes nobody a stranger.
  void mark_stranger() { is_strangers_ = !identity_; }

  void on_bad_request(error_code error) {
    if (error == bhttp::error::header_limit || error == bhttp::error::buffer_overflow) return refuse(431);
    if (error == bhttp::error::body_limit) return refuse(413);
    const bool is_of_http = error.category() == make_error_code(bhttp::error::bad_method).category();
    if (is_of_http && error != bhttp::error::end_of_stream && error != bhttp::error::partial_message) refuse(400);
  }

  void on_authenticated(const std::variant<Identity, Challenge>& outcome) {
    if (const auto* challenge = std::get_if<Challenge>(&outcome)) return on_stranger(*challenge);
    identity_ = std::get<Identity>(outcome);
    if (has_unclear_end()) return refuse(400);
    const auto length = parser_->content_length();
    if (length && *length > limits().body_bytes) return refuse(413);
    if (!is_awaiting_continue()) return read_body(limits().body_bytes, [this] { handle(); });
    tcp().expires_after(limits().sending);
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(kContinue), [self = self()](error_code error, std::size_t) {
      if (!error) self->read_body(self->limits().body_bytes, [&connection = *self] { connection.handle(); });
    });
  }

  void on_stranger(const Challenge& challenge) {
    mark_stranger();
    Response response{401, {}, {}};
    for (const auto& scheme : challenge.schemes) response.headers.push_back({"WWW-Authenticate", scheme});
    const bool is_short =
        !parser_->chunked() && !has_unclear_end() && parser_->content_length().value_or(0) <= kStrangersBody;
    if (!is_short || is_awaiting_continue()) return answer(std::move(response), false);
    const bool keeps = !challenge.ends_connection && parser_->keep_alive();
    read_body(kStrangersBody, [this, response, keeps] { answer(response, keeps); });
  }

  // RFC 9112 6.3: what follows such a body could be taken for another request.
  [[nodiscard]] bool has_unclear_end() const {
    const auto& header = parser_->get();
    const bool is_encoded = header.find(bhttp::field::transfer_encoding) != header.end();
    return is_encoded && (!parser_->chunked() || header.version() < 11);
  }

  [[nodiscard]] bool is_awaiting_continue() const {
    return beast::iequals(parser_->get()[bhttp::field::expect], "100-continue");
  }

  void read_body(std::uint64_t limit, std::function<void()> then) {
    parser_->body_limit(limit);
    tcp().expires_after(limits().receiving);
    bhttp::async_read(stream_, buffer_, *parser_,
                      [self = self(), then = std::move(then)](error_code error, std::size_t) {
                        error ? self->on_bad_request(error) : then();
                      });
  }

  // --- its answer ---

  void handle() {
    tcp().expires_never();
    const auto response = std::make_shared<Response>(Response{500, {}, {}});  // of two threads in turn
    const bool is_begun = surroundings_.work(
        [self = self(), response, request = take_request()]() mutable {
          *response = self->session_->answer(std::move(request), *self->identity_, self->surroundings_.handler);
        },
        [self = self(), response] { self->answer(std::move(*response), self->parser_->keep_alive()); });
    if (!is_begun) answer({503, {{"Retry-After", "1"}}, {}}, parser_->keep_alive());
  }

  [[nodiscard]] Request take_request() {
    auto& message = parser_->get();
    Request request{
        std::string(message.method_string()), std::string(message.target()), {}, std::move(message.body()), peer_};
    for (const auto& field : message) {
      request.headers.push_back({std::string(field.name_string()), std::string(field.value())});
    }
    return request;
  }

  // An answer to what was not read to its end.
  void refuse(int status) { answer({status, {}, {}}, false); }

  void answer(Response response, bool keeps) {
    keeps_ = keeps && !is_last_ && !surroundings_.is_stopping();
    reply_ = {};
    reply_.version(std::clamp(parser_->get().version(), 10U, 11U));
    reply_.result(static_cast<unsigned>(response.status));
    for (const auto& header : response.headers) reply_.insert(header.name, header.value);
    reply_.keep_alive(keeps_);
    if (auto* chunks = std::get_if<Chunks>(&response.body)) return begin_chunks(std::move(*chunks));
    if (parser_->get().method() != bhttp::verb::head) reply_.body() = std::get<std::string>(std::move(response.body));
    reply_.prepare_payload();
    tcp().expires_after(limits().sending);
    bhttp::async_write(stream_, reply_, [self = self()](error_code error, std::size_t) { self->on_answered(error); });
  }

  void on_answered(error_code error) {
    reply_ = {};
    if (error) return;
    keeps_ ? await_request() : close();
  }

  // --- an answer in chunks ---

  // Clients of HTTP/1.0 read to the end of the connection.
  void begin_chunks(Chunks chunks) {
    chunks_ = std::move(chunks);
    is_chunked_ = parser_->get().version() >= 11;
    keeps_ = keeps_ && is_chunked_;
    reply_.chunked(is_chunked_);
    reply_.keep_alive(keeps_);
    serializer_.emplace(reply_);
    tcp().expires_after(limits().sending);
    bhttp::async_write_header(stream_, *serializer_, [self = self()](error_code error, std::size_t) {
      if (!error) self->make_chunk();
    });
  }

  void make_chunk() {
    tcp().expires_never();
    has_chunk_ = false;
    const bool is_begun = surroundings_.work(
        [self = self()] {
          self->chunk_ = self->chunks_();
          self->has_chunk_ = true;
        },
        [self = self()] { self->has_chunk_ ? self->write_chunk() : self->tcp().close(); });
    if (!is_begun) tcp().close();  // without its end, which the client misses
  }

  void write_chunk() {
    if (chunk_ && chunk_->empty()) return make_chunk();
    tcp().expires_after(limits().sending);
    const bool is_last = !chunk_;
    auto on_written = [self = self(), is_last](error_code error, std::size_t) {
      if (error) return;
      is_last ? self->on_answered(error) : self->make_chunk();
    };
    if (is_last && !is_chunked_) return on_answered({});
    if (!is_chunked_) return asio::async_write(stream_, asio::buffer(*chunk_), std::move(on_written));
    if (is_last) return asio::async_write(stream_, bhttp::make_chunk_last(), std::move(on_written));
    asio::async_write(stream_, bhttp::make_chunk(asio::buffer(*chunk_)), std::move(on_written));
  }

  // --- the end ---

  void close() {
    tcp().expires_after(kLingering);
    if constexpr (kIsTls) {
      stream_.async_shutdown([self = self()](error_code) {});
    } else {
      error_code ignored;
      stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
      drain();
    }
  }

  void drain() {
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(kReadAhead), [self = self()](error_code error, std::size_t) {
      if (!error) self->drain();
    });
  }

  Surroundings& surroundings_;
  Stream stream_;
  Peer peer_;
  bool is_idle_ = false;
  bool is_strangers_ = true;
  bool is_last_ = false;  // the request that is being answered

  // What is not the body itself (the header, what chunks say of themselves, trailers) has to fit.
  beast::flat_buffer buffer_{limits().header_bytes + kReadAhead};
  std::optional<Parser> parser_;
  std::optional<Session> session_;  // used by workers, one at a time
  std::optional<Identity> identity_;

  bhttp::response<bhttp::string_body> reply_;
  bool keeps_ = false;
  std::optional<bhttp::response_serializer<bhttp::string_body>> serializer_;
  Chunks chunks_;
  std::optional<std::string> chunk_;
  bool has_chunk_ = false;
  bool is_chunked_ = false;
};

}  // namespace

std::shared_ptr<Connection> make_connection(asio::ip::tcp::socket socket, Surroundings& surroundings) {
  return std::make_shared<StreamConnection<Tcp>>(surroundings, std::move(socket));
}

std::shared_ptr<Connection> make_connection(asio::ip::tcp::socket socket, asio::ssl::context& tls,
                                            Surroundings& surroundings) {
  return std::make_shared<StreamConnection<Tls>>(surroundings, std::move(socket), tls);
}

}  // namespace cohort::http
