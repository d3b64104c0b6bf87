#include <libvirt/libvirt.h>

#include <charconv>
#include <cstdint>
#include <string_view>

#include "base/data_file.h"
#include "base/kill_point.h"
#include "base/process.h"
#include "hypervisor/connection.h"
#include "hypervisor/disk_chains.h"
#include "hypervisor/merge.h"
#include "hypervisor/overlay_file.h"
#include "hypervisor/qemu_img_error.h"
#include "hypervisor/qemu_img_progress.h"

namespace cohort::hypervisor {
namespace {

class OfflineMerge {
 public:
  OfflineMerge(virDomainPtr domain, MergeRequest& request) : domain_(domain), request_(request) {}

  Result<MergeOutcome> run() {
    COHORT_TRY(check_no_saved_state());
    COHORT_ASSIGN(const Place place, look());
    if (place.standing == Standing::kOtherwise) return changed_chain(request_);
    if (place.standing == Standing::kWithout) {
      COHORT_TRY(check_needless(request_));
      return settle();
    }
    COHORT_TRY(check_unused());
    COHORT_TRY(request_.mark(false));
    COHORT_TRY(check_no_internal_snapshot(request_.disk));
    kill_point("merge.before_commit");
    COHORT_TRY(commit());
    kill_point("merge.offline_after_commit");
    return place.overlay == 0 ? replace_top() : replace_below(chain_[place.overlay - 1]);
  }

 private:
  Result<void> check_no_saved_state() {
    if (virDomainHasManagedSaveImage(domain_, 0) != 1) return {};
    return fail(ErrorCode::kInvalidState,
                "The machine \"{}\" has a saved state that needs its disks as they are: start it, or drop that state "
                "with virsh managedsave-remove \"{}\".",
                request_.machine, request_.machine);
  }

  // The mark of an earlier merge may tell that a lost machine's disk was switched, and must not be taken back then.
  Result<void> check_unused() {
    for (const Path& file : {request_.disk.overlay, request_.disk.frozen.path}) {
      COHORT_TRY(check_nobody_writes(file, request_.disk.target, request_.machine));
    }
    return {};
  }

  Result<Place> look() {
    COHORT_ASSIGN(chain_, chain_now(domain_, false, request_));
    return place_of(request_.disk, chain_);
  }

  // -d: the overlay keeps its content, so that a machine which starts on it meanwhile finds it.
  Result<void> commit() {
    COHORT_ASSIGN(const std::uint64_t size, size_of_file(request_.disk.overlay));
    COHORT_TRY(run({"qemu-img", "commit", "-p", "-d", "-f", "qcow2", "--", request_.disk.overlay.string()},
                   [&](std::string_view text) {
                     if (const auto fraction = read_qemu_img_progress(text)) {
                       request_.report(static_cast<std::uint64_t>(*fraction * static_cast<double>(size)), size);
                     }
                   }));
    return sync_frozen();
  }

  Result<void> sync_frozen() {
    const auto& [path, format] = request_.disk.frozen;
    COHORT_ASSIGN(const std::string data_file, data_file_of(path, format));
    if (!data_file.empty()) COHORT_TRY(sync_file(data_file));
    return sync_file(path);
  }

  // The overlay is what the machine would start on. From the barrier on it cannot; whoever started before holds QEMU's
  // lock on the overlay, and the barrier fails.
  Result<MergeOutcome> replace_top() {
    COHORT_ASSIGN(const WriteBarrier barrier, WriteBarrier::raise(request_.disk.overlay));
    if (virDomainIsActive(domain_) != 0) return MergeOutcome::kLookAgain;
    COHORT_TRY(request_.mark(true));
    kill_point("merge.offline_marked");
    return settle();
  }

  Result<MergeOutcome> replace_below(const Layer& above) {
    COHORT_TRY(request_.mark(true));
    kill_point("merge.offline_marked");
    COHORT_TRY(run({"qemu-img", "rebase", "-u", "-f", above.format, "-b", request_.disk.frozen.path.string(), "-F",
                    request_.disk.frozen.format, "--", above.path.string()},
                   {}));
    COHORT_TRY(sync_file(above.path));
    kill_point("merge.offline_after_rebase");
    return settle();
  }

  Result<MergeOutcome> settle() {
    COHORT_TRY(forget_overlay(domain_, request_));
    kill_point("merge.offline_after_define");
    if (virDomainIsActive(domain_) != 0) return MergeOutcome::kLookAgain;
    return finish_merge(domain_, request_);
  }

  Result<void> run(const std::vector<std::string>& argv, const std::function<void(std::string_view)>& on_output) {
    auto output = run_process(argv, request_.stop, on_output);
    if (!output && output.error().code == ErrorCode::kCancelled) {
      return fail(ErrorCode::kCancelled, "The merge of the disk {} of \"{}\" was stopped; the overlay stays in use.",
                  request_.disk.target, request_.machine);
    }
    COHORT_TRY(output);
    if (output->exit_status == 0) return {};
    return Failure{
        qemu_img_error(fmt::format("The overlay of the disk {} of \"{}\" cannot be merged into \"{}\".",
                                   request_.disk.target, request_.machine, request_.disk.frozen.path.string()),
                       output->err)};
  }

  virDomainPtr domain_;
  MergeRequest& request_;
  Chain chain_;
};

}  // namespace

Result<MergeOutcome> merge_offline(virDomainPtr domain, MergeRequest& request) {
  return OfflineMerge(domain, request).run();
}

}  // namespace cohort::hypervisor
