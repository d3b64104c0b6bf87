#include "daemon/authentication.h"

#include <fmt/format.h>

#include <utility>

#include "http/base64.h"

namespace cohort::daemon {
namespace {

constexpr std::string_view kRealm = "cohort";
constexpr std::size_t kShownName = 64;

// The name that was tried, for the log. What does not look like one is not shown: it may be a password.
std::string name_in(std::string_view authorization) {
  const auto space = authorization.find(' ');
  const auto text = space == std::string_view::npos ? std::nullopt : http::from_base64(authorization.substr(space + 1));
  const auto colon = text ? text->find(':') : std::string::npos;
  if (colon == std::string::npos || colon > kShownName) return "?";
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
                                                         std::string(kRealm), clock_, limits_);
  const std::scoped_lock lock(mutex_);
  users_ = std::move(made);
  return {};
}

std::shared_ptr<http::BasicAuthenticator> Authentication::current() {
  const std::scoped_lock lock(mutex_);
  return users_;
}

std::variant<http::Identity, http::Challenge> Authentication::authenticate(std::string_view authorization,
                                                                           const http::Peer& peer) {
  auto outcome = current()->authenticate(authorization, peer);
  // Without the header the client asks what it can authenticate with.
  if (std::holds_alternative<http::Challenge>(outcome) && !authorization.empty()) {
    metrics_.count_failed_authentication();
    const std::string name = name_in(authorization);
    log_.write(Event::kAuthenticationFailed, fmt::format("{} was not let in.", name),
               {{"user", name}, {"address", peer.address}});
  }
  return outcome;
}

}  // namespace cohort::daemon
