#include "service/difference_base.h"

#include <algorithm>

#include "base/sha256.h"
#include "package/verify_file.h"
#include "service/frozen_stamps.h"
#include "service/package_images.h"

namespace cohort::service {
namespace {

namespace fs = std::filesystem;

Failure not_usable(ErrorCode code, const Path& directory, const std::string& why) {
  return fail(code, "\"{}\" cannot be the base of a difference: {}", directory.string(), why);
}

// With all links resolved, as the system resolves "..", too.
Result<std::string> path_between(const Path& target, const Path& directory) {
  std::error_code code;
  const Path from = fs::canonical(target.parent_path(), code) / target.filename();
  if (code) return Failure{system_error(code.value(), fmt::format("\"{}\" cannot be looked up.", target.string()))};
  const Path to = fs::canonical(directory, code);
  if (code) return Failure{system_error(code.value(), fmt::format("\"{}\" cannot be looked up.", directory.string()))};
  std::string path = to.lexically_relative(from).string();
  if (package::is_parent_path(path)) return path;
  return not_usable(ErrorCode::kInvalidArgument, directory,
                    fmt::format("\"{}\" could not name it. Let both packages lie in one folder, or in folders beside "
                                "each other (three levels at most), with names without control characters.",
                                target.string()));
}

Result<void> check_manifest(const package::PackageChain& chain, const Snapshot& snapshot, const Path& directory) {
  const package::Manifest& manifest = chain.links.front().manifest();
  if (chain.links.size() >= package::kMaxPackages) {
    return not_usable(ErrorCode::kUnsupported, directory,
                      fmt::format("it stands on {} others. Export without --since.", chain.links.size() - 1));
  }
  if (manifest.collection != snapshot.collection) {
    return not_usable(
        ErrorCode::kInvalidArgument, directory,
        fmt::format("it is of the collection \"{}\" ({}), and the snapshot of \"{}\" ({}).", manifest.collection_name,
                    manifest.collection.str(), snapshot.collection_name, snapshot.collection.str()));
  }
  if (!manifest.has_storage) {
    return not_usable(ErrorCode::kInvalidArgument, directory, "it has no disks (--no-storage).");
  }
  if (manifest.snapshot == snapshot.id) {
    return not_usable(ErrorCode::kInvalidArgument, directory,
                      fmt::format("it is of the same snapshot \"{}\".", snapshot.name));
  }
  return {};
}

Result<Snapshot> find_base(const std::vector<Snapshot>& all, const package::Manifest& manifest,
                           const Snapshot& snapshot, const Path& directory) {
  const auto found = std::ranges::find(all, manifest.snapshot, &Snapshot::id);
  if (found == all.end() || found->state != SnapshotState::kReady) {
    return not_usable(
        ErrorCode::kNotFound, directory,
        fmt::format("its snapshot \"{}\" does not exist any more, so nothing tells what has changed since. "
                    "Export without --since; to export differences, keep the snapshot that was exported "
                    "last, or a reference point of it.",
                    manifest.snapshot_name));
  }
  const bool is_planned = snapshot.state == SnapshotState::kCreating;
  if (is_planned || found->instant < snapshot.instant) return *found;
  return not_usable(ErrorCode::kInvalidArgument, directory,
                    fmt::format("its snapshot \"{}\" is later than \"{}\".", found->name, snapshot.name));
}

}  // namespace

Result<DifferenceBase> DifferenceBase::open(const Path& directory, const Path& target, const Snapshot& snapshot,
                                            StateStore& store) {
  COHORT_ASSIGN(auto chain, package::open_chain(directory));
  COHORT_TRY(package::check_complete(chain));
  COHORT_TRY(check_manifest(chain, snapshot, directory));
  COHORT_ASSIGN(auto all, store.snapshots());
  COHORT_ASSIGN(auto base, find_base(all, chain.links.front().manifest(), snapshot, directory));
  COHORT_ASSIGN(auto path, path_between(target, directory));
  return DifferenceBase(std::move(chain), std::move(path), std::move(base), std::move(all));
}

package::ParentPackage DifferenceBase::parent() const {
  return {path_, Sha256::of(chain_.links.front().file.text), manifest().snapshot, manifest().snapshot_name,
          manifest().instant};
}

tl::expected<const DiskSnapshot*, std::string> DifferenceBase::frozen_disk(const MemberSnapshot& member,
                                                                           const DiskSnapshot& disk) const {
  const auto owner = std::ranges::find(snapshot_.members, member.machine, &MemberSnapshot::machine);
  if (owner == snapshot_.members.end())
    return tl::unexpected<std::string>("The machine was not in the snapshot of the base.");
  const auto base = std::ranges::find(owner->disks, disk.target, &DiskSnapshot::target);
  if (base == owner->disks.end()) return tl::unexpected<std::string>("The disk was not in the snapshot of the base.");
  if (!base->stamp) {
    return tl::unexpected<std::string>(
        fmt::format("It is not known whether \"{}\" is as it was.", base->frozen.path.string()));
  }
  if (const auto unwritten = check_unwritten(snapshot_, *owner, *base, all_); !unwritten) {
    return tl::unexpected<std::string>(unwritten.error().message);
  }
  return &*base;
}

Result<DiskChoice> DifferenceBase::choose(const MemberSnapshot& member, const DiskSnapshot& disk,
                                          const std::string& format, const std::string& file) const {
  const auto whole = [](std::string why) { return DiskChoice{{}, {}, std::move(why)}; };
  if (format != "qcow2") return whole("Only a qcow2 image can be a difference.");
  const package::DiskEntry* base = manifest().find_disk(member.machine, disk.target);
  if (base == nullptr) return whole("The base has no such disk.");
  if (!base->block_hashes) return whole("The base has no block hashes of it.");
  if (base->virtual_size != disk.virtual_size) {
    return whole(fmt::format("It had {} bytes in the base and has {}.", base->virtual_size, disk.virtual_size));
  }
  const auto frozen = frozen_disk(member, disk);
  if (!frozen) return whole(frozen.error());
  // They will be needed by whoever uses the new package.
  COHORT_TRY(check_images(chain_, member.machine, *base));
  const package::PackageFolder& folder = chain_.links.front().folder;
  COHORT_TRY(package::open_entry(folder, *base->block_hashes, nullptr));
  DiskChoice choice;
  choice.parent = package::ParentDisk{path_ + "/" + base->file.file, base->format, base->content_hash};
  package::DiskEntry entry;
  entry.file.file = file;
  entry.parent = choice.parent;
  choice.base = DiskBase{(*frozen)->frozen.path,
                         entry.backing_file().value(),
                         base->format,
                         base->virtual_size,
                         folder.path() / base->block_hashes->file,
                         base->content_hash};
  return choice;
}

}  // namespace cohort::service
