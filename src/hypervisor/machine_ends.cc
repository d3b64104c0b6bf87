#include "hypervisor/machine_ends.h"

#include <algorithm>
#include <utility>

#include "hypervisor/libvirt_error.h"

namespace cohort::hypervisor {
namespace {

using service::MachineEnd;

// Shared with libvirt, which may be in the middle of a callback when the watch is destroyed.
using SharedLog = std::shared_ptr<EndLog>;

void on_event(virConnectPtr /*connection*/, virDomainPtr domain, int event, int detail, void* data) {
  const auto end = end_in_event(event, detail);
  if (!end) return;
  if (const auto id = id_of(domain)) (*static_cast<SharedLog*>(data))->hear(*id, *end);
}

void free_log(void* data) { delete static_cast<SharedLog*>(data); }

class LifeCycleWatch final : public service::EndWatch {
 public:
  LifeCycleWatch(ConnectionHandle connection, SharedLog log)
      : connection_(std::move(connection)), log_(std::move(log)) {}
  LifeCycleWatch(const LifeCycleWatch&) = delete;
  LifeCycleWatch& operator=(const LifeCycleWatch&) = delete;
  // libvirt frees its reference to the log when the last callback has returned.
  ~LifeCycleWatch() override {
    if (registration_ >= 0) virConnectDomainEventDeregisterAny(connection_.get(), registration_);
  }

  Result<void> listen() {
    auto shared = std::make_unique<SharedLog>(log_);
    registration_ = virConnectDomainEventRegisterAny(connection_.get(), nullptr, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                                     VIR_DOMAIN_EVENT_CALLBACK(on_event), shared.get(), free_log);
    if (registration_ < 0) return Failure{libvirt_error("libvirt's events of machines that end cannot be had.")};
    static_cast<void>(shared.release());  // now libvirt's
    return {};
  }

  MachineEnd end_of(const MachineId& machine, Milliseconds patience) override {
    return log_->end_of(machine, patience);
  }

 private:
  ConnectionHandle connection_;
  SharedLog log_;
  int registration_ = -1;
};

}  // namespace

std::optional<MachineEnd> end_in_event(int event, int detail) {
  if (event == VIR_DOMAIN_EVENT_CRASHED) return MachineEnd::kCrashed;
  if (event != VIR_DOMAIN_EVENT_STOPPED) return std::nullopt;
  if (detail == VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN) return MachineEnd::kShutDown;
  const bool is_crash = detail == VIR_DOMAIN_EVENT_STOPPED_CRASHED || detail == VIR_DOMAIN_EVENT_STOPPED_FAILED;
  return is_crash ? MachineEnd::kCrashed : MachineEnd::kStopped;
}

void EndLog::hear(const MachineId& machine, MachineEnd end) {
  if (std::find(machines_.begin(), machines_.end(), machine) == machines_.end()) return;
  const std::lock_guard lock(mutex_);
  ends_.emplace(machine, end);
  changed_.notify_all();
}

MachineEnd EndLog::end_of(const MachineId& machine, Milliseconds patience) const {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [&] { return ends_.contains(machine); });
  const auto found = ends_.find(machine);
  return found == ends_.end() ? MachineEnd::kStopped : found->second;
}

Result<std::unique_ptr<service::EndWatch>> watch_life_cycles(ConnectionHandle connection,
                                                             const std::vector<MachineId>& machines) {
  auto watch = std::make_unique<LifeCycleWatch>(std::move(connection), std::make_shared<EndLog>(machines));
  COHORT_TRY(watch->listen());
  return watch;
}

}  // namespace cohort::hypervisor
