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

constexpr std::uint64_t kMaxHashList = 32U << 20U;

// The names that a seal makes files of, the lists of block hashes first; kCorrupt if the manifest has another use for
// one.
Result<std::vector<std::string>> names_of_seal(const Manifest& manifest) {
  std::vector<std::string> names;
  for (const auto& machine : manifest.machines) {
    for (const auto& disk : machine.disks) {
      if (!disk.is_sealed()) names.push_back(block_hashes_file(machine.name, disk.target));
    }
  }
  for (const auto name : {kHashListName, kManifestName}) names.push_back(PackageFolder::new_name(name));
  const auto files = manifest.files();
  for (const auto& name : names) {
    const bool is_used = std::ranges::any_of(
        files, [&](const FileEntry* entry) { return entry->file == name || entry->file.starts_with(name + "/"); });
    if (!is_used && is_safe_path(name)) continue;
    return fail(ErrorCode::kCorrupt, "The manifest has another use for the name \"{}\".", name);
  }
  return names;
}

class Sealing {
 public:
  Sealing(const PackageFolder& folder, Manifest manifest, const std::stop_token& stop,
          const std::function<void(std::uint64_t)>& on_read)
      : folder_(folder), manifest_(std::move(manifest)), stop_(stop), on_read_(on_read) {}

  Result<Manifest> run(WallTime now) {
    COHORT_ASSIGN(const auto names, names_of_seal(manifest_));
    for (const auto& name : names) COHORT_TRY(folder_.clear_place(name));
    for (auto& machine : manifest_.machines) COHORT_TRY(hash_disks(machine));
    manifest_.sealed = now;
    manifest_.format_version = manifest_.needed_version();
    COHORT_TRY(write());
    return std::move(manifest_);
  }

 private:
  Result<void> hash_disks(MachineEntry& machine) {
    for (auto& disk : machine.disks) {
      if (!disk.is_sealed()) COHORT_TRY(hash(machine, disk));
    }
    return {};
  }

  Result<void> hash(const MachineEntry& machine, DiskEntry& disk) {
    const std::string list = block_hashes_file(machine.name, disk.target);
    COHORT_ASSIGN(const UniqueFd image, open_entry(folder_, disk.file, &disk));
    COHORT_ASSIGN(const NewPlace place, folder_.clear_place(list));
    auto hashed = disk::hash_image(path_of(image), disk.format, place.path, stop_, on_read_);
    if (!hashed) {
      std::string& words = hashed.error().message;
      words = with_own_name(std::move(words), image, disk.file.file);
      words = with_own_name(std::move(words), place.folder, Path(list).parent_path().string());
      return Failure{std::move(hashed).error()};
    }
    adopt_owner(image, place.path);
    COHORT_TRY(sync_directory(path_of(place.folder)));
    hashed->content.keep();
    disk.file.sha256 = std::move(hashed->sha256);
    disk.content_hash = std::move(hashed->disk.content_hash);
    disk.block_hashes = FileEntry{list, hashed->disk.list_bytes, disk.content_hash};
    return {};
  }

  Result<void> write() const {
    const std::string text = format_manifest(manifest_);
    COHORT_TRY(parse_manifest(text));
    kill_point("seal.before_list");
    if (stop_.stop_requested()) return fail(ErrorCode::kCancelled, "Cancelled before the manifest was written.");
    COHORT_TRY(folder_.replace(std::string(kHashListName), format_hash_list(manifest_, text)));
    kill_point("seal.before_manifest");
    return folder_.replace(std::string(kManifestName), text);
  }

  const PackageFolder& folder_;
  Manifest manifest_;
  const std::stop_token& stop_;
  const std::function<void(std::uint64_t)>& on_read_;
};

// A folder is not what a seal has made. True if there was something.
Result<bool> remove_made(const PackageFolder& folder, const std::string& name) {
  const auto opened = folder.open_file(name);
  if (!opened && opened.error().code == ErrorCode::kNotFound) return false;
  const auto cleared = folder.clear_place(name);
  if (!cleared && cleared.error().code == ErrorCode::kInvalidState) return false;
  if (!cleared) return Failure{cleared.error()};
  return true;
}

}  // namespace

Result<Manifest> seal(const Path& package, const Manifest& verified, WallTime now, const std::stop_token& stop,
                      const std::function<void(std::uint64_t bytes)>& on_read) {
  COHORT_ASSIGN(const PackageFolder folder, PackageFolder::open(package));
  COHORT_TRY(folder.lock());
  COHORT_ASSIGN(ManifestFile file, read_manifest_file(folder));
  if (format_manifest(file.manifest) != format_manifest(verified)) {
    return fail(ErrorCode::kCorrupt, "The manifest of the package has changed since it was verified.");
  }
  if (file.manifest.is_sealed()) return std::move(file.manifest);
  return Sealing(folder, std::move(file.manifest), stop, on_read).run(now);
}

Result<bool> undo_seal(const Path& package) {
  COHORT_ASSIGN(const PackageFolder folder, PackageFolder::open(package));
  COHORT_TRY(folder.lock());
  COHORT_ASSIGN(const ManifestFile file, read_manifest_file(folder));
  if (file.manifest.is_sealed()) return false;
  const auto names = names_of_seal(file.manifest);
  if (!names) return false;  // and so it was not begun
  bool has_done = false;
  for (const auto& name : *names) {
    COHORT_ASSIGN(const bool was_there, remove_made(folder, name));
    has_done = has_done || was_there;
  }
  const std::string expected = format_hash_list(file.manifest, file.text);
  COHORT_ASSIGN(const std::string found, folder.read(std::string(kHashListName), kMaxHashList));
  if (found == expected) return has_done;
  COHORT_TRY(folder.replace(std::string(kHashListName), expected));
  return true;
}

}  // namespace cohort::package
