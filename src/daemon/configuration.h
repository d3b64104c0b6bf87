// What the daemon is told by its configuration file: lines "key = value" below headings "[section]".
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "daemon/cim_server.h"
#include "daemon/rights.h"
#include "http/gss.h"
#include "http/lockout.h"
#include "http/server.h"
#include "provider/enumerations.h"

namespace cohort::daemon {

// Where requests are taken: an IP address and a port, 0 for any that is free.
struct Address {
  std::string ip;
  std::uint16_t port = 0;
};
// "127.0.0.1:5985", "[::1]:5985".
[[nodiscard]] std::string to_string(const Address& address);

struct Setting;
struct GivenValue {
  const Setting* setting;
  std::string value;
};

struct Configuration {
  std::vector<Address> http, https, status;
  http::PlainHttp plain = http::PlainHttp::kLoopback;
  Path certificate, key;             // both empty: made in the state folder
  http::ClientCertificates clients;  // without authorities none is asked for
  std::vector<std::string> names;    // of this host, for a certificate that is made; empty: the host's own name
  Path passwords;
  std::string pam;  // the service; empty: users of this system are not asked for
  http::GssOptions negotiate;
  std::vector<Grant> grants;
  std::vector<Path> export_roots;
  std::string uri;
  Path state;
  http::ServerLimits http_limits;
  http::Lockout::Limits lockout;
  provider::EnumerationLimits enumerations;
  CimServer::Limits operations;
  Path file;                       // it was read from; empty if from none
  std::vector<GivenValue> values;  // of all settings, in the manual's order, as they were given or are by default
};

// A setting of the file: what the manual and a printed configuration say of it, and how it is read.
struct Setting {
  std::string_view section, key;
  std::string_view usual;  // its value when the file does not have it
  std::string_view help;
  bool is_repeatable;
  // Adds to `configuration`. Fails with kInvalidArgument; the sentence names neither file nor line.
  Result<void> (*read)(std::string_view value, Configuration& configuration);
};

// In the order of the manual.
[[nodiscard]] const std::vector<Setting>& settings();

// `name` is the file's, for errors. Fails with kInvalidArgument and the number of the line: a section or a key that
// there is not, a key twice, a value that does not fit, a line that is none of all.
[[nodiscard]] Result<Configuration> parse_configuration(std::string_view text, const std::string& name);
// The same of a file: as read_file fails, too. A file of the usual name that is not there says nothing.
[[nodiscard]] Result<Configuration> read_configuration(const Path& path);

inline constexpr std::string_view kUsualConfiguration = "/etc/cohort/cohortd.conf";

// A file with all settings at their usual values, and what they are for, as comments.
[[nodiscard]] std::string example_configuration();
// The same settings with the values that count, for people to look at; it reads as the same configuration.
[[nodiscard]] std::string to_text(const Configuration& configuration);

}  // namespace cohort::daemon
