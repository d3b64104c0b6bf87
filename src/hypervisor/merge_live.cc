#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "base/file.h"
#include "base/kill_point.h"
#include "hypervisor/defined_disk.h"
#include "hypervisor/disk_chains.h"
#include "hypervisor/inactive_images.h"
#include "hypervisor/libvirt_error.h"
#include "hypervisor/merge.h"
#include "hypervisor/merge_forgotten.h"
#include "hypervisor/overlay_file.h"
#include "hypervisor/power.h"
#include "hypervisor/qemu_view.h"

#include <libvirt/virterror.h>

namespace cohort::hypervisor {
namespace {

using BlockJob = virDomainBlockJobInfo;

// Short at first, since most overlays hold little.
constexpr Milliseconds kFirstPoll{5};
constexpr Milliseconds kLongestPoll{50};

class LiveMerge {
 public:
  LiveMerge(virDomainPtr domain, MergeRequest& request) : domain_(domain), request_(request) {}

  Result<MergeOutcome> run() {
    COHORT_ASSIGN(const bool is_stuck, has_dead_job(domain_, request_.disk.target));
    if (is_stuck) return leave_to_restart();
    COHORT_ASSIGN(const Place place, look());
    COHORT_ASSIGN(const bool has_forgotten, is_forgotten(domain_, request_, chain_));
    if (has_forgotten) {
      COHORT_TRY(merge_forgotten(domain_, request_));
      return leave();
    }
    if (place.standing == Standing::kOtherwise) return changed_chain(request_);
    if (place.standing == Standing::kWithout) COHORT_TRY(check_needless(request_));
    if (place.standing == Standing::kOnFrozen) {
      COHORT_TRY(request_.mark(false));
      is_top_ = place.overlay == 0;
      COHORT_ASSIGN(const MergeOutcome outcome, commit());
      if (outcome != MergeOutcome::kDone) return outcome;
    }
    return leave();
  }

 private:
  Result<MergeOutcome> leave() {
    COHORT_TRY(forget_overlay(domain_, request_));
    return finish_merge(domain_, request_);
  }

  // Nothing can be done while the machine runs but to see to it that it starts on the file that QEMU is on.
  Result<MergeOutcome> leave_to_restart() {
    COHORT_ASSIGN(const DomainDescription running, describe(domain_, 0));
    const DomainDisk* disk = find_disk(running, request_.disk.target);
    if (disk == nullptr) return changed_chain(request_);
    COHORT_ASSIGN(const QemuDisk actual, ask_qemu(domain_, request_.machine, *disk));
    const Layer& active = actual.chain.front();
    if (!is_same_file(active.path, disk->source)) {
      if (virDomainIsPersistent(domain_) != 1) {
        return fail(ErrorCode::kInvalidState, "{}",
                    words_of_mistake(request_.machine, disk->target, disk->source, active.path));
      }
      COHORT_TRY(define_source(domain_, request_.machine, disk->target, active));
      // Only a commit that was complete ends with this switch.
      const bool is_merged =
          is_same_file(disk->source, request_.disk.overlay) && is_same_file(active.path, request_.disk.frozen.path);
      if (is_merged) COHORT_TRY(request_.mark(true));
    } else if (is_same_file(active.path, request_.disk.overlay)) {
      COHORT_TRY(request_.mark(false));
    }
    COHORT_ASSIGN(const std::string words, words_of_dead_job(domain_, request_.machine, disk->target));
    return fail(ErrorCode::kInvalidState, "{}", words);
  }

  Result<Place> look() {
    COHORT_ASSIGN(chain_, chain_now(domain_, true, request_));
    return place_of(request_.disk, chain_);
  }

  Result<MergeOutcome> commit() {
    COHORT_ASSIGN(const auto job, current_job());
    // An intermediate commit: ours of before a crash, or another's. libvirt does not tell; either way it ends by
    // itself.
    if (job && job->type == VIR_DOMAIN_BLOCK_JOB_TYPE_COMMIT) return wait_for_other();
    if (job) {
      COHORT_TRY(join(*job));
    } else {
      COHORT_TRY(begin());
    }
    COHORT_TRY(follow());
    kill_point("merge.after_commit");
    COHORT_ASSIGN(const Place place, look());
    if (place.standing != Standing::kWithout) return MergeOutcome::kEndedEarly;
    // QEMU ends the commit of a layer that it does not write to by itself, with the switch. Who dies before this mark
    // finds nothing in the overlay that is not in the frozen file. The commit of the active file ends with our marked
    // pivot, or somebody else has meddled.
    if (is_top_) COHORT_TRY(check_needless(request_));
    COHORT_TRY(request_.mark(true));
    return MergeOutcome::kDone;
  }

  Result<std::optional<BlockJob>> current_job() {
    BlockJob job{};
    const int found = virDomainGetBlockJobInfo(domain_, target(), &job, 0);
    if (found < 0) return Failure{error("The block job of the disk {} of \"{}\" cannot be read.")};
    return found == 1 ? std::optional(job) : std::nullopt;
  }

  Result<MergeOutcome> wait_for_other() {
    for (;;) {
      if (request_.stop.stop_requested()) return Failure{merge_cancelled(request_)};
      COHORT_ASSIGN(const auto job, current_job());
      if (!job) return MergeOutcome::kLookAgain;
      request_.report(job->cur, job->end);
      std::this_thread::sleep_for(kLongestPoll);
    }
  }

  // A commit of just this overlay that runs already is one that we began before a crash.
  Result<void> join(const BlockJob& job) {
    if (job.type == VIR_DOMAIN_BLOCK_JOB_TYPE_ACTIVE_COMMIT && is_top_) {
      COHORT_ASSIGN(const Path mirror, mirror_of(domain_, request_.disk.target));
      if (mirror.empty()) return half_forgotten();
      if (is_same_file(mirror, request_.disk.frozen.path)) return {};
    }
    return fail(ErrorCode::kInvalidState,
                "Another block job runs on the disk {} of \"{}\": wait for it, or end it with "
                "virsh blockjob \"{}\" {} --abort.",
                request_.disk.target, request_.machine, request_.machine, request_.disk.target);
  }

  // libvirt 9.0 dies of every attempt to end such a job (docs/lessons.md, 14).
  [[nodiscard]] Failure half_forgotten() const {
    return fail(
        ErrorCode::kInvalidState,
        "libvirtd was killed when it began to merge the disk {} of \"{}\", and does not know whereto any more: "
        "the merge cannot be ended while the machine runs. Nothing is lost. Shut the machine down, and start it "
        "again when the snapshot is deleted.",
        request_.disk.target, request_.machine);
  }

  Result<void> begin() {
    COHORT_TRY(check_no_internal_snapshot(request_.disk));
    COHORT_TRY(let_write());
    kill_point("merge.before_commit");
    // Top and base are always named: without them libvirt would merge the whole chain. The names are libvirt's own.
    const std::string top = spelled(request_.disk.overlay);
    const std::string base = spelled(request_.disk.frozen.path);
    const unsigned int flags = is_top_ ? VIR_DOMAIN_BLOCK_COMMIT_ACTIVE : 0;
    if (virDomainBlockCommit(domain_, target(), base.c_str(), top.c_str(), 0, flags) != 0) {
      return Failure{error("The overlay of the disk {} of \"{}\" cannot be merged.")};
    }
    return {};
  }

  // Who died between a paused machine's snapshot with memory and the step after it has left its images given up.
  Result<void> let_write() {
    COHORT_ASSIGN(const DomainState state, state_of(domain_));
    return state.power() == PowerState::kPaused ? take_images_back(domain_) : Result<void>();
  }

  // As the chain in the XML spells the file.
  [[nodiscard]] std::string spelled(const Path& file) const {
    for (const Layer& layer : chain_) {
      if (is_same_file(layer.path, file)) return layer.path.string();
    }
    return file.string();
  }

  // Returns when the job is no more.
  Result<void> follow() {
    Milliseconds poll = kFirstPoll;
    for (;;) {
      if (request_.stop.stop_requested()) return abandon();
      COHORT_ASSIGN(const auto job, current_job());
      if (!job) return {};
      request_.report(job->cur, job->end);
      // libvirt makes both equal only when an active commit is ready.
      if (is_top_ && job->end > 0 && job->cur == job->end) {
        COHORT_ASSIGN(const bool is_done, pivot());
        if (is_done) return {};
      }
      std::this_thread::sleep_for(poll);
      poll = std::min(poll * 2, kLongestPoll);
    }
  }

  // False if the job is not ready after all.
  Result<bool> pivot() {
    COHORT_TRY(request_.mark(true));
    kill_point("merge.before_pivot");
    if (virDomainBlockJobAbort(domain_, target(), VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT) == 0) return true;
    if (virGetLastErrorCode() != VIR_ERR_BLOCK_COPY_ACTIVE) {
      return Failure{error("The disk {} of \"{}\" cannot be switched to the merged file.")};
    }
    COHORT_TRY(request_.mark(false));
    return false;
  }

  // A job that has come to its end meanwhile cannot be stopped, and need not be.
  Result<void> abandon() {
    if (virDomainBlockJobAbort(domain_, target(), 0) == 0) return Failure{merge_cancelled(request_)};
    Error failure = error("The merge of the disk {} of \"{}\" cannot be stopped.");
    COHORT_ASSIGN(const auto job, current_job());
    return job ? Result<void>(Failure{std::move(failure)}) : Result<void>();
  }

  // `sentence` has places for the disk and the machine.
  Error error(fmt::format_string<const std::string&, const std::string&> sentence) const {
    return libvirt_error(fmt::format(sentence, std::as_const(request_.disk.target), std::as_const(request_.machine)));
  }

  [[nodiscard]] const char* target() const { return request_.disk.target.c_str(); }

  virDomainPtr domain_;
  MergeRequest& request_;
  Chain chain_;
  bool is_top_ = false;  // the machine writes to this very overlay
};

}  // namespace

Result<MergeOutcome> merge_live(virDomainPtr domain, MergeRequest& request) { return LiveMerge(domain, request).run(); }

}  // namespace cohort::hypervisor
