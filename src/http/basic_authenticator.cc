#include "http/basic_authenticator.h"

#include <fmt/format.h>
#include <strings.h>

#include "http/base64.h"
#include "http/header_text.h"

namespace cohort::http {
namespace {

constexpr std::chrono::minutes kVerifiedFor{5};
constexpr std::size_t kLongestName = 256;
constexpr unsigned kNames = 10;  // for which an address may have guessed too often

struct Credentials {
  std::string name, password;
};

std::optional<Credentials> read_credentials(std::string_view authorization) {
  constexpr std::string_view kScheme = "Basic ";
  if (authorization.size() < kScheme.size() ||
      ::strncasecmp(authorization.data(), kScheme.data(), kScheme.size()) != 0) {
    return std::nullopt;
  }
  const std::size_t start = authorization.find_first_not_of(' ', kScheme.size());
  const auto text = from_base64(start == std::string_view::npos ? "" : authorization.substr(start));
  const std::size_t colon = text ? text->find(':') : std::string::npos;
  if (colon > kLongestName) return std::nullopt;  // as npos is
  return Credentials{text->substr(0, colon), text->substr(colon + 1)};
}

}  // namespace

BasicAuthenticator::BasicAuthenticator(PasswordFile users, std::string realm, const Clock& clock,
                                       Lockout::Limits limits, System system)
    : users_(std::move(users)),
      realm_(std::move(realm)),
      system_(std::move(system)),
      lockout_(clock, limits),
      addresses_(clock, {limits.failures * kNames, limits.duration, limits.remembered}),
      verified_(clock, kVerifiedFor) {}

std::variant<Identity, Challenge> BasicAuthenticator::authenticate(std::string_view authorization, const Peer& peer) {
  auto credentials = read_credentials(authorization);
  if (!credentials) return challenge();
  const auto role = check(credentials->name, credentials->password, peer);
  if (!role) return challenge();
  return identify(std::move(credentials->name), *role);
}

std::optional<Role> BasicAuthenticator::check(const std::string& name, const std::string& password, const Peer& peer) {
  // Where case does not count (PAM's names with a domain), each way to write a name would have its own tries.
  const std::string who = peer.address + ' ' + in_lower_case(name);
  if (lockout_.is_locked(who)) return std::nullopt;
  if (const auto known = verified_.role_of(name, password)) return known;
  // Each guess is work on purpose: with a new name each time somebody could have all of it.
  if (addresses_.is_locked(peer.address)) return std::nullopt;
  const auto role = ask(name, password, peer);
  if (role) {
    lockout_.succeeded(who);
    verified_.remember(name, password, *role);
  } else {
    lockout_.failed(who);
    addresses_.failed(peer.address);
  }
  return role;
}

std::optional<Role> BasicAuthenticator::ask(const std::string& name, const std::string& password, const Peer& peer) {
  const auto role = users_.role_of(name, Means::kPam);
  if (!role || !system_) return users_.check(name, password);
  return system_(name, password, peer) ? role : std::nullopt;
}

Challenge BasicAuthenticator::challenge() const {
  return {{fmt::format("Basic realm=\"{}\", charset=\"UTF-8\"", realm_)}};
}

}  // namespace cohort::http
