#include "hypervisor/pauses.h"

#include <libvirt/libvirt-qemu.h>

#include <utility>

#include "hypervisor/libvirt_error.h"

namespace cohort::hypervisor {
namespace {

// Shared with libvirt, which may be in the middle of a callback when the watch is destroyed.
using SharedLog = std::shared_ptr<PauseLog>;

void on_event(virConnectPtr /*connection*/, virDomainPtr domain, const char* event, long long seconds,
              unsigned int micros, const char* /*details*/, void* data) {
  const auto id = id_of(domain);
  if (!id) return;
  const WallTime at{std::chrono::seconds(seconds) + Microseconds(micros)};
  (*static_cast<SharedLog*>(data))->hear(*id, event, at);
}

void free_log(void* data) { delete static_cast<SharedLog*>(data); }

class QemuPauseWatch final : public service::PauseWatch {
 public:
  QemuPauseWatch(ConnectionHandle connection, SharedLog log)
      : connection_(std::move(connection)), log_(std::move(log)) {}
  QemuPauseWatch(const QemuPauseWatch&) = delete;
  QemuPauseWatch& operator=(const QemuPauseWatch&) = delete;
  // libvirt frees its reference to the log when the last callback has returned.
  ~QemuPauseWatch() override {
    if (registration_ >= 0) virConnectDomainQemuMonitorEventDeregister(connection_.get(), registration_);
  }

  Result<void> listen() {
    auto shared = std::make_unique<SharedLog>(log_);
    registration_ =
        virConnectDomainQemuMonitorEventRegister(connection_.get(), nullptr, "^(STOP|RESUME)$", on_event, shared.get(),
                                                 free_log, VIR_CONNECT_DOMAIN_QEMU_MONITOR_EVENT_REGISTER_REGEX);
    if (registration_ < 0) return Failure{libvirt_error("QEMU's pause events cannot be had.")};
    static_cast<void>(shared.release());  // now libvirt's
    return {};
  }

  std::optional<Pause> pause_of(const MachineId& machine, Milliseconds patience) override {
    return log_->pause_of(machine, patience);
  }
  bool has_resumed(const MachineId& machine) const override { return log_->has_resumed(machine); }

 private:
  ConnectionHandle connection_;
  SharedLog log_;
  int registration_ = -1;
};

class BlindPauseWatch final : public service::PauseWatch {
 public:
  std::optional<Pause> pause_of(const MachineId& /*machine*/, Milliseconds /*patience*/) override { return {}; }
  bool has_resumed(const MachineId& /*machine*/) const override { return false; }
};

}  // namespace

PauseLog::PauseLog(const std::vector<MachineId>& machines) {
  for (const MachineId& machine : machines) heard_.emplace(machine, Heard{});
}

void PauseLog::hear(const MachineId& machine, std::string_view event, WallTime at) {
  const std::lock_guard lock(mutex_);
  const auto found = heard_.find(machine);
  if (found == heard_.end()) return;
  Heard& heard = found->second;
  if (event == "STOP") heard.stopped = at;
  if (event != "RESUME") return;
  heard.has_resumed = true;
  if (heard.stopped) {
    heard.pause = Pause{*std::exchange(heard.stopped, std::nullopt), at};
    changed_.notify_all();
  }
}

std::optional<Pause> PauseLog::pause_of(const MachineId& machine, Milliseconds patience) const {
  std::unique_lock lock(mutex_);
  const auto found = heard_.find(machine);
  if (found == heard_.end()) return {};
  const Heard& heard = found->second;
  changed_.wait_for(lock, patience, [&heard] { return heard.pause && !heard.stopped; });
  return heard.pause;
}

bool PauseLog::has_resumed(const MachineId& machine) const {
  const std::lock_guard lock(mutex_);
  const auto found = heard_.find(machine);
  return found != heard_.end() && found->second.has_resumed;
}

Result<std::unique_ptr<service::PauseWatch>> watch_qemu_events(ConnectionHandle connection,
                                                               const std::vector<MachineId>& machines) {
  auto watch = std::make_unique<QemuPauseWatch>(std::move(connection), std::make_shared<PauseLog>(machines));
  COHORT_TRY(watch->listen());
  return watch;
}

std::unique_ptr<service::PauseWatch> watch_nothing() { return std::make_unique<BlindPauseWatch>(); }

}  // namespace cohort::hypervisor
