// One client's connection: requests one after another, each authenticated before its body is read.
//
// Threads: all but what is given to the workers is on the thread of the connections.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "http/surroundings.h"

namespace cohort::http {

class Connection {
 public:
  virtual ~Connection() = default;
  virtual void start() = 0;
  // Closes it unless a request is being read, handled or answered; then the answer is its last.
  virtual void stop() = 0;
  // Ends it in the same way if the client has shown a certificate, or is about to.
  virtual void end_certificate() = 0;
  // Closes it if nobody has been authenticated over it, and nobody is just being; false if it stays, or ends already.
  virtual bool end_stranger() = 0;
};

// Each pending operation owns it, so that it ends with the last of them: hence shared.
[[nodiscard]] std::shared_ptr<Connection> make_connection(boost::asio::ip::tcp::socket socket,
                                                          Surroundings& surroundings);
[[nodiscard]] std::shared_ptr<Connection> make_connection(boost::asio::ip::tcp::socket socket,
                                                          boost::asio::ssl::context& tls, Surroundings& surroundings);

}  // namespace cohort::http
