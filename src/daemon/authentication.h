// Authentication of the users in the password file, which can be read again: with their passwords, by what they
// negotiate, or by the certificates that they show. Failures are counted and logged.
#pragma once

#include <memory>
#include <mutex>

#include "base/clock.h"
#include "base/file.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/password_check.h"
#include "http/basic_authenticator.h"
#include "http/negotiator.h"

namespace cohort::daemon {

// Threads: safe to call from several at once.
class Authentication final : public http::Authenticator {
 public:
  // What is given by reference outlives this object. Nobody is let in before the first reload().
  Authentication(Path passwords, http::Lockout::Limits limits, const Clock& clock, Metrics& metrics, Log& log);

  // Reads the password file; one that does not exist has no users. Failures of the past are forgotten with it. After a
  // failure the users from before stay. Fails as PasswordFile::read does.
  [[nodiscard]] Result<void> reload();

  // From here on users of this system may log in with the passwords that this service of PAM knows. Before reload().
  void ask_pam(const std::string& service);
  // From here on clients may negotiate. Before the first of them is served.
  void offer(std::unique_ptr<http::SecurityProvider> provider);

  [[nodiscard]] std::variant<http::Identity, http::Challenge> authenticate(std::string_view authorization,
                                                                           const http::Peer& peer) override;
  [[nodiscard]] std::unique_ptr<http::Negotiation> negotiate(const http::Peer& peer) override;

 private:
  [[nodiscard]] std::shared_ptr<http::BasicAuthenticator> current();
  [[nodiscard]] http::BasicAuthenticator::System system();
  [[nodiscard]] std::optional<http::Identity> by_certificate(const http::Peer& peer);
  void tell_refused(const http::Peer& peer, const std::string& name, const std::string& why);

  const Path passwords_;
  const http::Lockout::Limits limits_;
  const Clock& clock_;
  Metrics& metrics_;
  Log& log_;
  std::unique_ptr<PasswordCheck> pam_;
  std::mutex mutex_;
  // Shared with those that authenticate somebody while it is replaced.
  std::shared_ptr<http::BasicAuthenticator> users_;
  std::unique_ptr<http::Negotiator> negotiator_;
};

}  // namespace cohort::daemon
