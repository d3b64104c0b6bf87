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

inline constexpr int kFormatVersion = 4;
// A package says the least that its readers have to know: without disks that were not chosen, without images that have
// no hash, and without a parent.
inline constexpr int kAllDisksFormatVersion = 3;
inline constexpr int kSealedFormatVersion = 2;
inline constexpr int kWholeFormatVersion = 1;

// Any file of the package but the manifest and SHA256SUMS.
struct FileEntry {
  std::string file;        // relative, '/'-separated, below the package
  std::uint64_t size = 0;  // bytes
  std::string sha256;      // lower-case hex; empty: an image that was exported without a hash
};

// What the image of a difference stands on: the image of the same machine's disk in the parent package.
struct ParentDisk {
  std::string file;          // from this package on: "../monday/Virtual Hard Disks/db-vda.qcow2"
  std::string format;        // "qcow2" or "raw"
  std::string content_hash;  // lower-case hex
};

struct DiskEntry {
  std::string target;
  std::string format;              // "qcow2" or "raw"
  std::uint64_t virtual_size = 0;  // bytes
  FileEntry file;
  std::string content_hash;  // of what the guest sees, lower-case hex; empty if the package does not say
  // The lines that the content hash is of (disk/content_hash.h): its SHA-256 is the content hash.
  std::optional<FileEntry> block_hashes = {};
  std::optional<ParentDisk> parent = {};  // of a difference; as large as this disk
  std::string whole_because = {};         // a sentence, if it was to be a difference and could be none

  // Whether its image has a hash. One that has none has no content hash, no block hashes and no parent.
  [[nodiscard]] bool is_sealed() const { return !file.sha256.empty(); }
  // The name of the backing file that the image must have; nothing for one that stands alone.
  [[nodiscard]] std::optional<std::string> backing_file() const;
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

// The package that a difference stands on.
struct ParentPackage {
  std::string path;             // from this package on: "../monday"; see is_parent_path
  std::string manifest_sha256;  // of its cohort.json, which has the hashes of all else
  SnapshotId snapshot;
  std::string snapshot_name;
  WallTime instant;
};

struct Manifest {
  int format_version = kWholeFormatVersion;
  std::string created_by;  // "cohort 0.1.0"
  WallTime created;
  CollectionId collection;
  std::string collection_name;
  SnapshotId snapshot;
  std::string snapshot_name;
  WallTime instant;
  FenceRecord fence;
  bool has_storage = true;
  std::optional<WallTime> sealed = {};       // when images were hashed that were exported without a hash
  std::optional<ParentPackage> parent = {};  // if any disk is a difference
  // The SHA-256 of the manifest of the difference whose place this merged package has taken, lower-case hex: what stood
  // on the difference stands on this. Empty if it has taken nobody's.
  std::string stands_for = {};
  std::vector<MachineEntry> machines;

  [[nodiscard]] bool is_sealed() const;
  // The format_version that its readers have to know.
  [[nodiscard]] int needed_version() const;

  [[nodiscard]] const DiskEntry* find_disk(const MachineId& machine, std::string_view target) const;
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

// True for the relative path of another package: one to three "..", then one to three parts as in is_safe_path. So a
// package can name others beside it, and none in a place that has nothing to do with it.
[[nodiscard]] bool is_parent_path(std::string_view path);

}  // namespace cohort::package
