// Copies disks. Implemented over disk/, faked in tests.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "domain/machine.h"

namespace cohort::service {

// What a copy is to be the difference from: an earlier state of the disk that was exported.
struct DiskBase {
  Path frozen;                     // the file that held the disk then; the source stands on it, unchanged since
  std::string parent_file;         // the exported image, as the copy is to name it: from its own folder on
  std::string parent_format;       // "qcow2" or "raw"
  std::uint64_t virtual_size = 0;  // bytes; of that image
  Path block_hashes;               // its list, to be read (docs/package.md)
  std::string content_hash;        // its hash
};

struct CopyDiskRequest {
  Layer source;                       // with all its backing files
  Path target;                        // must not exist
  std::string format;                 // of the target: "qcow2" or "raw"; standalone, holes where the source reads zero
  bool is_compressed = false;         // the clusters; only qcow2 has such
  bool is_hashed = true;              // else what both files can share is not even read; not compressed, no base
  std::string name;                   // of the disk, for errors: "disk vda of \"web\""
  Path block_hashes = {};             // where the list of the copy's block hashes goes, if it is hashed; must not exist
  std::optional<DiskBase> base = {};  // the copy has only what has changed since, in qcow2
};

struct CopiedDisk {
  std::uint64_t virtual_size = 0;  // bytes
  std::uint64_t file_size = 0;     // bytes; the length of the target, holes included
  std::string sha256;              // of the target file, lower-case hex; empty if it is not hashed
  std::string content_hash;        // of the disk, whatever the format (docs/package.md); empty if it is not known
  std::uint64_t hashes_size = 0;   // bytes of the list of block hashes, whose SHA-256 is the content hash
};

struct CopyFileRequest {
  Path source;
  Path target;         // must not exist
  std::string sha256;  // that the source has to have, lower-case hex
};

// Images of which each stands on the next, whatever they say themselves.
struct CopyLayersRequest {
  std::vector<Layer> layers;  // the top first
  Path target;                // must not exist
  std::string format;         // of the target, which stands alone
  std::string content_hash;   // that the disk has to have
};

class DiskCopier {
 public:
  virtual ~DiskCopier() = default;
  // Bytes that a copy of this disk would take on the target's storage, at most. kCancelled.
  [[nodiscard]] virtual Result<std::uint64_t> measure(const Layer& source, const std::string& format,
                                                      const std::stop_token& stop) = 0;
  // The same for a copy that has only what changed since the base. kUnsupported, saying why, if that cannot be told.
  [[nodiscard]] virtual Result<std::uint64_t> measure_difference(const Layer& source, const DiskBase& base,
                                                                 const std::stop_token& stop) = 0;
  // Whether a copy in the folder that is not hashed has the source's blocks, and takes nearly no room.
  [[nodiscard]] virtual bool can_share(const Layer& source, const Path& folder) = 0;
  // Side by side; the answers are in the order of the requests. All targets are complete and synced when this returns;
  // after a failure or cancel all are gone, and the error names the disk. `rate_limit`: bytes per second of all
  // together; 0: none. `on_progress` gets bytes done of the sum of measure()'s estimates, from one thread at a time.
  [[nodiscard]] virtual Result<std::vector<CopiedDisk>> copy(
      const std::vector<CopyDiskRequest>& requests, std::uint64_t rate_limit, std::stop_token stop,
      const std::function<void(std::uint64_t done)>& on_progress) = 0;

  // Of a package's file, which may come from a stranger: it is copied byte by byte, and nothing that it names is
  // opened. kCorrupt, and the target is gone, if what was read is not of that hash. `on_progress` gets bytes done of
  // measure_file()'s estimate.
  [[nodiscard]] virtual Result<void> copy_file(const CopyFileRequest& request, std::stop_token stop,
                                               const std::function<void(std::uint64_t done)>& on_progress) = 0;
  // Bytes that copy_file's target would take on its storage, at most.
  [[nodiscard]] virtual Result<std::uint64_t> measure_file(const Path& source) = 0;

  // Of a package's images, which may come from a stranger: they are read here, not by QEMU, and no file but the layers
  // is opened. No list of block hashes is made. kCorrupt, and the target is gone, if what was read is not of that
  // content hash.
  [[nodiscard]] virtual Result<CopiedDisk> copy_layers(const CopyLayersRequest& request, std::stop_token stop,
                                                       const std::function<void(std::uint64_t done)>& on_progress) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> measure_layers(const std::vector<Layer>& layers,
                                                             const std::string& format,
                                                             const std::stop_token& stop) = 0;
};

}  // namespace cohort::service
