// The package that a job writes: there whole, or not at all.
#pragma once

#include <cstdint>
#include <optional>

#include "package/writer.h"
#include "service/job_context.h"

namespace cohort::service {

// Of a package, beside its disks and what else is known to be large: manifest, folders.
inline constexpr std::uint64_t kSpaceBesideDisks = 4ULL << 20U;

// The folder a package will be: absolute, below an existing folder, and free; so is its partial one.
// kInvalidArgument, kNotFound, kPermission, or kAlreadyExists if something is there.
[[nodiscard]] Result<Path> new_package_folder(const Path& directory);

// The same for one that is to replace the package `package`: kInvalidArgument if that is a link, or no folder.
[[nodiscard]] Result<Path> replaced_package_folder(const Path& package);

// Whether nothing is there, or an empty folder: kAlreadyExists.
[[nodiscard]] Result<void> check_free(const Path& package);

// Whether a path is below another one, or that one itself, by their names.
[[nodiscard]] bool is_inside(const Path& inner, const Path& outer);

// Crash: the package grows as "<package>.partial"; recover() removes it until keep() was called, and so it does with
// the one that was replaced.
class NewPackage {
 public:
  // `estimated_bytes`: that it may take, for what is said when there is no room.
  NewPackage(const Path& package, std::uint64_t estimated_bytes, JobContext& job,
             package::Placing placing = package::Placing::kNew)
      : writer_(package, placing), estimated_bytes_(estimated_bytes), job_(job) {}

  // As Writer::begin().
  [[nodiscard]] Result<void> begin();
  [[nodiscard]] const package::Writer& writer() const { return writer_; }
  // As Writer::publish().
  [[nodiscard]] Result<void> publish(const package::Manifest& manifest) { return writer_.publish(manifest); }
  // It is published, and the one that had its name goes.
  [[nodiscard]] Result<void> remove_replaced() { return remove_tree(writer_.partial()); }
  // It is published, and stays.
  [[nodiscard]] Result<void> keep() { return job_.will_keep(*step_); }

  // What to report of a failure since begin(): one whose cause is that the target is gone would tell of files that are
  // not there. What undo cannot see any more is removed here; what has its name now is another's, and stays.
  [[nodiscard]] Failure failed(Error error);

 private:
  [[nodiscard]] Result<void> abandon();

  package::Writer writer_;
  std::uint64_t estimated_bytes_;
  JobContext& job_;
  std::optional<UndoStep> step_;
};

// kNoSpace, naming both, if the folder around the package has less than it may take.
[[nodiscard]] Result<void> check_space(const Path& package, std::uint64_t free_bytes, std::uint64_t estimated_bytes);

}  // namespace cohort::service
