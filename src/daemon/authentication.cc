#include "daemon/authentication.h"

#include <fmt/format.h>

#include <utility>

#include "http/base64.h"

namespace cohort::daemon {
namespace {

constexpr std::string_view kRealm = "cohort";
constexpr std::size_t kShownName = 64;
// What Windows' clients send as Authorization when it is the certificate that counts.
constexpr std::string_view kMutual = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual";

// The name that was tried, for the log. What does not look like one is not shown: it may be a password.
std::string name_in(std::string_view authorization) {
  const auto space = authorization.find(' ');
  const auto text = space == std::string_view::npos ? std::nullopt : http::from_base64(authorization.substr(space + 1));
  const auto colon = text ? text->find(':') : std::string::npos;
  if (colon > kShownName) return "?";
  return text->substr(0, colon);
}

}  // namespace

Authentication::Authentication(Path passwords, http::Lockout::Limits limits, const Clock& clock, Metrics& metrics,
                               Log& log)
    : passwords_(std::move(passwords)),
      limits_(limits),
      clock_(clock),
      metrics_(metrics),
      log_(log),
      users_(std::make_shared<http::BasicAuthenticator>(http::PasswordFile(), std::string(kRealm), clock, limits)) {}

Result<void> Authentication::reload() {
  auto users = http::PasswordFile::read(passwords_);
  const bool is_missing = !users && users.error().code == ErrorCode::kNotFound;
  if (!users && !is_missing) return Failure{std::move(users).error()};
  if (is_missing) {
    log_.write(Event::kNoUsers,
               fmt::format("There is no password file \"{}\": nobody can log in.", passwords_.string()));
  }
  auto made = std::make_shared<http::BasicAuthenticator>(is_missing ? http::PasswordFile() : *std::move(users),
                                                         std::string(kRealm), clock_, limits_, system());
  const std::scoped_lock lock(mutex_);
  users_ = std::move(made);
  return {};
}

std::shared_ptr<http::BasicAuthenticator> Authentication::current() {
  const std::scoped_lock lock(mutex_);
  return users_;
}

void Authentication::ask_pam(const std::string& service) { pam_ = std::make_unique<PasswordCheck>(service); }

http::BasicAuthenticator::System Authentication::system() {
  if (!pam_) return {};
  return [&pam = *pam_](const std::string& name, const std::string& password, const http::Peer& peer) {
    return pam.is_right(name, password, peer.address);
  };
}

void Authentication::offer(std::unique_ptr<http::SecurityProvider> provider) {
  http::Negotiator::Owner owner{
      [this](std::string_view name) { return current()->users().role_of(name, http::Means::kNegotiate); },
      [this](const http::Peer& peer, std::string_view name, const std::string& why) {
        tell_refused(peer, name.empty() ? "?" : std::string(name.substr(0, kShownName)), why);
      }};
  negotiator_ = std::make_unique<http::Negotiator>(std::move(provider), std::move(owner), clock_, limits_,
                                                   http::Negotiator::Limits());
}

std::unique_ptr<http::Negotiation> Authentication::negotiate(const http::Peer& peer) {
  return negotiator_ ? negotiator_->begin(peer) : nullptr;
}

std::variant<http::Identity, http::Challenge> Authentication::authenticate(std::string_view authorization,
                                                                           const http::Peer& peer) {
  if (authorization.empty() || authorization == kMutual) {
    if (auto identity = by_certificate(peer)) return *std::move(identity);
  }
  // A password that everybody could read is not even looked at.
  auto outcome = peer.is_exposed ? http::Challenge{} : current()->authenticate(authorization, peer);
  auto* const challenge = std::get_if<http::Challenge>(&outcome);
  if (challenge == nullptr) return outcome;
  // In front, since there are clients that read the first alone.
  if (negotiator_) {
    const auto& schemes = negotiator_->schemes();
    challenge->schemes.insert(challenge->schemes.begin(), schemes.begin(), schemes.end());
  }
  // Without the header the client asks what it can authenticate with.
  if (!authorization.empty() && authorization != kMutual) tell_refused(peer, name_in(authorization), "");
  return outcome;
}

std::optional<http::Identity> Authentication::by_certificate(const http::Peer& peer) {
  for (const std::string& name : peer.certificate_names) {
    if (const auto role = current()->users().role_of(name, http::Means::kCertificate)) return identify(name, *role);
  }
  if (!peer.certificate_names.empty()) {
    tell_refused(peer, peer.certificate_names.back().substr(0, kShownName), "No user has a name of this certificate.");
  }
  return std::nullopt;
}

void Authentication::tell_refused(const http::Peer& peer, const std::string& name, const std::string& why) {
  metrics_.count_failed_authentication();
  log_.write(Event::kAuthenticationFailed, fmt::format("{} was not let in.{}{}", name, why.empty() ? "" : " ", why),
             {{"user", name}, {"address", peer.address}});
}

}  // namespace cohort::daemon
