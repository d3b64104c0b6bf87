// What ties an authentication to the TLS connection that it is made over (RFC 5929).
#pragma once

#include <openssl/types.h>

#include <string>

namespace cohort::http {

// "tls-server-end-point:" and the hash of the certificate that this end of the connection has shown; empty if there is
// none. A client that was led to another server has seen another certificate.
[[nodiscard]] std::string channel_binding_of(SSL* connection);

}  // namespace cohort::http
