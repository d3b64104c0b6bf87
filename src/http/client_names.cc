#include "http/client_names.h"

#include <openssl/bio.h>
#include <openssl/objects.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>

#include "http/openssl_pointers.h"

namespace cohort::http {
namespace {

using Names = std::unique_ptr<GENERAL_NAMES, Freeing<::GENERAL_NAMES_free>>;

constexpr std::string_view kUserPrincipalName = "1.3.6.1.4.1.311.20.2.3";

void add(std::vector<std::string>& names, std::string name) {
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7F; };
  if (!name.empty() && std::ranges::none_of(name, is_control)) names.push_back(std::move(name));
}

// As UTF-8, whatever it was.
std::string text_of(const ASN1_STRING* string) {
  unsigned char* bytes = nullptr;
  const int length = ::ASN1_STRING_to_UTF8(&bytes, string);
  if (length < 0) return {};
  std::string text(bytes, bytes + length);
  ::OPENSSL_free(bytes);
  return text;
}

bool is_user_principal_name(const GENERAL_NAME& name) {
  if (name.type != GEN_OTHERNAME || name.d.otherName->value->type != V_ASN1_UTF8STRING) return false;
  std::string oid(std::size_t{64}, '\0');
  const int length = ::OBJ_obj2txt(oid.data(), static_cast<int>(oid.size()), name.d.otherName->type_id, 1);
  return length > 0 && std::string_view(oid).starts_with(kUserPrincipalName) &&
         oid.find('\0') == kUserPrincipalName.size();
}

void add_alternatives(std::vector<std::string>& names, const X509* certificate) {
  const Names all(static_cast<GENERAL_NAMES*>(::X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (const bool wants_principal : {true, false}) {
    for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
      const GENERAL_NAME& each = *sk_GENERAL_NAME_value(all.get(), i);
      if (wants_principal && is_user_principal_name(each)) {
        add(names, text_of(each.d.otherName->value->value.utf8string));
      }
      if (!wants_principal && each.type == GEN_EMAIL) add(names, text_of(each.d.rfc822Name));
    }
  }
}

void add_subject(std::vector<std::string>& names, const X509* certificate) {
  X509_NAME* const subject = ::X509_get_subject_name(certificate);
  const int index = ::X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  // One that has several says nothing clear.
  if (index >= 0 && ::X509_NAME_get_index_by_NID(subject, NID_commonName, index) < 0) {
    add(names, text_of(::X509_NAME_ENTRY_get_data(::X509_NAME_get_entry(subject, index))));
  }
  const Bio memory(::BIO_new(::BIO_s_mem()));
  ::X509_NAME_print_ex(memory.get(), subject, 0, XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
  char* bytes = nullptr;
  const long length = BIO_get_mem_data(memory.get(), &bytes);
  add(names, {bytes, static_cast<std::size_t>(length)});
}

}  // namespace

std::vector<std::string> client_names_of(SSL* connection) {
  const Certificate certificate(::SSL_get1_peer_certificate(connection));
  if (!certificate || ::SSL_get_verify_result(connection) != X509_V_OK) return {};
  std::vector<std::string> names;
  add_alternatives(names, certificate.get());
  add_subject(names, certificate.get());
  return names;
}

}  // namespace cohort::http
