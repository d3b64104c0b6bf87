// A client that sends bytes as they are, so that it can be as wrong as a test wants.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <optional>
#include <string>

namespace cohort::http {

using Reply = boost::beast::http::response<boost::beast::http::string_body>;

class Client {
 public:
  explicit Client(std::uint16_t port, std::chrono::seconds patience = std::chrono::seconds(20)) : patience_(patience) {
    stream_.expires_after(patience_);
    boost::system::error_code error;
    run([&](auto done) {
      stream_.async_connect({boost::asio::ip::make_address("127.0.0.1"), port},
                            [&, done](auto result) { error = result, done(); });
    });
    EXPECT_FALSE(error) << error.message();
  }

  // False if the server has closed the connection.
  bool send(const std::string& bytes) {
    boost::system::error_code error;
    run([&](auto done) {
      boost::asio::async_write(stream_, boost::asio::buffer(bytes),
                               [&, done](auto result, auto) { error = result, done(); });
    });
    return !error;
  }

  // Nothing if there is none, or none in time.
  std::optional<Reply> receive() {
    Reply reply;
    boost::system::error_code error;
    run([&](auto done) {
      boost::beast::http::async_read(stream_, buffer_, reply, [&, done](auto result, auto) { error = result, done(); });
    });
    if (error) return std::nullopt;
    return reply;
  }

  std::optional<Reply> ask(const std::string& bytes) {
    send(bytes);
    return receive();
  }

  // Whether the server ends the connection, which it must within the client's patience.
  bool is_closed() {
    std::array<char, 1> byte{};
    boost::system::error_code error;
    run([&](auto done) {
      stream_.async_read_some(boost::asio::buffer(byte), [&, done](auto result, auto) { error = result, done(); });
    });
    return error && error != boost::beast::error::timeout;
  }

 private:
  template <typename Begin>
  void run(const Begin& begin) {
    stream_.expires_after(patience_);
    begin([] {});
    io_.restart();
    io_.run();
  }

  const std::chrono::seconds patience_;
  boost::asio::io_context io_;
  boost::beast::tcp_stream stream_{io_};
  boost::beast::flat_buffer buffer_;
};

}  // namespace cohort::http
