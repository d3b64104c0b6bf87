// What OpenSSL has allocated, freed with its owner.
#pragma once

#include <openssl/bio.h>
#include <openssl/x509.h>

#include <memory>

namespace cohort::http {

template <auto Free>
struct Freeing {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Freeing<::BIO_free>>;
using Certificate = std::unique_ptr<X509, Freeing<::X509_free>>;

}  // namespace cohort::http
