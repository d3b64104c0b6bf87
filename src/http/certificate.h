// The server's certificate and its private key, as PEM files.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace cohort::http {

struct CertificateFiles {
  Path certificate;  // with the chain behind it
  Path key;
};

// Makes a key (P-256) and a certificate that it signs itself, for a server that was given none; clients have to be told
// to trust it. `names` are host names and IP addresses. Both files must not exist, but for a key without its
// certificate, which a process left that ended between the two; after a failure neither does. Fails with
// kAlreadyExists, or as writing a file does.
[[nodiscard]] Result<void> make_certificate(const CertificateFiles& files, const std::vector<std::string>& names);

}  // namespace cohort::http
