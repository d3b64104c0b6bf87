#include "service/base_package.h"

#include <algorithm>
#include <optional>

#include "package/layout.h"
#include "package/package_chain.h"
#include "service/package_images.h"
#include "service/stored_packages.h"

namespace cohort::service {
namespace {

namespace fs = std::filesystem;

// Of the name of `target`, in the folders beside its own: what --subdirectory makes, night for night.
std::vector<Path> namesakes_of(const Path& target) {
  std::vector<Path> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(target.parent_path().parent_path(), ignored)) {
    if (entry.path() == target.parent_path()) continue;
    Path path = entry.path() / target.filename();
    if (!entry.is_symlink(ignored) && fs::exists(path / package::kManifestName, ignored)) {
      found.push_back(std::move(path));
    }
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace

bool can_be_named(const Path& package) { return package::is_parent_path("../" + package.filename().string()); }

Result<std::vector<BaseCandidate>> base_candidates(const std::vector<Path>& folders, const CollectionId& collection,
                                                   const std::stop_token& stop) {
  std::vector<BaseCandidate> candidates;
  for (const auto& path : folders) {
    if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "Cancelled while looking for the base.");
    std::error_code ignored;
    if (fs::is_symlink(path, ignored) || !can_be_named(path)) continue;
    auto opened = package::open_alone(path);
    if (!opened && (opened.error().code == ErrorCode::kIo || opened.error().code == ErrorCode::kPermission)) {
      return Failure{opened.error()};
    }
    if (!opened || opened->links.front().manifest().collection != collection) continue;
    candidates.push_back({path, opened->links.front().manifest()});
  }
  return candidates;
}

tl::expected<std::size_t, std::string> depth_of(const BaseCandidate& candidate) {
  const auto no = [](std::string why) { return tl::unexpected<std::string>(std::move(why)); };
  if (!candidate.manifest.has_storage) return no("it has no disks.");
  if (!candidate.manifest.is_sealed()) return no("its disks have no hash yet (cohort verify --seal).");
  const auto chain = package::open_chain(candidate.package);
  if (!chain) return no(chain.error().message);
  if (const auto complete = package::check_complete(*chain); !complete) return no(complete.error().message);
  if (chain->links.size() >= package::kMaxPackages) {
    return no(fmt::format("it stands on {} others.", chain->links.size() - 1));
  }
  for (const auto& machine : candidate.manifest.machines) {
    for (const auto& disk : machine.disks) {
      const auto checked = check_images(*chain, machine.id, disk);
      if (!checked) return no(checked.error().message);
    }
  }
  return chain->links.size() - 1;
}

Result<Path> find_package_of(const Snapshot& base, const Path& target, const std::stop_token& stop) {
  COHORT_ASSIGN(auto folders, package_folders_in(target.parent_path()));
  std::ranges::copy(namesakes_of(target), std::back_inserter(folders));
  COHORT_ASSIGN(const auto candidates, base_candidates(folders, base.collection, stop));
  std::optional<std::size_t> least;
  Path found;
  std::string why;
  for (const auto& candidate : candidates) {
    if (candidate.manifest.snapshot != base.id) continue;
    const auto depth = depth_of(candidate);
    if (!depth) why += fmt::format(" \"{}\" cannot be it: {}", candidate.package.string(), depth.error());
    if (!depth || (least && *least <= *depth)) continue;
    least = *depth;
    found = candidate.package;
  }
  if (least) return found;
  return fail(
      ErrorCode::kNotFound,
      "There is no package of the {} \"{}\" in \"{}\" that a difference can stand on: export it there first, or "
      "give its package.{}",
      noun_of(base.kind), base.name, target.parent_path().string(), why);
}

}  // namespace cohort::service
