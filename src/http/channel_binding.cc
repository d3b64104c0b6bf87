#include "http/channel_binding.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>

namespace cohort::http {
namespace {

// That of the certificate's signature, but nothing weaker than SHA-256 (RFC 5929 4.1).
const EVP_MD* hash_of(X509* certificate) {
  int digest = NID_undef;
  if (::X509_get_signature_info(certificate, &digest, nullptr, nullptr, nullptr) != 1) {
    return ::EVP_sha256();
  }
  const EVP_MD* const found = ::EVP_get_digestbynid(digest);
  return found == nullptr || digest == NID_md5 || digest == NID_sha1 ? ::EVP_sha256() : found;
}

}  // namespace

std::string channel_binding_of(SSL* connection) {
  X509* const certificate = ::SSL_get_certificate(connection);
  if (certificate == nullptr) return {};
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned length = 0;
  if (::X509_digest(certificate, hash_of(certificate), hash.data(), &length) != 1) return {};
  return "tls-server-end-point:" + std::string(hash.begin(), hash.begin() + length);
}

}  // namespace cohort::http
