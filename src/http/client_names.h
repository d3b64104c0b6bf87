// Whom a client's certificate names.
#pragma once

#include <openssl/types.h>

#include <string>
#include <vector>

namespace cohort::http {

// Of the certificate that the client of this connection has shown, if it was verified: the user principal names
// (Windows' ann@example.org), the mail addresses, the subject's common name, and the whole subject
// ("CN=ann,O=Example"). Empty if there is none. Names with characters that are not printable are left out.
[[nodiscard]] std::vector<std::string> client_names_of(SSL* connection);

}  // namespace cohort::http
