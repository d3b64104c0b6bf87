#include "http/tls_context.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <boost/asio/buffer.hpp>

#include "http/openssl_pointers.h"

namespace cohort::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::uint64_t kPemLimit = std::uint64_t{1} << 20U;   // bytes
constexpr std::uint64_t kCrlLimit = std::uint64_t{64} << 20U;  // bytes

using RevocationList = std::unique_ptr<X509_CRL, Freeing<::X509_CRL_free>>;

Result<std::unique_ptr<asio::ssl::context>> own_certificate(const CertificateFiles& files) {
  COHORT_ASSIGN(const std::string certificate, read_file(files.certificate, kPemLimit));
  COHORT_ASSIGN(const std::string key, read_file(files.key, kPemLimit));
  auto context = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
  context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                       asio::ssl::context::no_tlsv1_1 | asio::ssl::context::no_compression);
  error_code error;
  context->use_certificate_chain(asio::buffer(certificate), error);
  if (error) {
    return fail(ErrorCode::kCorrupt, "\"{}\" is not a certificate in PEM ({}).", files.certificate.string(),
                error.message());
  }
  // OpenSSL would ask at the terminal, and everybody would wait.
  context->set_password_callback([](std::size_t, asio::ssl::context::password_purpose) { return std::string(); });
  context->use_private_key(asio::buffer(key), asio::ssl::context::pem, error);
  if (error) {
    return fail(ErrorCode::kCorrupt,
                "\"{}\" is not the private key of the certificate \"{}\", or has a password, which nobody is asked for "
                "({}).",
                files.key.string(), files.certificate.string(), error.message());
  }
  return context;
}

// The authorities are also told to clients, which have to choose one of their certificates.
Result<void> trust_authorities(SSL_CTX* context, const Path& path) {
  COHORT_ASSIGN(const std::string text, read_file(path, kPemLimit));
  const Bio memory(::BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  std::size_t count = 0;
  while (const Certificate each{::PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr)}) {
    if (::X509_STORE_add_cert(::SSL_CTX_get_cert_store(context), each.get()) != 1 ||
        ::SSL_CTX_add_client_CA(context, each.get()) != 1) {
      break;
    }
    ++count;
  }
  const bool is_whole = ERR_GET_REASON(::ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ::ERR_clear_error();
  if (count > 0 && is_whole) return {};
  return fail(ErrorCode::kCorrupt, "\"{}\" does not hold certificates of authorities in PEM.", path.string());
}

// A list that is missing for an authority, or out of date, lets nobody in.
Result<void> refuse_revoked(SSL_CTX* context, const Path& path) {
  COHORT_ASSIGN(const std::string text, read_file(path, kCrlLimit));
  const Bio memory(::BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  X509_STORE* const store = ::SSL_CTX_get_cert_store(context);
  std::size_t count = 0;
  while (const RevocationList each{::PEM_read_bio_X509_CRL(memory.get(), nullptr, nullptr, nullptr)}) {
    if (::X509_STORE_add_crl(store, each.get()) != 1) break;
    ++count;
  }
  const bool is_whole = ERR_GET_REASON(::ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ::ERR_clear_error();
  if (count > 0 && is_whole && ::X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK) == 1) return {};
  return fail(ErrorCode::kCorrupt, "\"{}\" does not hold revocation lists in PEM.", path.string());
}

Result<void> ask_clients(SSL_CTX* context, const ClientCertificates& clients) {
  COHORT_TRY(trust_authorities(context, clients.authorities));
  if (!clients.revoked.empty()) {
    COHORT_TRY(refuse_revoked(context, clients.revoked));
  }
  // Without a callback what is wrong with a certificate ends the handshake. None at all is no fault.
  ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  // Each connection shows it anew: a session that is resumed would bring what was believed earlier.
  ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  ::SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  ::SSL_CTX_set_num_tickets(context, 0);
  return {};
}

}  // namespace

Result<std::unique_ptr<asio::ssl::context>> make_tls_context(const CertificateFiles& own,
                                                             const std::optional<ClientCertificates>& clients) {
  COHORT_ASSIGN(auto context, own_certificate(own));
  if (clients) {
    COHORT_TRY(ask_clients(context->native_handle(), *clients));
  }
  return context;
}

}  // namespace cohort::http
