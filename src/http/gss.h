// Kerberos and NTLM through GSSAPI, negotiated by SPNEGO (RFC 4178, RFC 4559) or by themselves.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"
#include "http/security_context.h"

namespace cohort::http {

struct GssOptions {
  bool kerberos = false, ntlm = false;
  Path keytab;      // the keys of HTTP/HOST and the like; empty: that of the system
  Path ntlm_users;  // DOMAIN:user:password, a line each
};

// Opens what the options ask for. Each mechanism has to be there with what it needs.
// The libraries find keys and users by the environment: it is set, so that no other thread may be running.
// Fails with kUnsupported (a mechanism is not installed, or has no keys), kPermission (others can read a file of keys
// or passwords) or kNotFound (the file of users).
[[nodiscard]] Result<std::unique_ptr<SecurityProvider>> open_gss(const GssOptions& options, const Clock& clock);

}  // namespace cohort::http
