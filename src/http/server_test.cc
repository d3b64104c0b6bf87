#include "http/server.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <random>
#include <thread>

#include "base/process.h"
#include "base/temporary_folder.h"
#include "http/base64.h"
#include "http/basic_authenticator.h"
#include "http/testing/client.h"
#include "http/testing/users.h"

namespace cohort::http {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

// Answers with what it was asked.
class Echo final : public Handler {
 public:
  Response handle(const Request& request, const Identity& identity) override {
    ++handled;
    if (request.target == "/throw") throw std::runtime_error("a handler's defect");
    if (request.target == "/wait") waiting.get_future().wait();
    if (request.target == "/chunks") return {200, {}, in_pieces({"one ", "", "two"})};
    if (request.target == "/broken") return {200, {}, broken()};
    if (request.target == "/stuck") return {200, {}, ending_late()};
    if (request.target == "/long") return {200, {}, std::string(kLong, 'x')};
    if (request.target == "/endless") return {200, {}, [] { return std::string(1'000'000, 'x'); }};
    return {200,
            {{"Content-Type", "text/plain"}},
            fmt::format("{} {} {} by {} from {}", request.method, request.target, request.body, identity.name(),
                        request.peer.address)};
  }

  static Chunks in_pieces(std::vector<std::string> pieces) {
    return [pieces = std::move(pieces), next = std::size_t{0}]() mutable -> std::optional<std::string> {
      if (next == pieces.size()) return std::nullopt;
      return pieces[next++];
    };
  }

  static Chunks broken() {
    return [is_first = true]() mutable -> std::optional<std::string> {
      if (!std::exchange(is_first, false)) throw std::runtime_error("no more");
      return "begun";
    };
  }

  // Its end, which comes on the thread of the connections, takes until `waiting`.
  Chunks ending_late() {
    const auto late = std::shared_ptr<void>(nullptr, [this](void*) { waiting.get_future().wait(); });
    return [late]() -> std::optional<std::string> { return std::nullopt; };
  }

  static constexpr std::size_t kLong = 64'000'000;  // more than the system keeps for a client that does not read
  std::atomic<int> handled = 0;
  std::promise<void> waiting;
};

class HttpServerTest : public ::testing::Test {
 protected:
  void start(const ServerLimits& limits = {}) {
    ServerOptions options;
    options.limits = limits;
    auto started = Server::start(options, authenticator, echo);
    ASSERT_TRUE(started) << started.error().describe();
    server = *std::move(started);
  }

  static std::string authorization(const std::string& name = "ann") {
    return "Authorization: Basic " + to_base64(name + ":" + Users::password(name)) + "\r\n";
  }

  static std::string post(const std::string& body, const std::string& headers = authorization(),
                          const std::string& target = "/wsman") {
    return fmt::format("POST {} HTTP/1.1\r\nHost: h\r\n{}Content-Length: {}\r\n\r\n{}", target, headers, body.size(),
                       body);
  }

  Users users;
  SystemClock clock;
  BasicAuthenticator authenticator{users.read(), "cohort", clock, {1'000'000, seconds(60), 10'000}};
  Echo echo;
  std::unique_ptr<Server> server;
};

TEST_F(HttpServerTest, AnswersRequestsOfOneConnection) {
  start();
  Client client(server->port());
  for (const auto* name : {"ann", "otto", "äda"}) {
    const auto reply = client.ask(post("text", authorization(name)));
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->result_int(), 200U);
    EXPECT_EQ(reply->body(), fmt::format("POST /wsman text by {} from 127.0.0.1", name));
    EXPECT_EQ((*reply)["Content-Type"], "text/plain");
  }
}

TEST_F(HttpServerTest, AnswersRequestsThatWereSentAtOnce) {
  start();
  Client client(server->port());
  client.send(post("one") + post("two"));
  EXPECT_THAT(client.receive()->body(), HasSubstr("one"));
  EXPECT_THAT(client.receive()->body(), HasSubstr("two"));
}

TEST_F(HttpServerTest, AnswersNothingBut401ToStrangersWhateverTheyAsk) {
  start();
  const std::string wrong = "Authorization: Basic " + to_base64("ann:guess") + "\r\n";
  for (const auto* method : {"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "M-POST", "CONNECT"}) {
    for (const auto* target : {"/", "/wsman", "/cimom", "/metrics", "/../etc/passwd", "*", "http://other/wsman"}) {
      for (const auto& headers : {std::string(), wrong, std::string("Content-Length: 99999999\r\n")}) {
        Client client(server->port());
        client.send(fmt::format("{} {} HTTP/1.1\r\nHost: h\r\n{}\r\n", method, target, headers));
        if (std::string(method) == "HEAD") continue;  // the client would wait for a body
        const auto reply = client.receive();
        ASSERT_TRUE(reply) << method << target << headers;
        EXPECT_EQ(reply->result_int(), 401U) << method << target << headers;
        EXPECT_EQ(reply->body(), "");
        EXPECT_THAT(std::string((*reply)["WWW-Authenticate"]), HasSubstr("Basic realm=\"cohort\""));
      }
    }
  }
  EXPECT_EQ(echo.handled, 0);
}

TEST_F(HttpServerTest, KeepsTheConnectionOfAStrangerWhoComesBackWithAPassword) {
  start();
  Client client(server->port());
  EXPECT_EQ(client.ask(post("first, without", ""))->result_int(), 401U);
  EXPECT_THAT(client.ask(post("again"))->body(), HasSubstr("POST /wsman again by ann"));
}

TEST_F(HttpServerTest, DoesNotReadAStrangersLongBody) {
  start();
  Client client(server->port());
  const auto reply = client.ask(post(std::string(std::size_t{100} << 10U, 'x'), ""));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->result_int(), 401U);
  EXPECT_TRUE(client.is_closed());
}

TEST_F(HttpServerTest, SendsBodiesInChunks) {
  start();
  Client client(server->port());
  const auto reply = client.ask(post("", authorization(), "/chunks"));
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->chunked());
  EXPECT_EQ(reply->body(), "one two");
  EXPECT_EQ(client.ask(post("and the next"))->result_int(), 200U);
}

TEST_F(HttpServerTest, SendsBodiesToOldClientsWithoutChunks) {
  start();
  Client client(server->port());
  const auto reply = client.ask("POST /chunks HTTP/1.0\r\n" + authorization() + "Content-Length: 0\r\n\r\n");
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->need_eof()) << "the end of the connection is that of the body";
  EXPECT_EQ(reply->body(), "one two");
}

TEST_F(HttpServerTest, CutsOffABodyThatCannotBeMade) {
  start();
  Client client(server->port());
  EXPECT_FALSE(client.ask(post("", authorization(), "/broken"))) << "must not look complete";
}

TEST_F(HttpServerTest, Answers500WhenTheHandlerFails) {
  start();
  Client client(server->port());
  EXPECT_EQ(client.ask(post("", authorization(), "/throw"))->result_int(), 500U);
  EXPECT_EQ(client.ask(post("and the next"))->result_int(), 200U);
}

TEST_F(HttpServerTest, SaysThatItWantsTheBodyWhenAsked) {
  start();
  Client client(server->port());
  client.send("POST / HTTP/1.1\r\nHost: h\r\n" + authorization() + "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_EQ(client.receive()->result_int(), 100U);
  EXPECT_THAT(client.ask("body")->body(), HasSubstr("POST / body"));
}

TEST_F(HttpServerTest, DoesNotWantTheBodyOfAStranger) {
  start();
  Client client(server->port());
  EXPECT_EQ(client.ask("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")->result_int(),
            401U);
  EXPECT_TRUE(client.is_closed());
}

TEST_F(HttpServerTest, RefusesWhatIsTooLong) {
  ServerLimits limits;
  limits.body_bytes = 1000;
  limits.header_bytes = 2000;
  start(limits);
  EXPECT_EQ(Client(server->port()).ask(post(std::string(1000, 'x')))->result_int(), 200U);
  EXPECT_EQ(Client(server->port()).ask(post(std::string(1001, 'x')))->result_int(), 413U);
  EXPECT_EQ(
      Client(server->port()).ask(post("", authorization() + "X: " + std::string(2000, 'x') + "\r\n"))->result_int(),
      431U);
  std::string chunks = "POST / HTTP/1.1\r\nHost: h\r\n" + authorization() + "Transfer-Encoding: chunked\r\n\r\n";
  const std::string begun = chunks;
  for (int i = 0; i < 11; ++i) chunks += "64\r\n" + std::string(100, 'x') + "\r\n";
  EXPECT_EQ(Client(server->port()).ask(chunks + "0\r\n\r\n")->result_int(), 413U);
  // What is said of a chunk, or behind the last one, has no end.
  for (const std::string& endless : {begun + "5;x=", begun + "0\r\nX: "}) {
    const auto reply = Client(server->port()).ask(endless + std::string(100'000, 'x'));
    ASSERT_TRUE(reply) << "it is read on and on";
    EXPECT_EQ(reply->result_int(), 431U);
  }
}

// Somebody on the way may see a request's end elsewhere.
TEST_F(HttpServerTest, RefusesABodyWhoseEndIsUnclear) {
  start();
  for (const std::string framing :
       {"HTTP/1.1\r\nTransfer-Encoding: gzip\r\n", "HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n",
        "HTTP/1.1\r\nTransfer-Encoding: xchunked\r\nContent-Length: 5\r\n",
        "HTTP/1.0\r\nTransfer-Encoding: chunked\r\n", "HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n"}) {
    for (const auto& who : {authorization(), std::string()}) {
      Client client(server->port());
      const auto reply = client.ask("POST /wsman " + framing + "Host: h\r\n" + who + "\r\n0\r\n\r\n");
      ASSERT_TRUE(reply) << framing;
      EXPECT_THAT(reply->result_int(), testing::AnyOf(400U, 401U)) << framing;
      EXPECT_TRUE(client.is_closed()) << framing;
    }
  }
  EXPECT_EQ(echo.handled, 0);
}

TEST_F(HttpServerTest, RefusesWhatIsNoHttp) {
  start();
  for (const auto* text : {"\x16\x03\x01\x02", "GET\r\n\r\n", "POST / HTTP/9.9\r\n\r\n",
                           "POST / HTTP/1.1\r\nNo colon\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                           "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"}) {
    Client client(server->port());
    client.send(std::string(text) + "\r\n\r\n");
    const auto reply = client.receive();
    ASSERT_TRUE(reply) << text;
    EXPECT_EQ(reply->result_int(), 400U) << text;
    EXPECT_TRUE(client.is_closed());
  }
}

TEST_F(HttpServerTest, EndsConnectionsThatSendTooSlowly) {
  ServerLimits limits;
  limits.receiving = limits.idle = seconds(1);
  start(limits);
  Client idle(server->port()), half_header(server->port()), half_body(server->port());
  half_header.send("POST / HTTP/1.1\r\nHo");
  half_body.send("POST / HTTP/1.1\r\nHost: h\r\n" + authorization() + "Content-Length: 10\r\n\r\n12345");
  EXPECT_TRUE(idle.is_closed());
  EXPECT_TRUE(half_header.is_closed());
  EXPECT_TRUE(half_body.is_closed());
}

TEST_F(HttpServerTest, ServesBesideManyIdleConnections) {
  ServerLimits limits;
  limits.connections = 301;
  start(limits);
  std::vector<std::unique_ptr<Client>> idle;
  for (int i = 0; i < 300; ++i) idle.push_back(std::make_unique<Client>(server->port()));
  Client last(server->port());
  EXPECT_EQ(last.ask(post("beside them"))->result_int(), 200U);
  EXPECT_EQ(server->connections(), 301U);
}

TEST_F(HttpServerTest, ClosesThoseOfStrangersForMoreThanItMayHave) {
  ServerLimits limits;
  limits.connections = 3;
  start(limits);
  Client idle(server->port()), half(server->port()), known(server->port());
  half.send("POST / HTTP/1.1\r\nHo");
  EXPECT_EQ(known.ask(post("one"))->result_int(), 200U);
  Client second(server->port());
  EXPECT_EQ(second.ask(post("two"))->result_int(), 200U);
  EXPECT_TRUE(idle.is_closed());
  Client third(server->port());
  EXPECT_EQ(third.ask(post("three"))->result_int(), 200U);
  EXPECT_TRUE(half.is_closed());
  EXPECT_EQ(third.ask(post("wrong", "Authorization: Basic eDp5\r\n"))->result_int(), 401U);
  EXPECT_TRUE(Client(server->port()).is_closed()) << "all are somebody's, whatever was tried over them later";
  EXPECT_EQ(known.ask(post("again"))->result_int(), 200U);
  EXPECT_EQ(server->connections(), 3U);
}

TEST_F(HttpServerTest, Answers503WhenTooMuchWaits) {
  ServerLimits limits;
  limits.workers = 1;
  limits.waiting = 0;
  start(limits);
  Client slow(server->port()), next(server->port());
  slow.send(post("", authorization(), "/wait"));
  while (echo.handled == 0) std::this_thread::yield();
  EXPECT_EQ(next.ask(post("no worker is free"))->result_int(), 503U);
  echo.waiting.set_value();
  EXPECT_EQ(slow.receive()->result_int(), 200U);
}

TEST_F(HttpServerTest, AnswersWhatItHasBegunWhenItStops) {
  start();
  Client busy(server->port()), idle(server->port());
  EXPECT_EQ(idle.ask(post(""))->result_int(), 200U);
  busy.send(post("", authorization(), "/wait"));
  while (echo.handled < 2) std::this_thread::yield();
  auto stopped = std::async(std::launch::async, [&] { server->stop(seconds(60)); });
  EXPECT_TRUE(idle.is_closed());
  echo.waiting.set_value();
  const auto reply = busy.receive();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->result_int(), 200U);
  EXPECT_FALSE(reply->keep_alive());
  EXPECT_TRUE(busy.is_closed());
  stopped.get();
}

TEST_F(HttpServerTest, SurvivesThousandsOfSpoiltRequests) {
  start();
  std::mt19937 random(20260);  // NOLINT(*-msc51-cpp): the same each time
  for (int round = 0; round < 2000; ++round) {
    std::string request = post("some body", random() % 2 == 0 ? authorization() : "");
    for (auto spoilt = random() % 8; spoilt > 0; --spoilt)
      request[random() % request.size()] = static_cast<char>(random());
    if (random() % 4 == 0) request.resize(random() % request.size());
    boost::asio::io_context io;
    boost::asio::ip::tcp::socket socket(io);
    boost::system::error_code ignored;
    socket.connect({boost::asio::ip::make_address("127.0.0.1"), server->port()}, ignored);
    boost::asio::write(socket, boost::asio::buffer(request), ignored);
  }
  EXPECT_EQ(Client(server->port()).ask(post("after all that"))->result_int(), 200U);
}

TEST_F(HttpServerTest, ListensOnlyWhereItMay) {
  ServerOptions options;
  options.address = "0.0.0.0";
  const auto open = Server::start(options, authenticator, echo);
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(open.error().message, HasSubstr("without TLS"));
  options.address = "localhost";
  EXPECT_EQ(Server::start(options, authenticator, echo).error().code, ErrorCode::kInvalidArgument);
  start();
  options.address = "127.0.0.1";
  options.port = server->port();
  EXPECT_EQ(Server::start(options, authenticator, echo).error().code, ErrorCode::kInUse);
}

// --- with TLS ---

class HttpsServerTest : public HttpServerTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(make_certificate(files, {"127.0.0.1"}));
    ServerOptions options;
    options.certificate = files;
    options.limits.receiving = seconds(2);
    auto started = Server::start(options, authenticator, echo);
    ASSERT_TRUE(started) << started.error().describe();
    server = *std::move(started);
  }

  // The reply's status, and its body; 000 if there was none.
  std::string curl(const std::vector<std::string>& more = {}) {
    std::vector<std::string> command{"curl",
                                     "-sS",
                                     "--noproxy",
                                     "*",
                                     "--max-time",
                                     "20",
                                     "-w",
                                     "%{http_code} ",
                                     "--cacert",
                                     files.certificate,
                                     "-u",
                                     "otto:" + Users::password("otto"),
                                     fmt::format("https://127.0.0.1:{}/wsman", server->port())};
    command.insert(command.end(), more.begin(), more.end());
    const auto told = run_process(command);
    return told ? told->out + told->err : told.error().describe();
  }

  TemporaryFolder folder;
  CertificateFiles files{folder.path() / "certificate.pem", folder.path() / "key.pem"};
};

TEST_F(HttpsServerTest, IsReachedByWhoeverTrustsItsCertificate) {
  EXPECT_THAT(curl({"-d", "text"}), HasSubstr("POST /wsman text by otto from 127.0.0.1200 "));
  EXPECT_THAT(curl({"--tlsv1.2", "--tls-max", "1.2"}), HasSubstr("200 "));
}

TEST_F(HttpsServerTest, SpeaksNoOldTls) {
  EXPECT_THAT(curl({"--tlsv1.0", "--tls-max", "1.1", "--ciphers", "DEFAULT:@SECLEVEL=0"}), HasSubstr("000 "));
}

TEST_F(HttpsServerTest, EndsConnectionsThatDoNotShakeHands) {
  Client silent(server->port());
  EXPECT_TRUE(silent.is_closed());
  Client plain(server->port());
  plain.send(post("in the clear"));
  EXPECT_TRUE(plain.is_closed());
  EXPECT_EQ(echo.handled, 0);
}

TEST_F(HttpsServerTest, TakesANewCertificateWhenToldAndKeepsTheOldOneIfItIsNone) {
  const std::string old = read_file(files.certificate, 100'000).value();
  ASSERT_TRUE(remove_file(files.certificate));
  EXPECT_EQ(server->reload_certificate().error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(create_file(files.certificate, old.substr(100)));
  EXPECT_EQ(server->reload_certificate().error().code, ErrorCode::kCorrupt);
  ASSERT_TRUE(remove_file(files.certificate));
  ASSERT_TRUE(create_file(files.certificate, old));
  EXPECT_THAT(curl(), HasSubstr("200 "));
  ASSERT_TRUE(remove_file(files.certificate) && remove_file(files.key));
  ASSERT_TRUE(make_certificate(files, {"127.0.0.1"}));
  EXPECT_THAT(curl(), HasSubstr("000 ")) << "still the old one";
  ASSERT_TRUE(server->reload_certificate());
  EXPECT_THAT(curl(), HasSubstr("200 "));
}

TEST_F(HttpServerTest, IsAliveWhileItsThreadDoesSomething) {
  start();
  EXPECT_TRUE(server->is_alive(seconds(10)));
  {
    Client client(server->port());
    EXPECT_EQ(client.ask(post("", authorization(), "/stuck"))->result_int(), 200U);
  }
  while (server->is_alive(std::chrono::milliseconds(50))) std::this_thread::yield();
  EXPECT_FALSE(server->is_alive(std::chrono::milliseconds(50)));
  echo.waiting.set_value();
  EXPECT_TRUE(server->is_alive(seconds(10)));
}

// Whether the answer is one piece or many: a client that does not read it does not keep the connection.
TEST_F(HttpServerTest, EndsConnectionsOfThoseWhoDoNotRead) {
  ServerLimits limits;
  limits.sending = seconds(1);
  start(limits);
  for (const auto* target : {"/long", "/endless"}) {
    Client slow(server->port()), quick(server->port());
    slow.send(post("", authorization(), target));
    while (server->connections() == 0) std::this_thread::yield();
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(quick.ask(post("", authorization(), "/wsman"))->result_int(), 200U) << "others do not wait";
    EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(1));
    while (server->connections() > 1 && std::chrono::steady_clock::now() - begun < seconds(20)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_EQ(server->connections(), 1U) << target;
    EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(10)) << target;
  }
}

}  // namespace
}  // namespace cohort::http
