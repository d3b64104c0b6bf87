// Writes a package so that it is there whole or not at all, or so that it replaces another one in one step.
#pragma once

#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "package/manifest.h"

namespace cohort::package {

enum class Placing {
  kNew,      // nothing is ever overwritten
  kReplace,  // the package of that name stays until publish() exchanges both; then it is "<package>.partial"
};

// Crash: until publish() has returned, all is in "<package>.partial". Whichever of the two has that name after an
// exchange is the one to be removed.
// After a failure the caller removes partial() (base/file.h: remove_tree). If the target's file system was unmounted
// meanwhile, nobody sees that folder any more: abandon() removes it all the same.
//
// Nothing is ever written to a folder that has the name of the one that begin() made, but is another: a package on the
// file system below an unmounted one would be called complete and never be found.
class Writer {
 public:
  // `package` must not exist, or be an empty folder; "<package>.partial" must not exist (kAlreadyExists).
  // begin() makes the partial folder and its inner folders (0700).
  // With kReplace `package` must be a folder.
  explicit Writer(const Path& package, Placing placing = Placing::kNew);
  [[nodiscard]] Result<void> begin();

  [[nodiscard]] const Path& package() const { return package_; }
  [[nodiscard]] Path partial() const;
  // The place of a file while the package grows; makes the folders above it.
  [[nodiscard]] Result<Path> place_for(const std::string& file) const;
  // Writes a small file (0600), synced, and returns its entry.
  [[nodiscard]] Result<FileEntry> add(const std::string& file, std::string_view content) const;
  // Writes SHA256SUMS and the manifest, syncs every folder, renames or exchanges (kUnsupported where the file system
  // cannot do that), and syncs the parent. If the latter fails, the
  // package is partial again; should that be impossible, the error says that it stands there unsynced.
  [[nodiscard]] Result<void> publish(const Manifest& manifest);

  // Whether the folder that begin() made is still where this writer has put it; kIo if it is not.
  [[nodiscard]] Result<void> check_in_place() const;
  // Removes the folder that begin() made, wherever its file system is.
  [[nodiscard]] Result<void> abandon() const;

 private:
  [[nodiscard]] Result<void> sync_published() const;
  [[nodiscard]] Failure take_away(Error unsynced);
  [[nodiscard]] Result<void> move(const Path& from, const Path& to) const;

  Path package_;
  Placing placing_;
  UniqueFd parent_;           // of both folders
  UniqueFd partial_;          // what begin() made
  bool is_stranded_ = false;  // under the package's name, not synced, and it could not be taken away from there
};

// "<hex>  <file>\n" for every file that has a hash and for the manifest itself, as `sha256sum -c` reads it (names with
// a backslash or newline are escaped as it does).
[[nodiscard]] std::string format_hash_list(const Manifest& manifest, std::string_view manifest_text);

}  // namespace cohort::package
