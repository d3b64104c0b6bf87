// A package's folder as a stranger may have left it: nothing is reached through links, and nothing is waited for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace cohort::package {

// Where a file goes that is not there. The path is good as long as the folder is open.
struct NewPlace {
  UniqueFd folder;
  Path path;
};

class PackageFolder {
 public:
  // kNotFound if there is no such folder. The folder itself may be reached through a link: the user has named it.
  [[nodiscard]] static Result<PackageFolder> open(const Path& path);

  [[nodiscard]] const Path& path() const { return path_; }

  // The folder of another package, without following a link on the way. Fails as open_file().
  // REQUIRES: is_parent_path(path).
  [[nodiscard]] Result<PackageFolder> open_parent(const std::string& path) const;

  // Opens an ordinary file for reading. kNotFound; kInvalidState if it, or a folder above it, is a link, or if it is
  // not an ordinary file; kPermission, kIo.
  // REQUIRES: is_safe_path(file).
  [[nodiscard]] Result<UniqueFd> open_file(const std::string& file) const;
  // The whole file; kCorrupt past `limit` bytes.
  [[nodiscard]] Result<std::string> read(const std::string& file, std::uint64_t limit) const;

  // Keeps every other process from the same while this object lives; kInUse if one has it.
  [[nodiscard]] Result<void> lock() const;
  // A file that is there under the name is removed. kNotFound, kInvalidState for the folders above, as open_file();
  // kInvalidState if a folder has the name; kPermission, kIo.
  // REQUIRES: is_safe_path(file).
  [[nodiscard]] Result<NewPlace> clear_place(const std::string& file) const;
  // Puts a file in place of another of that name, with its owner and mode, synced with its name; who is killed
  // meanwhile leaves the old one, and perhaps new_name() beside it. REQUIRES: no '/' in the name.
  [[nodiscard]] Result<void> replace(const std::string& name, std::string_view content) const;
  [[nodiscard]] static std::string new_name(std::string_view name);

  // Everything in it that is no folder, relative, sorted; at most `limit` entries, and no deeper than a package goes.
  [[nodiscard]] Result<std::vector<Path>> list(std::size_t limit) const;

 private:
  PackageFolder(Path path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  Path path_;
  UniqueFd fd_;
};

// The open file by a name that any program of this host can open while this process has it open. It is this file,
// whatever its name in the folder means by then.
[[nodiscard]] Path path_of(const UniqueFd& fd);
// Gives a file that this process has made beside another the owner and the access mode of that one, as far as it may.
// Nothing is done to what is no file of its own: a link, say, that has taken the name.
void adopt_owner(const UniqueFd& from, const Path& file);
// A message with the file's own name in place of that one.
[[nodiscard]] std::string with_own_name(std::string text, const UniqueFd& fd, const std::string& file);
[[nodiscard]] Result<std::uint64_t> size_of(const UniqueFd& fd, const std::string& file);

}  // namespace cohort::package
