#include "package/manifest_file.h"

#include "package/layout.h"

namespace cohort::package {
namespace {

constexpr std::uint64_t kMaxManifest = 16U << 20U;

Result<std::string> read_text(const PackageFolder& folder) {
  auto text = folder.read(std::string(kManifestName), kMaxManifest);
  if (text) return text;
  Error error = std::move(text).error();
  if (error.code == ErrorCode::kNotFound) {
    return fail(ErrorCode::kNotFound, "\"{}\" is not a package: there is no {} in it.", folder.path().string(),
                kManifestName);
  }
  // A link or a folder in the manifest's place.
  if (error.code == ErrorCode::kInvalidState) error.code = ErrorCode::kCorrupt;
  return Failure{std::move(error)};
}

}  // namespace

Result<ManifestFile> read_manifest_file(const PackageFolder& folder) {
  COHORT_ASSIGN(std::string text, read_text(folder));
  auto manifest = parse_manifest(text);
  if (!manifest) {
    // What is wrong in it, and where it is: both belong to the sentence that people see.
    Error error = std::move(manifest).error();
    error.message =
        fmt::format("\"{}\" is no usable manifest: {}", (folder.path() / kManifestName).string(), error.message);
    return Failure{std::move(error)};
  }
  return ManifestFile{std::move(text), *std::move(manifest)};
}

Result<Manifest> read_manifest(const Path& package) {
  COHORT_ASSIGN(const PackageFolder folder, PackageFolder::open(package));
  return read_manifest_file(folder).map([](ManifestFile&& file) { return std::move(file.manifest); });
}

}  // namespace cohort::package
