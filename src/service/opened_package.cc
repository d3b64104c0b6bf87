#include "service/opened_package.h"

#include <algorithm>

#include "package/verify_file.h"

namespace cohort::service {
namespace {

constexpr std::uint64_t kConfigurationLimit = 4ULL << 20U;

Result<void> check_has_storage(const package::Manifest& manifest, const Path& directory) {
  if (manifest.has_storage) return {};
  return fail(ErrorCode::kInvalidState,
              "\"{}\" holds configurations only (it was exported with --no-storage): the machines have no disks in it.",
              directory.string());
}

// A disk that no machine of the package had would be removed without a word.
Result<void> check_outline(const MachineOutline& outline, const package::MachineEntry& entry) {
  if (outline.id != entry.id || outline.name != entry.name) {
    return fail(ErrorCode::kCorrupt, "The configuration of \"{}\" ({}) in the package is of \"{}\" ({}).", entry.name,
                entry.id.str(), outline.name, outline.id.str());
  }
  for (const auto& target : outline.disks) {
    const auto is_it = [&](const auto& disk) { return disk.target == target; };
    if (std::ranges::any_of(entry.disks, is_it) || std::ranges::any_of(entry.left_out, is_it)) continue;
    return fail(ErrorCode::kCorrupt,
                "The configuration of \"{}\" has the disk {}, which the manifest neither holds nor names as left out.",
                entry.name, target);
  }
  return {};
}

Result<std::string> read_configuration(const package::PackageFolder& folder, const package::MachineEntry& entry,
                                       const std::set<RefusalKind>& trusted, Hypervisor& hypervisor) {
  COHORT_TRY(package::open_entry(folder, entry.configuration, nullptr));
  COHORT_ASSIGN(auto text, folder.read(entry.configuration.file, kConfigurationLimit));
  auto checked = hypervisor.check_configuration(text, trusted);
  if (!checked) {
    return Failure{
        std::move(checked).error().with_context(fmt::format("checking the configuration of \"{}\"", entry.name))};
  }
  COHORT_ASSIGN(const auto outline, hypervisor.outline_of(text));
  COHORT_TRY(check_outline(outline, entry));
  return text;
}

}  // namespace

Result<OpenedPackage> open_package(const Path& directory, const std::set<RefusalKind>& trusted,
                                   Hypervisor& hypervisor) {
  COHORT_TRY(hypervisor.check_disks_reachable());
  COHORT_ASSIGN(auto chain, package::open_chain(directory));
  COHORT_TRY(package::check_complete(chain));
  OpenedPackage opened{std::move(chain), {}};
  COHORT_TRY(check_has_storage(opened.manifest(), directory));
  for (const auto& entry : opened.manifest().machines) {
    COHORT_ASSIGN(auto text, read_configuration(opened.folder(), entry, trusted, hypervisor));
    opened.machines.push_back({entry, std::move(text)});
  }
  return opened;
}

Result<void> check_machine_name(const std::string& name) {
  const bool has_bad_character =
      std::ranges::any_of(name, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f || c == '/'; });
  if (name.empty() || name.size() > 200 || has_bad_character || name == "." || name == "..") {
    return fail(ErrorCode::kInvalidArgument, "\"{}\" cannot be the name of a machine.", name);
  }
  return {};
}

}  // namespace cohort::service
