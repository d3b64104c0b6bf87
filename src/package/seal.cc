#include "package/seal.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/kill_point.h"
#include "disk/hash_image.h"
#include "package/layout.h"
#include "package/manifest_file.h"
#include "package/verify_file.h"
#include "package/writer.h"

namespace cohort::package {
namespace {

// Where the list of a disk's block hashes goes; kCorrupt if the manifest has another use for the name.
Result<std::string> free_list_name(const Manifest& manifest, const MachineEntry& machine, const DiskEntry& disk) {
  std::string list = block_hashes_file(machine.name, disk.target);
  const bool is_free = is_safe_path(list) && std::ranges::none_of(manifest.files(), [&](const FileEntry* entry) {
                         return entry->file == list || entry->file.starts_with(list + "/");
                       });
  if (is_free) return list;
  return fail(ErrorCode::kCorrupt, "The manifest has another use for the name \"{}\".", list);
}

class Sealing {
 public:
  Sealing(const PackageFolder& folder, Manifest manifest, const std::stop_token& stop,
          const std::function<void(std::uint64_t)>& on_read)
      : folder_(folder), manifest_(std::move(manifest)), stop_(stop), on_read_(on_read) {}

  Result<Manifest> run(WallTime now) {
    for (auto& machine : manifest_.machines) {
      for (auto& disk : machine.disks) {
        if (!disk.is_sealed()) COHORT_TRY(hash(machine, disk));
      }
    }
    manifest_.sealed = now;
    manifest_.format_version = manifest_.needed_version();
    COHORT_TRY(write());
    for (auto& list : lists_) list.content.keep();
    return std::move(manifest_);
  }

 private:
  // Removed with it, unless it is kept.
  struct List {
    NewPlace place;
    disk::ContentHash content;
  };

  Result<void> hash(const MachineEntry& machine, DiskEntry& disk) {
    COHORT_ASSIGN(const std::string list, free_list_name(manifest_, machine, disk));
    COHORT_ASSIGN(const UniqueFd image, open_entry(folder_, disk.file, &disk));
    COHORT_ASSIGN(NewPlace place, folder_.clear_place(list));
    auto hashed = disk::hash_image(path_of(image), disk.format, place.path, stop_, on_read_);
    if (!hashed) {
      hashed.error().message = with_own_name(hashed.error().message, image, disk.file.file);
      return Failure{std::move(hashed).error()};
    }
    disk.file.sha256 = std::move(hashed->sha256);
    disk.content_hash = std::move(hashed->disk.content_hash);
    disk.block_hashes = FileEntry{list, hashed->disk.list_bytes, disk.content_hash};
    COHORT_TRY(sync_directory(path_of(place.folder)));
    lists_.push_back({std::move(place), std::move(hashed->content)});
    return {};
  }

  Result<void> write() const {
    const std::string text = format_manifest(manifest_);
    COHORT_TRY(parse_manifest(text));
    kill_point("seal.before_list");
    COHORT_TRY(folder_.replace(std::string(kHashListName), format_hash_list(manifest_, text)));
    kill_point("seal.before_manifest");
    return folder_.replace(std::string(kManifestName), text);
  }

  const PackageFolder& folder_;
  Manifest manifest_;
  const std::stop_token& stop_;
  const std::function<void(std::uint64_t)>& on_read_;
  std::vector<List> lists_;
};

}  // namespace

Result<Manifest> seal(const Path& package, WallTime now, const std::stop_token& stop,
                      const std::function<void(std::uint64_t bytes)>& on_read) {
  COHORT_ASSIGN(const PackageFolder folder, PackageFolder::open(package));
  COHORT_ASSIGN(ManifestFile file, read_manifest_file(folder));
  return Sealing(folder, std::move(file.manifest), stop, on_read).run(now);
}

Result<bool> undo_seal(const Path& package) {
  COHORT_ASSIGN(const PackageFolder folder, PackageFolder::open(package));
  COHORT_ASSIGN(const ManifestFile file, read_manifest_file(folder));
  if (file.manifest.is_sealed()) return false;
  for (const auto& machine : file.manifest.machines) {
    for (const auto& disk : machine.disks) {
      if (disk.is_sealed()) continue;
      COHORT_ASSIGN(const std::string list, free_list_name(file.manifest, machine, disk));
      COHORT_TRY(folder.clear_place(list));
    }
  }
  COHORT_TRY(folder.clear_new(kManifestName));
  COHORT_TRY(folder.replace(std::string(kHashListName), format_hash_list(file.manifest, file.text)));
  return true;
}

}  // namespace cohort::package
