// Name and password in each request (RFC 7617), against a password file, or against the system where that file says so.
#pragma once

#include <functional>
#include <string>

#include "base/clock.h"
#include "http/authenticator.h"
#include "http/lockout.h"
#include "http/password_file.h"
#include "http/verified_passwords.h"

namespace cohort::http {

class BasicAuthenticator final : public Authenticator {
 public:
  // Whether a user of the system has that password; may take its time, but not for ever.
  using System = std::function<bool(const std::string& name, const std::string& password, const Peer& peer)>;

  // Without a system its users are not let in. An address that has failed ten times as often as `limits` allow for one
  // name has to wait for all names, but for those that it has verified a while ago.
  BasicAuthenticator(PasswordFile users, std::string realm, const Clock& clock, Lockout::Limits limits,
                     System system = {});

  [[nodiscard]] std::variant<Identity, Challenge> authenticate(std::string_view authorization,
                                                               const Peer& peer) override;
  [[nodiscard]] const PasswordFile& users() const { return users_; }

 private:
  [[nodiscard]] std::optional<Role> check(const std::string& name, const std::string& password, const Peer& peer);
  [[nodiscard]] std::optional<Role> ask(const std::string& name, const std::string& password, const Peer& peer);
  [[nodiscard]] Challenge challenge() const;

  const PasswordFile users_;
  const std::string realm_;
  const System system_;
  Lockout lockout_;    // of an address and a name
  Lockout addresses_;  // of an address, whatever the names
  VerifiedPasswords verified_;
};

}  // namespace cohort::http
