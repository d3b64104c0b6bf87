#include "hypervisor/memory.h"

#include <libvirt/virterror.h>

#include <thread>

#include "base/clock.h"
#include "base/file.h"
#include "hypervisor/driver.h"
#include "hypervisor/libvirt_error.h"

namespace cohort::hypervisor {
namespace {

constexpr int kLooks = 100;
constexpr Milliseconds kBetweenLooks{100};

bool is_busy(virDomainPtr domain) {
  virDomainJobInfo job{};
  return virDomainGetJobInfo(domain, &job) == 0 && job.type != VIR_DOMAIN_JOB_NONE;
}

}  // namespace

void break_off_saving(virDomainPtr domain) {
  // Fails where nothing is saved, which is as well.
  if (is_busy(domain)) static_cast<void>(virDomainAbortJob(domain));
}

bool was_restored(virDomainPtr domain, const DomainState& state) {
  return state.state == VIR_DOMAIN_PAUSED && state.reason == VIR_DOMAIN_PAUSED_MIGRATION && !is_busy(domain);
}

Result<void> Driver::stop_saving(const MachineId& id) {
  const auto domain = connections_->domain(id);
  if (!domain && domain.error().code == ErrorCode::kNotFound) return {};
  if (!domain) return Failure{domain.error()};
  break_off_saving(domain->get());
  for (int looks = 0; looks < kLooks; ++looks) {
    if (!is_busy(domain->get())) return {};
    std::this_thread::sleep_for(kBetweenLooks);
  }
  return fail(ErrorCode::kTimeout, "libvirt does not stop saving the memory of \"{}\".",
              virDomainGetName(domain->get()));
}

Result<std::uint64_t> Driver::keep_memory(const Path& file) {
  COHORT_TRY(sync_file(file));
  COHORT_TRY(sync_directory(file.parent_path()));
  return size_of_file(file);
}

Result<void> Driver::remove_memory(const Path& file) { return remove_file(file); }

}  // namespace cohort::hypervisor
