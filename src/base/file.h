// Files whose fate matters: written whole and synced, or not there.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace cohort {

using Path = std::filesystem::path;

// The whole content. Fails with kCorrupt past `limit` bytes (memory stays bounded), kNotFound, kIo.
[[nodiscard]] Result<std::string> read_file(const Path& path, std::uint64_t limit);

// Creates `path` with `content` and syncs it. The file must not exist (kAlreadyExists).
// After a failure no file is left. The folder is not synced: see sync_directory.
[[nodiscard]] Result<void> create_file(const Path& path, std::string_view content, mode_t mode = 0600);

// fsync of a file or of a folder (its names).
[[nodiscard]] Result<void> sync_file(const Path& path);
[[nodiscard]] Result<void> sync_directory(const Path& path);

// mkdir with parents; success if it is already a directory.
[[nodiscard]] Result<void> make_directories(const Path& path, mode_t mode = 0700);
// Removes the file, or the folder with all that is in it; success if nothing is there. Links are not followed.
[[nodiscard]] Result<void> remove_file(const Path& path);
[[nodiscard]] Result<void> remove_tree(const Path& path);

// Bytes a new file could take on the file system that holds `path` (or its nearest existing parent).
[[nodiscard]] Result<std::uint64_t> free_bytes(const Path& path);
[[nodiscard]] Result<std::uint64_t> size_of_file(const Path& path);
[[nodiscard]] Result<UniqueFd> open_readonly(const Path& path);

}  // namespace cohort
