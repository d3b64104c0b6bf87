#include "http/certificate.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

#include "http/openssl_pointers.h"

namespace cohort::http {
namespace {

using Key = std::unique_ptr<EVP_PKEY, Freeing<::EVP_PKEY_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freeing<::X509_EXTENSION_free>>;

constexpr long kYears = 10;
constexpr long kDaySeconds = 24L * 60 * 60;

bool is_address(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  return ::inet_pton(AF_INET, name.c_str(), ignored.data()) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), ignored.data()) == 1;
}

bool add_extension(X509* certificate, int kind, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Extension extension(::X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension != nullptr && ::X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_serial(X509* certificate) {
  std::uint64_t serial = 0;
  std::array<unsigned char, sizeof(serial)> bytes{};
  if (::RAND_bytes(bytes.data(), bytes.size()) != 1) return false;
  for (const unsigned char byte : bytes) serial = (serial << 8U) | byte;
  return ::ASN1_INTEGER_set_uint64(::X509_get_serialNumber(certificate), serial >> 1U) == 1;
}

bool set_name(X509* certificate, const std::string& name) {
  X509_NAME* subject = ::X509_get_subject_name(certificate);
  // NOLINTNEXTLINE(*-reinterpret-cast): OpenSSL's bytes
  const auto* bytes = reinterpret_cast<const unsigned char*>(name.data());
  return ::X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, bytes, static_cast<int>(name.size()), -1, 0) == 1 &&
         ::X509_set_issuer_name(certificate, subject) == 1;
}

Certificate sign(EVP_PKEY* key, const std::vector<std::string>& names) {
  Certificate certificate(::X509_new());
  if (!certificate || names.empty()) return {};
  std::string alternatives;
  for (const auto& name : names) {
    alternatives += (alternatives.empty() ? "" : ",") + std::string(is_address(name) ? "IP:" : "DNS:") + name;
  }
  X509* const made = certificate.get();
  const bool done =
      ::X509_set_version(made, X509_VERSION_3) == 1 && set_serial(made) && set_name(made, names.front()) &&
      ::X509_gmtime_adj(::X509_getm_notBefore(made), -kDaySeconds) != nullptr &&
      ::X509_gmtime_adj(::X509_getm_notAfter(made), kYears * 365 * kDaySeconds) != nullptr &&
      ::X509_set_pubkey(made, key) == 1 && add_extension(made, NID_basic_constraints, "critical,CA:FALSE") &&
      add_extension(made, NID_ext_key_usage, "serverAuth") && add_extension(made, NID_subject_alt_name, alternatives) &&
      ::X509_sign(made, key, ::EVP_sha256()) != 0;
  return done ? std::move(certificate) : Certificate();
}

std::string content_of(BIO* memory) {
  char* bytes = nullptr;
  const long length = BIO_get_mem_data(memory, &bytes);
  return {bytes, static_cast<std::size_t>(length)};
}

std::string pem_of(EVP_PKEY* key) {
  const Bio memory(::BIO_new(::BIO_s_mem()));
  ::PEM_write_bio_PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return content_of(memory.get());
}

std::string pem_of(X509* certificate) {
  const Bio memory(::BIO_new(::BIO_s_mem()));
  ::PEM_write_bio_X509(memory.get(), certificate);
  return content_of(memory.get());
}

// Whole or not at all: half of one would stop every later start.
Result<void> put_in_place(const Path& certificate, std::string_view content) {
  const Path made = certificate.string() + ".new";
  COHORT_TRY(remove_file(made));
  COHORT_TRY(create_file(made, content, 0644));
  // Not a rename: what is there already stays.
  if (::link(made.c_str(), certificate.c_str()) != 0) {
    return Failure{system_error(errno, fmt::format("\"{}\" cannot be put in place.", certificate.string()))};
  }
  COHORT_TRY(remove_file(made));
  return sync_directory(certificate.parent_path());
}

}  // namespace

Result<void> make_certificate(const CertificateFiles& files, const std::vector<std::string>& names) {
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate = key ? sign(key.get(), names) : Certificate();
  if (!certificate) {
    return fail(ErrorCode::kInvalidArgument, "No certificate can be made for \"{}\".", fmt::join(names, "\", \""));
  }
  // A key alone is what was left of a process that ended here. Not so beside a link that leads nowhere.
  std::error_code ignored;
  if (std::filesystem::symlink_status(files.certificate, ignored).type() == std::filesystem::file_type::not_found) {
    COHORT_TRY(remove_file(files.key));
  }
  COHORT_TRY(create_file(files.key, pem_of(key.get()), 0600));
  if (auto written = put_in_place(files.certificate, pem_of(certificate.get())); !written) {
    static_cast<void>(remove_file(files.key));
    return written;
  }
  return {};
}

}  // namespace cohort::http
