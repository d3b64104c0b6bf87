#include "hypervisor/connection.h"

#include <libvirt/virterror.h>

#include <algorithm>
#include <functional>
#include <thread>
#include <utility>

#include "base/clock.h"

#include "hypervisor/event_loop.h"
#include "hypervisor/libvirt_error.h"

namespace cohort::hypervisor {
namespace {

// A libvirtd that stays silent for 20 seconds counts as lost: its calls then fail instead of hanging.
constexpr int kKeepaliveSeconds = 5;
constexpr unsigned int kKeepaliveCount = 3;

// For a libvirtd that is being restarted.
constexpr Milliseconds kFirstPause{50};
constexpr Milliseconds kLongestPause{1000};
constexpr Milliseconds kPatience{15'000};

bool is_passing(const Error& error) { return error.code == ErrorCode::kHypervisor; }

Error connect_error(const std::string& uri) {
  Error error = libvirt_error(fmt::format(
      "libvirt cannot be reached at {}. Is libvirtd running, and may you use it? Try: virsh -c {} version", uri, uri));
  const int number = virGetLastErrorCode();
  if (number == VIR_ERR_NO_CONNECT || number == VIR_ERR_INVALID_ARG || number == VIR_ERR_CONF_SYNTAX) {
    error.code = ErrorCode::kInvalidArgument;
    error.message = fmt::format("libvirt does not know the URI \"{}\".", uri);
  } else if (error.code != ErrorCode::kPermission) {
    error.code = ErrorCode::kHypervisor;
  }
  return error;
}

// False for drivers inside this process, which have nothing to keep alive.
bool is_kept_alive(virConnectPtr connection) {
  return virConnectSetKeepAlive(connection, kKeepaliveSeconds, kKeepaliveCount) >= 0;
}

Result<ConnectionHandle> connect(const std::string& uri) {
  ConnectionHandle connection(virConnectOpen(uri.c_str()));
  if (!connection) return Failure{connect_error(uri)};
  static_cast<void>(is_kept_alive(connection.get()));
  return connection;
}

Result<ConnectionHandle> another_reference(const ConnectionHandle& connection) {
  if (virConnectRef(connection.get()) != 0) return Failure{libvirt_error("A libvirt connection cannot be shared.")};
  return ConnectionHandle(connection.get());
}

Result<DomainHandle> look_up(virConnectPtr connection, const MachineId& id) {
  DomainHandle domain(virDomainLookupByUUIDString(connection, id.str().c_str()));
  if (domain) return domain;
  Error error = libvirt_error(fmt::format("The machine {} cannot be looked up.", id.str()));
  if (error.code == ErrorCode::kNotFound)
    error.message = fmt::format("There is no machine with the UUID {}.", id.str());
  return Failure{std::move(error)};
}

}  // namespace

Result<std::unique_ptr<ConnectionPool>> ConnectionPool::open(const std::string& uri) {
  ensure_event_loop();
  std::unique_ptr<ConnectionPool> pool(new ConnectionPool(uri));
  // At first nobody is known to come back.
  COHORT_ASSIGN(pool->slots_.front().connection, connect(uri));
  virConnectPtr const first = pool->slots_.front().connection.get();
  if (!is_kept_alive(first) && virConnectIsAlive(first) == 1) pool->used_ = 1;
  return pool;
}

SteadyTime Patience::end() {
  const std::lock_guard lock(mutex_);
  if (!end_) end_ = std::chrono::steady_clock::now() + kPatience;
  return *end_;
}

void Patience::renew() {
  const std::lock_guard lock(mutex_);
  end_.reset();
}

Result<ConnectionHandle> ConnectionPool::connect_patiently() {
  auto opened = connect(uri_);
  Milliseconds pause = kFirstPause;
  while (!opened && is_passing(opened.error()) && std::chrono::steady_clock::now() < patience_.end()) {
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kLongestPause);
    opened = connect(uri_);
  }
  if (opened) patience_.renew();
  return opened;
}

Result<ConnectionHandle> ConnectionPool::connection(std::size_t slot) {
  Slot& at = slots_.at(slot);
  const std::lock_guard lock(at.mutex);
  if (!at.connection || virConnectIsAlive(at.connection.get()) != 1) {
    COHORT_ASSIGN(at.connection, connect_patiently());
  }
  return another_reference(at.connection);
}

Result<DomainHandle> ConnectionPool::domain(const MachineId& id) {
  const std::size_t slot = std::hash<std::string>()(id.str()) % used_;
  COHORT_ASSIGN(ConnectionHandle at, connection(slot));
  auto found = look_up(at.get(), id);
  if (found || virConnectIsAlive(at.get()) == 1) return found;
  // Only this call has shown that the connection is dead: once more, on a new one.
  COHORT_ASSIGN(at, connection(slot));
  return look_up(at.get(), id);
}

Result<std::vector<DomainHandle>> list_domains(virConnectPtr connection) {
  virDomainPtr* list = nullptr;
  const int count = virConnectListAllDomains(connection, &list, 0);
  if (count < 0) return Failure{libvirt_error("The machines of this host cannot be listed.")};
  std::vector<DomainHandle> domains(list, list + count);
  std::free(list);  // NOLINT(cppcoreguidelines-no-malloc): libvirt's contract
  return domains;
}

bool is_connected(virDomainPtr domain) { return virConnectIsAlive(virDomainGetConnect(domain)) == 1; }

Result<std::string> domain_xml(virDomainPtr domain, unsigned int flags) {
  const OwnedText text(virDomainGetXMLDesc(domain, flags));
  if (!text) {
    return Failure{machine_error(domain, "The configuration of the machine \"{}\" cannot be read.")};
  }
  return std::string(text.get());
}

Result<MachineId> id_of(virDomainPtr domain) {
  std::array<char, VIR_UUID_STRING_BUFLEN> text{};
  if (virDomainGetUUIDString(domain, text.data()) != 0) {
    return Failure{libvirt_error("The UUID of a machine cannot be read.")};
  }
  return MachineId::parse(text.data());
}

}  // namespace cohort::hypervisor
