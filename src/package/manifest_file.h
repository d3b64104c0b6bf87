// The manifest as a file of a package that a stranger may have made.
#pragma once

#include <string>

#include "package/manifest.h"
#include "package/package_folder.h"

namespace cohort::package {

struct ManifestFile {
  std::string text;
  Manifest manifest;
};

// kNotFound, with the remedy, if the folder is no package; kCorrupt, kUnsupported as parse_manifest.
[[nodiscard]] Result<ManifestFile> read_manifest_file(const PackageFolder& folder);

}  // namespace cohort::package
