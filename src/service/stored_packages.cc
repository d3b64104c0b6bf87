#include "service/stored_packages.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <tuple>

#include "package/layout.h"
#include "package/package_chain.h"

namespace cohort::service {
namespace {

namespace fs = std::filesystem;

bool is_package(const Path& folder) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(folder / package::kManifestName, ignored));
}

bool is_half_written(const Path& folder) {
  std::error_code ignored;
  return folder.string().ends_with(package::kPartialSuffix) &&
         fs::is_directory(fs::symlink_status(folder / package::kMachinesFolder, ignored));
}

Result<std::vector<Path>> folders_in(const Path& folder, const std::function<bool(const Path&)>& is_wanted) {
  std::error_code code;
  if (fs::exists(folder, code) && !fs::is_directory(folder, code)) {
    return fail(ErrorCode::kInvalidArgument, "\"{}\" is not a folder.", folder.string());
  }
  std::vector<Path> folders;
  fs::directory_iterator entries(folder, code);
  for (; !code && entries != fs::directory_iterator(); entries.increment(code)) {
    std::error_code ignored;
    if (entries->is_directory(ignored) && is_wanted(entries->path())) folders.push_back(entries->path());
  }
  if (code) return Failure{system_error(code.value(), fmt::format("\"{}\" cannot be read.", folder.string()))};
  std::ranges::sort(folders);
  return folders;
}

StoredPackage look_at(const Path& folder) {
  if (is_half_written(folder)) return {folder, {}, {}, {}, "It is being written, or was left half written."};
  auto stored = stored_package(folder);
  if (stored) return *std::move(stored);
  return {folder, {}, {}, {}, stored.error().message};
}

bool is_before(const StoredPackage& one, const StoredPackage& other) {
  const auto rank = [](const StoredPackage& stored) {
    return std::tuple(!stored.manifest, stored.manifest ? stored.manifest->instant : WallTime{}, stored.package);
  };
  return rank(one) < rank(other);
}

}  // namespace

Result<StoredPackage> stored_package(const Path& directory) {
  COHORT_ASSIGN(auto chain, package::open_chain(directory));
  StoredPackage stored{directory, chain.links.front().manifest(), package::lower_packages(chain)};
  stored.size = size_of_package(directory, *stored.manifest);
  if (chain.broken) {
    stored.problem = fmt::format("{}: {}", chain.broken->file, chain.broken->message);
  } else if (!stored.manifest->is_sealed()) {
    stored.problem = "Disks of it have no hash yet: `cohort verify --seal` gives them one.";
  }
  return stored;
}

Result<std::vector<Path>> package_folders_in(const Path& folder) {
  return folders_in(
      folder, [](const Path& path) { return is_package(path) && !path.string().ends_with(package::kPartialSuffix); });
}

Result<std::vector<StoredPackage>> packages_in(const Path& folder) {
  COHORT_ASSIGN(const auto folders,
                folders_in(folder, [](const Path& path) { return is_package(path) || is_half_written(path); }));
  std::vector<StoredPackage> stored;
  std::ranges::transform(folders, std::back_inserter(stored), look_at);
  std::ranges::sort(stored, is_before);
  return stored;
}

std::string why_no_whole_point(const StoredPackage& stored) {
  if (!stored.problem.empty()) return stored.problem;
  if (!stored.manifest->has_storage) return "It has no disks.";
  for (const auto& machine : stored.manifest->machines) {
    for (const auto& disk : machine.left_out) {
      if (disk.reason == LeftOutReason::kNotChosen) return "Not all disks were chosen when it was exported.";
    }
  }
  return {};
}

Result<Path> package_at(const Path& folder, WallTime time) {
  COHORT_ASSIGN(auto stored, packages_in(folder));
  std::erase_if(stored, [&](const StoredPackage& each) {
    return !why_no_whole_point(each).empty() || each.manifest->instant > time;
  });
  if (stored.empty()) {
    return fail(ErrorCode::kNotFound, "\"{}\" has no package of {} or before that holds all disks and can be used.",
                folder.string(), format_utc(time));
  }
  const CollectionId collection = stored.front().manifest->collection;
  const auto is_other = [&](const StoredPackage& each) { return each.manifest->collection != collection; };
  if (const auto other = std::ranges::find_if(stored, is_other); other != stored.end()) {
    return fail(ErrorCode::kInvalidArgument,
                "\"{}\" has packages of several collections (\"{}\", \"{}\"): name the package.", folder.string(),
                stored.front().manifest->collection_name, other->manifest->collection_name);
  }
  const auto rank = [](const StoredPackage& each) {
    return std::tuple(each.manifest->instant, -static_cast<std::int64_t>(each.parents.size()));
  };
  return std::ranges::max(stored, {}, rank).package;
}

}  // namespace cohort::service
