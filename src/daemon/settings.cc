// The settings of the configuration file.
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "daemon/configuration.h"

namespace cohort::daemon {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;

Result<std::uint64_t> number(std::string_view text, std::uint64_t least, std::uint64_t most) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), value);
  if (error != std::errc() || end != text.end() || value < least || value > most) {
    return fail(ErrorCode::kInvalidArgument, "\"{}\" is not a number from {} to {}", text, least, most);
  }
  return value;
}

template <std::size_t Least, std::size_t Most, typename T>
Result<void> read_number(std::string_view text, T& into) {
  COHORT_ASSIGN(const std::uint64_t value, number(text, Least, Most));
  into = static_cast<T>(value);
  return {};
}

Result<void> read_seconds(std::string_view text, std::chrono::seconds& into) {
  COHORT_ASSIGN(const std::uint64_t value, number(text, 1, 86'400));
  into = std::chrono::seconds(value);
  return {};
}

// An address of a link has its interface behind it: fe80::1%eth0.
bool is_ip_address(std::string_view text) {
  const std::string v4(text), v6(text.substr(0, text.find('%')));
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  return ::inet_pton(AF_INET, v4.c_str(), ignored.data()) == 1 ||
         ::inet_pton(AF_INET6, v6.c_str(), ignored.data()) == 1;
}

Result<Address> read_address(std::string_view text) {
  const auto colon = text.rfind(':');
  std::string_view ip = text.substr(0, colon);
  const bool is_bracketed = ip.size() >= 2 && ip.front() == '[' && ip.back() == ']';
  if (is_bracketed) ip = ip.substr(1, ip.size() - 2);
  if (colon == std::string_view::npos || ip.empty() || is_bracketed != (ip.find(':') != std::string_view::npos)) {
    return fail(ErrorCode::kInvalidArgument, "\"{}\" is not ADDRESS:PORT or [ADDRESS]:PORT", text);
  }
  if (!is_ip_address(ip)) return fail(ErrorCode::kInvalidArgument, "\"{}\" is no IP address", ip);
  COHORT_ASSIGN(const std::uint64_t port, number(text.substr(colon + 1), 0, std::numeric_limits<std::uint16_t>::max()));
  return Address{std::string(ip), static_cast<std::uint16_t>(port)};
}

// The words between commas; none of "none" and of nothing.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const auto end = text.find(',');
    std::string_view word = text.substr(0, end);
    while (!word.empty() && word.front() == ' ') word.remove_prefix(1);
    while (!word.empty() && word.back() == ' ') word.remove_suffix(1);
    words.push_back(word);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  if (words.size() == 1 && words.front() == "none") words.clear();
  return words;
}

Result<void> read_addresses(std::string_view text, std::vector<Address>& into) {
  for (const std::string_view word : words_of(text)) {
    COHORT_ASSIGN(auto address, read_address(word));
    into.push_back(std::move(address));
  }
  return {};
}

Result<void> read_path(std::string_view text, Path& into) {
  if (text.empty() || text.front() != '/' || text.find('\0') != std::string_view::npos) {
    return fail(ErrorCode::kInvalidArgument, "\"{}\" is not an absolute path", text);
  }
  into = text;
  return {};
}

Result<void> read_optional_path(std::string_view text, Path& into) {
  return text.empty() ? Result<void>() : read_path(text, into);
}

Result<void> read_root(std::string_view text, Configuration& configuration) {
  if (text.empty()) return {};
  return read_path(text, configuration.export_roots.emplace_back());
}

Result<void> read_grant(std::string_view text, Configuration& configuration) {
  if (text.empty()) return {};
  COHORT_ASSIGN(auto grant, parse_grant(text));
  configuration.grants.push_back(std::move(grant));
  return {};
}

Result<void> read_names(std::string_view text, Configuration& configuration) {
  for (const std::string_view word : words_of(text)) configuration.names.emplace_back(word);
  return {};
}

Result<void> read_plain(std::string_view text, Configuration& configuration) {
  using http::PlainHttp;
  if (text != "no" && text != "encrypted" && text != "yes") {
    return fail(ErrorCode::kInvalidArgument, "\"{}\" is none of no, encrypted and yes", text);
  }
  configuration.plain = text == "no"    ? PlainHttp::kLoopback
                        : text == "yes" ? PlainHttp::kEverywhere
                                        : PlainHttp::kSealed;
  return {};
}

Result<void> read_mechanisms(std::string_view text, Configuration& configuration) {
  for (const std::string_view word : words_of(text)) {
    if (word != "kerberos" && word != "ntlm") {
      return fail(ErrorCode::kInvalidArgument, "\"{}\" is neither kerberos nor ntlm", word);
    }
    (word == "ntlm" ? configuration.negotiate.ntlm : configuration.negotiate.kerberos) = true;
  }
  return {};
}

// The name of a file, which becomes part of a path.
Result<void> read_service(std::string_view text, Configuration& configuration) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  if (!std::ranges::all_of(text, is_plain)) {
    return fail(ErrorCode::kInvalidArgument, "\"{}\" is not the name of a service of PAM", text);
  }
  configuration.pam = text;
  return {};
}

Result<void> read_uri(std::string_view text, Configuration& configuration) {
  if (text.empty()) return fail(ErrorCode::kInvalidArgument, "it is empty");
  configuration.uri = text;
  return {};
}

Result<void> read_body_limit(std::string_view text, Configuration& configuration) {
  COHORT_ASSIGN(const std::uint64_t value, number(text, 1, 64));
  configuration.http_limits.body_bytes = value * kMiB;
  return {};
}

Result<void> read_enumeration_bytes(std::string_view text, Configuration& configuration) {
  COHORT_ASSIGN(const std::uint64_t value, number(text, 1, 4096));
  configuration.enumerations.bytes = value * kMiB;
  return {};
}

// A setting that is read into one member.
#define COHORT_INTO(reader, member) [](std::string_view text, Configuration& c) { return reader(text, c.member); }

constexpr bool kOnce = false, kRepeatable = true;

std::vector<Setting> settings_of_listeners() {
  return {
      {"listen", "http", "127.0.0.1:5985, 127.0.0.1:5988",
       "Addresses and ports for HTTP without TLS, separated by commas, or \"none\". WS-Management (/wsman) and CIM-XML "
       "(/cimom) are answered at each of them. Addresses other than loopback are refused unless plain_everywhere is "
       "set. IPv6 addresses stand in brackets: [::1]:5985.",
       kOnce, COHORT_INTO(read_addresses, http)},
      {"listen", "https", "0.0.0.0:5986, 0.0.0.0:5989", "The same with TLS 1.2 and above. [::] takes IPv4, too.", kOnce,
       COHORT_INTO(read_addresses, https)},
      {"listen", "status", "127.0.0.1:9466",
       "Addresses and ports for /health and /metrics (Prometheus), or \"none\". There is neither TLS nor "
       "authentication: who can reach them learns how many requests and jobs there were, and how long they took.",
       kOnce, COHORT_INTO(read_addresses, status)},
      {"listen", "plain_everywhere", "no",
       "Whether http may have addresses other than loopback. \"encrypted\": yes, but clients there have to negotiate "
       "who "
       "they are, and each message has to be encrypted by what they negotiated, as Windows' clients do by default; no "
       "password is taken there. It needs mechanisms in the section negotiate. \"yes\": passwords and messages cross "
       "the network for everybody to read.",
       kOnce, read_plain},
  };
}

std::vector<Setting> settings_of_tls() {
  return {
      {"tls", "certificate", "",
       "The certificate, with the chain behind it, as PEM. Without, one is made at the first start in the state "
       "folder, tls/certificate.pem; clients have to be told to trust it. SIGHUP reads it again.",
       kOnce, COHORT_INTO(read_optional_path, certificate)},
      {"tls", "key", "", "The certificate's private key, as PEM.", kOnce, COHORT_INTO(read_optional_path, key)},
      {"tls", "names", "",
       "Host names and IP addresses for a certificate that is made, separated by commas; this host's own name if there "
       "are none.",
       kOnce, read_names},
      {"tls", "client_authorities", "",
       "Certificates of authorities, as PEM. A client may then show a certificate of theirs instead of logging in. The "
       "user is the first in the password file that the certificate has the name of, added with \"cohortd user add "
       "NAME --role ROLE --by certificate\": its user principal names, its mail addresses, the common name, or the "
       "whole "
       "subject (CN=ann,O=Example). One of another authority, that has expired or is not for clients ends the "
       "connection. SIGHUP reads it again.",
       kOnce, COHORT_INTO(read_optional_path, clients.authorities)},
      {"tls", "client_revoked", "",
       "Revocation lists, as PEM, one of each authority: without its list, or with one that is out of date, no "
       "certificate of an authority is taken. SIGHUP reads them again.",
       kOnce, COHORT_INTO(read_optional_path, clients.revoked)},
  };
}

std::vector<Setting> settings_of_places() {
  return {
      {"users", "passwords", "/etc/cohort/passwords",
       "The file of users, their roles and the hashes of their passwords, for nobody else to read. \"cohortd user "
       "add\" adds to it. SIGHUP reads it again.",
       kOnce, COHORT_INTO(read_path, passwords)},
      {"users", "pam", "",
       "The service of PAM (a file in /etc/pam.d; cohortd comes with one of its own name) that passwords of this "
       "system's users are held against. A user has to be in the password file, too, with \"cohortd user add NAME "
       "--role ROLE "
       "--by pam\". A module that asks for more than the password lets nobody in. What was right counts for five "
       "minutes.",
       kOnce, read_service},
      {"negotiate", "mechanisms", "none",
       "What clients may negotiate with HTTP's scheme Negotiate (SPNEGO): \"kerberos\", \"ntlm\", both with a comma "
       "between them, or \"none\". The users have to be in the password file, with \"cohortd user add NAME --role ROLE "
       "--by negotiate\": of Kerberos with their realm (ann@EXAMPLE.ORG), of NTLM with their domain in front "
       "(EXAMPLE\\ann). ntlm needs gss-ntlmssp; it is old and weak, and only for clients that cannot do better.",
       kOnce, read_mechanisms},
      {"negotiate", "keytab", "",
       "The file of Kerberos keys (HTTP/HOST@REALM, for Windows' clients WSMAN/HOST@REALM, too), for nobody else to "
       "read; that of the system (/etc/krb5.keytab) if it is not given.",
       kOnce, COHORT_INTO(read_optional_path, negotiate.keytab)},
      {"negotiate", "ntlm_users", "",
       "The file of NTLM's users, lines DOMAIN:USER:PASSWORD with passwords as they are, for nobody else to read. NTLM "
       "needs it.",
       kOnce, COHORT_INTO(read_optional_path, negotiate.ntlm_users)},
      {"rights", "grant", "",
       "A role for one collection, as USER:ROLE:COLLECTION; may be there several times. ROLE is reader, operator or "
       "administrator, COLLECTION a name or UUID. It holds for the collection, what is in it, its snapshots, reference "
       "points and jobs, beside the user's role for all collections, and whichever allows more counts. A user whose "
       "role for all is \"none\" sees nothing else. SIGHUP reads it again.",
       kRepeatable, read_grant},
      {"exports", "root", "",
       "A folder below which clients may have snapshots exported; may be there several times. Without, they can export "
       "nothing. Neither it nor the folders below it that lead to an export may be links, or be writable by "
       "users other than root.",
       kRepeatable, read_root},
      {"hypervisor", "uri", "qemu:///system", "The connection to libvirt.", kOnce, read_uri},
      {"state", "folder", "/var/lib/cohort",
       "The folder of the state: collections, snapshots, jobs. The command \"cohort\" uses the same one; while the "
       "daemon "
       "runs, the daemon carries out what the command is told.",
       kOnce, COHORT_INTO(read_path, state)},
  };
}

std::vector<Setting> settings_of_limits() {
  return {
      {"limits", "connections", "2000",
       "Open connections at each address. For more, the one that has been open for the longest without anybody having "
       "logged in over it is closed; if there is none, the new one is, at once.",
       kOnce, COHORT_INTO((read_number<1, 100'000>), http_limits.connections)},
      {"limits", "workers", "8", "Requests that are worked on at a time.", kOnce,
       COHORT_INTO((read_number<1, 256>), http_limits.workers)},
      {"limits", "waiting", "256", "Requests that wait for a worker; more are answered with 503.", kOnce,
       COHORT_INTO((read_number<1, 100'000>), http_limits.waiting)},
      {"limits", "body_mib", "4", "The longest body of a request, in MiB.", kOnce, read_body_limit},
      {"limits", "idle_seconds", "120", "How long a connection may be silent between two requests.", kOnce,
       COHORT_INTO(read_seconds, http_limits.idle)},
      {"limits", "receiving_seconds", "30", "How long a client may take to send a header or a body.", kOnce,
       COHORT_INTO(read_seconds, http_limits.receiving)},
      {"limits", "sending_seconds", "60", "How long a client may take to receive an answer, or a chunk of one.", kOnce,
       COHORT_INTO(read_seconds, http_limits.sending)},
      {"limits", "question_seconds", "120",
       "How long a question (get, enumerate, associators, query) may take, however long its client would wait.", kOnce,
       COHORT_INTO(read_seconds, operations.question)},
      {"limits", "enumerations", "500",
       "Enumerations that clients have open at a time; beyond, the one that was idle longest ends.", kOnce,
       COHORT_INTO((read_number<1, 100'000>), enumerations.contexts)},
      {"limits", "enumeration_mib", "64",
       "What all open enumerations together may keep in memory, in MiB: some 60 bytes for an object that is found by "
       "its path, more for an association. Beyond, no further one is opened.",
       kOnce, read_enumeration_bytes},
      {"limits", "enumeration_seconds", "120", "How long an enumeration may be idle before it ends.", kOnce,
       COHORT_INTO(read_seconds, enumerations.idle)},
      {"limits", "login_failures", "5",
       "Wrong passwords for one user from one address before it has to wait; ten times as many for all users.", kOnce,
       COHORT_INTO((read_number<1, 1'000'000>), lockout.failures)},
      {"limits", "login_wait_seconds", "60", "How long it has to wait then.", kOnce,
       COHORT_INTO(read_seconds, lockout.duration)},
  };
}

}  // namespace

const std::vector<Setting>& settings() {
  static const std::vector<Setting> all = [] {
    std::vector<Setting> joined = settings_of_listeners();
    for (const auto& part : {settings_of_tls(), settings_of_places(), settings_of_limits()}) {
      joined.insert(joined.end(), part.begin(), part.end());
    }
    return joined;
  }();
  return all;
}

}  // namespace cohort::daemon
