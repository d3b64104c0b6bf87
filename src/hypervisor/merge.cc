#include "hypervisor/merge.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include "base/kill_point.h"
#include "hypervisor/connection.h"
#include "hypervisor/defined_disk.h"
#include "hypervisor/disk_chains.h"
#include "hypervisor/libvirt_error.h"
#include "hypervisor/merge_forgotten.h"
#include "hypervisor/overlay_file.h"
#include "hypervisor/qemu_view.h"

namespace cohort::hypervisor {
namespace {

// Each start and stop of the machine under our hands costs one.
constexpr int kAttempts = 8;
constexpr Milliseconds kPauseAfterEarlyEnd{200};

// Too little room for QEMU to go on.
constexpr std::uint64_t kFull = 1ULL << 20U;

constexpr unsigned int kDefinition = VIR_DOMAIN_XML_INACTIVE;

// The source that the definition's disk should have, or nothing if it is right already.
std::optional<Layer> source_without_overlay(const DomainDisk& disk, const DiskSnapshot& snapshot) {
  if (is_same_file(disk.source, snapshot.overlay)) return snapshot.frozen;
  if (is_in(disk.backing, snapshot.overlay)) return Layer{disk.source, disk.format};
  return std::nullopt;
}

Failure still_used(const MergeRequest& request, const DomainDisk& disk) {
  return fail(ErrorCode::kInvalidState, "The overlay \"{}\" is still used by the disk {} of \"{}\": it is not removed.",
              request.disk.overlay.string(), disk.target, request.machine);
}

bool names(const DomainDisk& disk, const Path& file) {
  return is_same_file(disk.source, file) || is_in(disk.backing, file);
}

// Every disk as the XML tells it, and the snapshot's own disk down to the last header.
Result<void> check_unused(virDomainPtr domain, unsigned int flags, const MergeRequest& request) {
  COHORT_ASSIGN(const DomainDescription description, describe(domain, flags));
  for (const DomainDisk& disk : description.disks) {
    if (names(disk, request.disk.overlay)) return still_used(request, disk);
  }
  const DomainDisk* disk = find_disk(description, request.disk.target);
  if (disk == nullptr) return {};
  COHORT_ASSIGN(const Chain chain, chain_of(*disk));
  if (is_in(chain, request.disk.overlay)) return still_used(request, *disk);
  return {};
}

// libvirt's number for this run of the machine: another one for every start, -1 while it is off.
Result<int> run_of(virDomainPtr domain, const MergeRequest& request) {
  std::array<unsigned char, VIR_UUID_BUFLEN> uuid{};
  virDomainGetUUID(domain, uuid.data());
  const DomainHandle now(virDomainLookupByUUID(virDomainGetConnect(domain), uuid.data()));
  if (now) return static_cast<int>(virDomainGetID(now.get()));
  return Failure{libvirt_error(fmt::format("The state of the machine \"{}\" cannot be read.", request.machine))};
}

// A failure because the machine was started or stopped under our hands is none. libvirt may notice the end of a QEMU a
// little later than we do.
bool has_changed(virDomainPtr domain, int run, const MergeRequest& request) {
  for (const Milliseconds patience : {Milliseconds(0), Milliseconds(100), Milliseconds(400)}) {
    std::this_thread::sleep_for(patience);
    const auto now = run_of(domain, request);
    if (!now || *now != run) return now.has_value();
  }
  return false;
}

// One look and what follows from it.
Result<MergeOutcome> attempt(virDomainPtr domain, MergeRequest& request) {
  COHORT_ASSIGN(const int run_number, run_of(domain, request));
  auto outcome = run_number >= 0 ? merge_live(domain, request) : merge_offline(domain, request);
  if (outcome || outcome.error().code == ErrorCode::kCancelled) return outcome;
  if (has_changed(domain, run_number, request)) return MergeOutcome::kLookAgain;
  return outcome;
}

// What somebody has moved or removed by hand is named, and not what fails because of it.
Result<void> check_files_are_there(const MergeRequest& request) {
  for (const Path& file : {request.disk.overlay, request.disk.frozen.path}) {
    std::error_code code;
    if (std::filesystem::exists(file, code) || code) continue;
    return fail(
        ErrorCode::kNotFound,
        "The file \"{}\" of the disk {} of \"{}\" is not there any more, and nothing is merged: put it back. If "
        "it is lost, a machine that runs has it until it stops: save its disk with virsh blockcopy; then give "
        "the snapshot up with `cohort snapshot delete --forget-only`.",
        file.string(), request.disk.target, request.machine);
  }
  return {};
}

}  // namespace

Failure changed_chain(const MergeRequest& request) {
  return fail(ErrorCode::kInvalidState,
              "The disk {} of \"{}\" no longer stands as the snapshot left it (overlay \"{}\" on \"{}\"): somebody has "
              "changed it, and it is not touched. Bring the disk back to these files, or forget the snapshot and leave "
              "them as they are with `cohort snapshot delete --forget-only`.",
              request.disk.target, request.machine, request.disk.overlay.string(), request.disk.frozen.path.string());
}

Failure ended_early(const MergeRequest& request, const std::string& cause) {
  const Path& frozen = request.disk.frozen.path;
  const bool is_full = free_bytes(frozen).value_or(UINT64_MAX) < kFull;
  Error error = make_error(
      is_full ? ErrorCode::kNoSpace : ErrorCode::kHypervisor,
      "The merge of the disk {} of \"{}\" into \"{}\" ended early: {}. The machine works on with its overlay.",
      request.disk.target, request.machine, frozen.string(),
      is_full ? "its file system is full, make room there" : "see libvirt's log for the cause");
  error.cause = cause;
  return Failure{std::move(error)};
}

Error merge_cancelled(const MergeRequest& request) {
  return make_error(ErrorCode::kCancelled, "The merge of the disk {} of \"{}\" was stopped; the overlay stays in use.",
                    request.disk.target, request.machine);
}

Result<Chain> chain_now(virDomainPtr domain, bool is_live, const MergeRequest& request) {
  COHORT_ASSIGN(const DomainDescription description, describe(domain, is_live ? 0 : kDefinition));
  const DomainDisk* disk = find_disk(description, request.disk.target);
  if (disk == nullptr) return Chain{};
  if (is_live) return chain_of(*disk);
  // The headers are what the next start reads; a chain in the XML may be older.
  return read_image_chain({disk->source, disk->format}).map([](ImageChain&& chain) { return std::move(chain.layers); });
}

Result<void> check_mergeable(virDomainPtr domain, const MergeRequest& request) {
  const bool is_live = virDomainIsActive(domain) == 1;
  auto found = chain_now(domain, is_live, request);
  if (!found) COHORT_TRY(check_files_are_there(request));
  COHORT_ASSIGN(const Chain chain, std::move(found));
  if (is_live) {
    COHORT_ASSIGN(const bool is_stuck, has_dead_job(domain, request.disk.target));
    if (is_stuck) {
      COHORT_ASSIGN(const std::string words, words_of_dead_job(domain, request.machine, request.disk.target));
      return fail(ErrorCode::kInUse, "{}", words);
    }
    COHORT_ASSIGN(const bool has_forgotten, is_forgotten(domain, request, chain));
    if (has_forgotten) return {};
  }
  switch (place_of(request.disk, chain).standing) {
    case Standing::kOnFrozen:
      COHORT_TRY(check_files_are_there(request));
      return check_no_internal_snapshot(request.disk);
    case Standing::kWithout:
      return check_needless(request);
    case Standing::kOtherwise:
      break;
  }
  return changed_chain(request);
}

Result<void> check_needless(const MergeRequest& request) {
  if (request.disk.merged) return {};
  COHORT_ASSIGN(const bool is_needed, holds_more_than_frozen(request.disk, request.stop));
  if (!is_needed) return {};
  return fail(
      ErrorCode::kInvalidState,
      "The disk {} of \"{}\" no longer stands on the overlay \"{}\", which has what the machine wrote since the "
      "snapshot; that is not in \"{}\". Nothing was changed. Define the machine with the overlay as this disk "
      "again (virsh edit \"{}\"), or leave the file as it is with `cohort snapshot delete --forget-only`.",
      request.disk.target, request.machine, request.disk.overlay.string(), request.disk.frozen.path.string(),
      request.machine);
}

Result<void> forget_overlay(virDomainPtr domain, const MergeRequest& request) {
  if (virDomainIsPersistent(domain) != 1) return {};
  COHORT_ASSIGN(const DomainDescription description, describe(domain, kDefinition));
  const DomainDisk* disk = find_disk(description, request.disk.target);
  if (disk == nullptr) return {};
  const auto source = source_without_overlay(*disk, request.disk);
  if (!source) return {};
  return define_source(domain, request.machine, request.disk.target, *source);
}

Result<void> define_on_overlay(virDomainPtr domain, const MergeRequest& request) {
  if (virDomainIsPersistent(domain) != 1) return {};
  COHORT_ASSIGN(const DomainDescription description, describe(domain, kDefinition));
  const DomainDisk* disk = find_disk(description, request.disk.target);
  if (disk == nullptr || !is_same_file(disk->source, request.disk.frozen.path)) return {};
  return define_source(domain, request.machine, request.disk.target, {request.disk.overlay, "qcow2"});
}

Result<MergeOutcome> finish_merge(virDomainPtr domain, const MergeRequest& request) {
  COHORT_TRY(check_unused(domain, 0, request));
  if (virDomainIsPersistent(domain) == 1) COHORT_TRY(check_unused(domain, kDefinition, request));
  kill_point("merge.before_remove");
  COHORT_TRY(remove_overlay_file(request.disk.overlay));
  return MergeOutcome::kDone;
}

Result<void> merge(virDomainPtr domain, MergeRequest& request) {
  Error last = make_error(ErrorCode::kInUse, "The machine \"{}\" is started and stopped all the time: try again later.",
                          request.machine);
  for (int i = 0; i < kAttempts; ++i) {
    auto outcome = attempt(domain, request);
    if (outcome && *outcome == MergeOutcome::kDone) return {};
    if (outcome && *outcome == MergeOutcome::kEndedEarly) {
      last = ended_early(request, {}).value();
      std::this_thread::sleep_for(kPauseAfterEarlyEnd);
    }
    if (outcome) continue;
    // Image locks are also held by a machine that has been stopped since, or by somebody who only has a look.
    if (outcome.error().code != ErrorCode::kInUse) return Failure{std::move(outcome).error()};
    last = std::move(outcome).error();
  }
  return Failure{std::move(last)};
}

}  // namespace cohort::hypervisor
