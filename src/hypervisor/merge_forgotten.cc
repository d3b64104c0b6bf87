#include "hypervisor/merge_forgotten.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "base/kill_point.h"
#include "hypervisor/disk_chains.h"
#include "hypervisor/overlay_file.h"
#include "hypervisor/qemu_view.h"

namespace cohort::hypervisor {
namespace {

constexpr Milliseconds kPoll{20};
constexpr std::string_view kStorageDriver = "file";

Result<DomainDisk> described(virDomainPtr domain, const MergeRequest& request) {
  COHORT_ASSIGN(const DomainDescription description, describe(domain, 0));
  const DomainDisk* disk = find_disk(description, request.disk.target);
  if (disk == nullptr) return changed_chain(request);
  return *disk;
}

bool is_active(const QemuDisk& disk, const Path& file) { return is_same_file(disk.chain.front().path, file); }

// What is open in QEMU, those of a format before those of their storage: no node goes before what stands on it.
Result<std::vector<QemuNode>> nodes_of(Monitor& monitor, const Path& file) {
  COHORT_ASSIGN(std::vector<QemuNode> nodes, monitor.nodes());
  std::erase_if(nodes, [&](const QemuNode& node) { return node.file.empty() || !is_same_file(node.file, file); });
  std::ranges::stable_partition(nodes, [](const QemuNode& node) { return node.driver != kStorageDriver; });
  return nodes;
}

class ForgottenMerge {
 public:
  ForgottenMerge(virDomainPtr domain, MergeRequest& request) : domain_(domain), monitor_(domain), request_(request) {}

  Result<void> run() {
    COHORT_ASSIGN(const QemuDisk before, look());
    if (is_active(before, request_.disk.overlay)) {
      // Whatever ends the machine from here on: it starts on the overlay again, mark or no mark.
      COHORT_TRY(define_on_overlay(domain_, request_));
      COHORT_TRY(request_.mark(false));
      COHORT_TRY(commit(before));
    } else {
      COHORT_TRY(check_needless(request_));
    }
    kill_point("merge.forgotten_switched");
    COHORT_ASSIGN(const QemuDisk after, look());
    if (is_in(after.chain, request_.disk.overlay)) return ended_early(request_, {});
    return remove_nodes();
  }

 private:
  Result<QemuDisk> look() {
    COHORT_ASSIGN(const DomainDisk disk, described(domain_, request_));
    return ask_qemu(domain_, request_.machine, disk);
  }

  Result<void> commit(const QemuDisk& disk) {
    COHORT_ASSIGN(const auto running, monitor_.job(job_));
    if (!running) COHORT_TRY(begin(disk));
    kill_point("merge.forgotten_begun");
    return follow();
  }

  Result<void> begin(const QemuDisk& disk) {
    COHORT_TRY(check_no_internal_snapshot(request_.disk));
    COHORT_ASSIGN(auto bases, nodes_of(monitor_, request_.disk.frozen.path));
    std::erase_if(bases, [](const QemuNode& node) { return node.driver == kStorageDriver; });
    // With another device on the frozen file, nobody can tell which of its nodes is this disk's.
    if (bases.size() != 1) return changed_chain(request_);
    return in_words(monitor_.begin_commit(job_, disk.node, bases.front().name));
  }

  // Returns when the job is no more.
  Result<void> follow() {
    for (bool is_ending = false;; std::this_thread::sleep_for(kPoll)) {
      if (request_.stop.stop_requested() && !is_ending) return abandon();
      COHORT_ASSIGN(const auto job, monitor_.job(job_));
      if (!job) return {};
      if (job->status == "concluded") return conclude(*job);
      request_.report(job->done, job->total);
      if (is_ending || job->status != "ready") continue;
      COHORT_TRY(request_.mark(true));
      kill_point("merge.forgotten_marked");
      COHORT_TRY(in_words(monitor_.complete(job_)));
      is_ending = true;
    }
  }

  Result<void> conclude(const QemuJob& job) {
    COHORT_TRY(monitor_.dismiss(job_));
    if (job.error.empty()) return {};
    COHORT_TRY(request_.mark(false));
    return ended_early(request_, job.error);
  }

  Result<void> abandon() {
    // A job that has ended meanwhile is found by the next call.
    COHORT_TRY(in_words(monitor_.cancel(job_)));
    for (;; std::this_thread::sleep_for(kPoll)) {
      COHORT_ASSIGN(const auto job, monitor_.job(job_));
      if (job && job->status != "concluded") continue;
      if (job) COHORT_TRY(monitor_.dismiss(job_));
      return Failure{merge_cancelled(request_)};
    }
  }

  Result<void> remove_nodes() {
    COHORT_ASSIGN(const auto nodes, nodes_of(monitor_, request_.disk.overlay));
    for (const QemuNode& node : nodes) {
      // One that is gone by now was removed by libvirt, which had not forgotten it after all.
      auto removed = monitor_.remove_node(node.name);
      COHORT_ASSIGN(const auto left, nodes_of(monitor_, request_.disk.overlay));
      const bool is_there = std::ranges::any_of(left, [&](const QemuNode& each) { return each.name == node.name; });
      if (is_there) COHORT_TRY(in_words(std::move(removed)));
      kill_point("merge.forgotten_node_removed");
    }
    return {};
  }

  Result<void> in_words(Result<void> told) const {
    if (told) return told;
    told.error().message = fmt::format("The overlay of the disk {} of \"{}\" cannot be merged through QEMU's monitor.",
                                       request_.disk.target, request_.machine);
    return told;
  }

  virDomainPtr domain_;
  Monitor monitor_;
  MergeRequest& request_;
  const std::string job_ = "cohort-merge-" + request_.disk.target;
};

}  // namespace

Result<bool> is_forgotten(virDomainPtr domain, const MergeRequest& request, const Chain& believed) {
  COHORT_ASSIGN(const DomainDisk disk, described(domain, request));
  const bool is_known = is_in(believed, request.disk.overlay);
  // With the mark, a merge has been here: the last of the nodes that it left need not have the file open for writing.
  const bool is_held = !is_known && (request.disk.merged || is_written_to(request.disk.overlay).value_or(true));
  if (!is_held && (disk.has_mirror || fits_locks(believed))) return false;
  COHORT_ASSIGN(const QemuDisk actual, ask_qemu(domain, request.machine, disk));
  if (is_active(actual, believed.front().path)) {
    // A merge that was killed after the switch has left its nodes.
    if (is_held) COHORT_TRY(check_needless(request));
    return is_held;
  }
  if (place_of(request.disk, actual.chain).standing == Standing::kOnFrozen && is_active(actual, request.disk.overlay)) {
    return true;
  }
  return fail(ErrorCode::kInvalidState, "{}",
              words_of_mistake(request.machine, disk.target, believed.front().path, actual.chain.front().path));
}

Result<void> merge_forgotten(virDomainPtr domain, MergeRequest& request) {
  return ForgottenMerge(domain, request).run();
}

}  // namespace cohort::hypervisor
