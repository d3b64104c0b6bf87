#include "daemon/listeners.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>

namespace cohort::daemon {
namespace {

constexpr http::ServerLimits status_limits() {
  http::ServerLimits limits;
  limits.connections = 64;
  limits.body_bytes = 0;
  limits.workers = 1;
  return limits;
}

std::string own_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

// The configured certificate, or the one that was made at an earlier start, or a new one.
Result<http::CertificateFiles> certificate(const Configuration& configuration, Log& log) {
  if (!configuration.certificate.empty()) {
    return http::CertificateFiles{configuration.certificate, configuration.key};
  }
  const Path folder = configuration.state / "tls";
  http::CertificateFiles files{folder / "certificate.pem", folder / "key.pem"};
  std::error_code ignored;
  if (std::filesystem::exists(files.certificate, ignored) && std::filesystem::exists(files.key, ignored)) return files;
  COHORT_TRY(make_directories(folder));
  auto names = configuration.names;
  if (names.empty()) names = {own_name(), "localhost", "127.0.0.1", "::1"};
  COHORT_TRY(http::make_certificate(files, names));
  log.write(Event::kCertificateMade, fmt::format("Clients have to trust \"{}\".", files.certificate.string()),
            {{"certificate", files.certificate.string()}});
  return files;
}

}  // namespace

Result<void> Listeners::start(const Configuration& configuration, const Answers& answers, PassedSockets sockets,
                              Log& log) {
  http::ServerOptions plain;
  plain.limits = configuration.http_limits;
  plain.plain = configuration.plain;
  COHORT_TRY(add_all({configuration.http, std::move(sockets.http)}, plain, answers.users, answers.requests, log));
  http::ServerOptions encrypted;
  encrypted.limits = configuration.http_limits;
  if (!configuration.https.empty() || !sockets.https.empty()) {
    COHORT_ASSIGN(encrypted.certificate, certificate(configuration, log));
    if (!configuration.clients.authorities.empty()) encrypted.clients = configuration.clients;
  }
  COHORT_TRY(add_all({configuration.https, std::move(sockets.https)}, encrypted, answers.users, answers.requests, log));
  http::ServerOptions status;
  status.limits = status_limits();
  status.plain = http::PlainHttp::kEverywhere;
  return add_all({configuration.status, std::move(sockets.status)}, status, answers.anybody, answers.status, log);
}

Result<void> Listeners::add_all(Places places, http::ServerOptions options, http::Authenticator& users,
                                http::Handler& handler, Log& log) {
  for (UniqueFd& each : places.sockets) {
    options.listener = each.get();
    COHORT_TRY(add(options, users, handler, log));
    static_cast<void>(each.release());  // the server has it
  }
  if (!places.sockets.empty()) return {};
  for (const Address& each : places.addresses) {
    options.address = each.ip;
    options.port = each.port;
    COHORT_TRY(add(options, users, handler, log));
  }
  return {};
}

Result<void> Listeners::add(const http::ServerOptions& options, http::Authenticator& users, http::Handler& handler,
                            Log& log) {
  COHORT_ASSIGN(auto server, http::Server::start(options, users, handler));
  const std::string shown = to_string({server->address(), server->port()});
  const std::string_view kind = options.certificate ? "https" : "http";
  log.write(Event::kListening, fmt::format("{}://{}", kind, shown), {{"address", shown}});
  const std::scoped_lock lock(mutex_);
  servers_.push_back(std::move(server));
  return {};
}

std::size_t Listeners::connections() const {
  const std::scoped_lock lock(mutex_);
  std::size_t count = 0;
  for (const auto& each : servers_) count += each->connections();
  return count;
}

bool Listeners::are_alive(std::chrono::milliseconds patience) const {
  using std::chrono::steady_clock;
  const auto end = steady_clock::now() + patience;
  return std::ranges::all_of(servers_, [end](const auto& each) {
    return each->is_alive(std::chrono::duration_cast<std::chrono::milliseconds>(end - steady_clock::now()));
  });
}

Result<void> Listeners::reload_certificates() {
  Result<void> outcome;
  for (const auto& each : servers_) {
    auto reloaded = each->reload_certificate();
    if (!reloaded && outcome) outcome = std::move(reloaded);
  }
  return outcome;
}

void Listeners::stop(std::chrono::seconds patience) {
  // At once: otherwise the last would accept while the first is waited for.
  std::vector<std::jthread> stopping;
  for (const auto& each : servers_) stopping.emplace_back([&each, patience] { each->stop(patience); });
}

}  // namespace cohort::daemon
