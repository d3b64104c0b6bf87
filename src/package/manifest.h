// cohort.json: what a package holds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "domain/snapshot.h"

namespace cohort::package {

inline constexpr int kFormatVersion = 1;

// Any file of the package but the manifest and SHA256SUMS.
struct FileEntry {
  std::string file;        // relative, '/'-separated, below the package
  std::uint64_t size = 0;  // bytes
  std::string sha256;      // lower-case hex
};

struct DiskEntry {
  std::string target;
  std::string format;              // "qcow2" or "raw"
  std::uint64_t virtual_size = 0;  // bytes
  FileEntry file;
  std::string content_hash;  // of what the guest sees, lower-case hex; empty if the package does not say
};

struct MachineEntry {
  MachineId id;
  std::string name;
  PowerState power = PowerState::kOff;
  std::string consistency = "crash";   // what was reached, as to_string(Consistency)
  std::string consistency_reason;      // sentences: why it is not more; may be empty
  std::optional<Microseconds> frozen;  // how long its file systems were frozen for the instant
  std::optional<Pause> pause;
  FileEntry configuration;  // domain XML
  std::optional<FileEntry> nvram;
  std::vector<FileEntry> tpm_state;
  std::vector<DiskEntry> disks;  // empty when storage was left out
  std::vector<LeftOutDisk> left_out;
};

struct Manifest {
  int format_version = kFormatVersion;
  std::string created_by;  // "cohort 0.1.0"
  WallTime created;
  CollectionId collection;
  std::string collection_name;
  SnapshotId snapshot;
  std::string snapshot_name;
  WallTime instant;
  FenceRecord fence;
  bool has_storage = true;
  std::vector<MachineEntry> machines;

  // Every file entry, in the order of the manifest.
  [[nodiscard]] std::vector<const FileEntry*> files() const;
};

// JSON text, indented, in a fixed order of keys.
[[nodiscard]] std::string format_manifest(const Manifest& manifest);

// Reads what format_manifest wrote. The text comes from a stranger: sizes and nesting are bounded, every path is
// checked (is_safe_path), names and UUIDs are unique, hashes and numbers are in form; kCorrupt names the field.
// Fields that are not known are ignored; a greater format_version is kUnsupported.
[[nodiscard]] Result<Manifest> parse_manifest(std::string_view text);

// Reads the manifest of the package at `package` (16 MiB at most). kNotFound, with the remedy, if that is no package.
[[nodiscard]] Result<Manifest> read_manifest(const Path& package);

// True for a relative path that stays below the package: no empty, "." or ".." part, no leading '/', no NUL or other
// control character, no backslash, valid UTF-8, at most 1024 bytes, at most 8 parts.
[[nodiscard]] bool is_safe_path(std::string_view path);

}  // namespace cohort::package
