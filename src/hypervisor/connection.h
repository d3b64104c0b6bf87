// Connections to libvirt, and its handles with one owner.
#pragma once

#include <libvirt/libvirt.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "domain/ids.h"

namespace cohort::hypervisor {

struct ConnectionCloser {
  void operator()(virConnect* connection) const { virConnectClose(connection); }
};
struct DomainFreer {
  void operator()(virDomain* domain) const { virDomainFree(domain); }
};
struct TextFreer {
  void operator()(char* text) const { std::free(text); }  // NOLINT(cppcoreguidelines-no-malloc): libvirt's rule
};
using ConnectionHandle = std::unique_ptr<virConnect, ConnectionCloser>;
using DomainHandle = std::unique_ptr<virDomain, DomainFreer>;
// Text that libvirt allocated.
using OwnedText = std::unique_ptr<char, TextFreer>;

// How long to wait for something that is away: once for all who wait, not for each anew.
//
// Threads: safe to use from several.
class Patience {
 public:
  // When it ends; it begins with the first that asks.
  [[nodiscard]] SteadyTime end();
  // What was away is back.
  void renew();

 private:
  std::mutex mutex_;
  std::optional<SteadyTime> end_;
};

// Several connections to one libvirtd, which runs at most five calls of a connection at a time. A machine always uses
// the same one. A connection that was lost is opened again by the next call. All of them together wait up to 15 seconds
// for a libvirtd that is being restarted; from then on each fails at once, until one finds it back. A driver inside
// this process (libvirt's test driver) has one connection: each would have machines of its own, and read them anew.
//
// Threads: safe to use from several.
class ConnectionPool {
 public:
  // Opens the first connection; the others follow when they are needed. Errors as open_libvirt().
  [[nodiscard]] static Result<std::unique_ptr<ConnectionPool>> open(const std::string& uri);

  [[nodiscard]] const std::string& uri() const { return uri_; }
  [[nodiscard]] Result<ConnectionHandle> any() { return connection(0); }
  // kNotFound if there is no such machine.
  [[nodiscard]] Result<DomainHandle> domain(const MachineId& id);

 private:
  static constexpr std::size_t kConnections = 8;
  struct Slot {
    std::mutex mutex;
    ConnectionHandle connection;
  };

  explicit ConnectionPool(std::string uri) : uri_(std::move(uri)) {}
  [[nodiscard]] Result<ConnectionHandle> connection(std::size_t slot);
  [[nodiscard]] Result<ConnectionHandle> connect_patiently();

  std::string uri_;
  Patience patience_;
  std::size_t used_ = kConnections;
  std::array<Slot, kConnections> slots_;
};

// All domains that there are now.
[[nodiscard]] Result<std::vector<DomainHandle>> list_domains(virConnectPtr connection);
// Whether libvirtd still answers on the connection of this domain.
[[nodiscard]] bool is_connected(virDomainPtr domain);
// libvirt's XML of a domain; `flags` of virDomainXMLFlags.
[[nodiscard]] Result<std::string> domain_xml(virDomainPtr domain, unsigned int flags);
[[nodiscard]] Result<MachineId> id_of(virDomainPtr domain);

}  // namespace cohort::hypervisor
