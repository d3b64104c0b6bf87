// Name and password in each request (RFC 7617), against a password file.
#pragma once

#include <string>

#include "base/clock.h"
#include "http/authenticator.h"
#include "http/lockout.h"
#include "http/password_file.h"
#include "http/verified_passwords.h"

namespace cohort::http {

class BasicAuthenticator final : public Authenticator {
 public:
  BasicAuthenticator(PasswordFile users, std::string realm, const Clock& clock, Lockout::Limits limits);

  [[nodiscard]] std::variant<Identity, Challenge> authenticate(std::string_view authorization,
                                                               const Peer& peer) override;
  [[nodiscard]] const PasswordFile& users() const { return users_; }

 private:
  [[nodiscard]] std::optional<Role> check(const std::string& name, std::string_view password, const Peer& peer);
  [[nodiscard]] Challenge challenge() const;

  const PasswordFile users_;
  const std::string realm_;
  Lockout lockout_;
  VerifiedPasswords verified_;
};

}  // namespace cohort::http
