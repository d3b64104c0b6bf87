#include "service/package_images.h"

#include "base/sha256.h"
#include "package/verify_file.h"
#include "service/verify_package.h"

namespace cohort::service {
namespace {

constexpr std::uint64_t kStateFileLimit = 16ULL << 20U;

Result<void> check_whole(const package::VerifyReport& report) {
  if (report.is_whole()) return {};
  const auto& first = report.problems.front();
  return fail(report.failure(), "The package \"{}\" {} ({} problem(s)): {}: {} `cohort verify` names all.",
              report.package.string(), report.verdict(), report.problems.size(), first.file, first.message);
}

// The hashes that are compared from now on must be those that the files had. It has the hash of its parent's manifest,
// and so on.
Result<void> check_same(const package::Manifest& opened, const package::Manifest& verified) {
  if (package::format_manifest(opened) == package::format_manifest(verified)) return {};
  return fail(ErrorCode::kCorrupt, "The manifest of the package has changed while it was verified.");
}

}  // namespace

Result<void> verify_opened(const package::PackageChain& chain, JobContext& job) {
  COHORT_ASSIGN(const auto verified, verify_package(chain.links.front().folder.path(), job));
  COHORT_TRY(check_whole(verified));
  return check_same(chain.links.front().manifest(), verified.manifest);
}

std::vector<Layer> OpenedLayers::layers() const {
  std::vector<Layer> layers;
  for (std::size_t i = 0; i < fds.size(); ++i) layers.push_back({package::path_of(fds[i]), formats[i]});
  return layers;
}

std::string OpenedLayers::with_own_names(std::string text) const {
  for (std::size_t i = 0; i < fds.size(); ++i) text = package::with_own_name(std::move(text), fds[i], names[i]);
  return text;
}

Result<OpenedLayers> open_layers(const package::PackageChain& chain, const MachineId& machine,
                                 const package::DiskEntry& disk) {
  OpenedLayers opened;
  for (const auto& layer : package::layers_of(chain, machine, disk.target)) {
    COHORT_ASSIGN(UniqueFd fd, package::open_layer(layer));
    opened.fds.push_back(std::move(fd));
    opened.formats.push_back(layer.disk->format);
    opened.names.push_back((layer.folder->path() / layer.disk->file.file).string());
  }
  return opened;
}

Result<void> check_images(const package::PackageChain& chain, const MachineId& machine,
                          const package::DiskEntry& disk) {
  for (const auto& layer : package::layers_of(chain, machine, disk.target)) {
    COHORT_ASSIGN(const UniqueFd fd, package::open_layer(layer));
    COHORT_ASSIGN(const std::uint64_t size, package::size_of(fd, layer.disk->file.file));
    if (size == layer.disk->file.size) continue;
    return fail(ErrorCode::kCorrupt, "The package \"{}\" is not whole: {} has {} bytes and should have {}.",
                layer.folder->path().string(), layer.disk->file.file, size, layer.disk->file.size);
  }
  return {};
}

Result<std::uint64_t> measure_alone(const package::PackageChain& chain, const MachineId& machine,
                                    const package::DiskEntry& disk, DiskCopier& copier, const std::stop_token& stop) {
  COHORT_ASSIGN(const auto opened, open_layers(chain, machine, disk));
  auto bytes = disk.parent ? copier.measure_layers(opened.layers(), disk.format, stop)
                           : copier.measure_file(package::path_of(opened.fds.front()));
  if (!bytes) bytes.error().message = opened.with_own_names(bytes.error().message);
  return bytes;
}

Result<std::string> read_verified(const package::PackageFolder& folder, const package::FileEntry& entry) {
  COHORT_ASSIGN(auto content, folder.read(entry.file, kStateFileLimit));
  if (Sha256::of(content) != entry.sha256) {
    return fail(ErrorCode::kCorrupt, "\"{}\" has changed since it was verified.", entry.file);
  }
  return content;
}

}  // namespace cohort::service
