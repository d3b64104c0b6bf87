// Checks a package against its manifest.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "package/manifest.h"

namespace cohort::package {

enum class ProblemKind {
  kMissing,   // named in the manifest, not there
  kNotAFile,  // a link, folder or device where a file should be
  kWrongSize,
  kWrongHash,
  kBadImage,       // qemu-img check found errors, or it is not of the format or size that the manifest says
  kForeignFile,    // the image names a file that the manifest does not know as its parent
  kUnreadable,     // there, but the operating system does not let it be read, or a program writes to it
  kBadList,        // SHA256SUMS is missing, no file, or differs from the manifest
  kMissingParent,  // the package is a difference, and what it stands on is not there
  kWrongParent,    // what is in its place is no package, or not the one that was meant
  kUnsealed,       // an image that has no hash: see seal.h
  kUnlisted,       // there, but not in the manifest (a note: the package is whole without it)
};
[[nodiscard]] std::string_view to_string(ProblemKind kind);  // "missing", "not-a-file", "wrong-size", …

struct Problem {
  std::string file;  // relative to the package
  ProblemKind kind = ProblemKind::kMissing;
  std::string message;  // one sentence: what was expected, what was found
};

// A package that another one stands on.
struct LowerPackage {
  Path package;
  SnapshotId snapshot;
  std::string snapshot_name;
  WallTime instant;
};

struct VerifyReport {
  Path package;
  Manifest manifest;
  std::vector<LowerPackage> parents;  // that were checked too, the nearest first
  std::vector<Problem> problems;      // all that were found, kUnlisted excepted; those of a parent name it by "../…"
  std::vector<Problem> notes;         // kUnlisted
  std::uint64_t files = 0;            // checked
  std::uint64_t bytes = 0;            // read and hashed
  [[nodiscard]] bool is_whole() const { return problems.empty(); }
  std::size_t sealed = 0;  // images that were given their hashes just now
  // What kind of failure it is that the package is not whole: kInvalidState if all that is wrong is that images have no
  // hash; kIo if beside that something could not be read, for then nobody knows; else kCorrupt.
  // REQUIRES: it is not whole.
  [[nodiscard]] ErrorCode failure() const;
  // "is whole", "is not whole", "cannot be read as a whole", "is not sealed"
  [[nodiscard]] std::string_view verdict() const;
};

struct VerifyOptions {
  bool with_parents = true;  // check them as the package itself; else only that the images name none but the manifest's
};

struct VerifyProgress {
  std::function<void(std::uint64_t total)> on_total;
  std::function<void(std::uint64_t bytes)> on_read;  // bytes since the last call
};

// Checks the manifest's form, then every file: kind (links are not followed), size, SHA-256 if it has one, SHA256SUMS;
// then each image: it stands alone, or on the image of the parent package that the manifest names, and qemu-img check
// is clean; then the parents in the same way. Goes on after a problem, so that the report names all of them. A package
// may come from a stranger: QEMU sees an image only when its head has been found to name no other file. Fails only if
// there is no readable manifest (kNotFound, kCorrupt, kUnsupported for a newer format, kPermission), or kCancelled.
// Threads: blocks; two of its own read. The callbacks come from those, one at a time.
[[nodiscard]] Result<VerifyReport> verify(const Path& package, std::stop_token stop, const VerifyProgress& progress,
                                          const VerifyOptions& options = {});

}  // namespace cohort::package
