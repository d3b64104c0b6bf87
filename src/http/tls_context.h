// What a server's TLS is made of.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <optional>

#include "base/result.h"
#include "http/certificate.h"
#include "http/server.h"

namespace cohort::http {

// TLS 1.2 and above. With `clients` a client may show a certificate; one that is not from that authority, has expired,
// is revoked or not for clients ends the handshake. Fails with kCorrupt (a file is not what it should be) and as
// reading them does.
[[nodiscard]] Result<std::unique_ptr<boost::asio::ssl::context>> make_tls_context(
    const CertificateFiles& own, const std::optional<ClientCertificates>& clients);

}  // namespace cohort::http
