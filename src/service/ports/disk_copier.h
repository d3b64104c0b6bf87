// Copies disks. Implemented over disk/, faked in tests.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "domain/machine.h"

namespace cohort::service {

struct CopyDiskRequest {
  Layer source;                // with all its backing files
  Path target;                 // must not exist
  std::string format;          // of the target: "qcow2" or "raw"; standalone, holes where the source reads zero
  bool is_compressed = false;  // the clusters; only qcow2 has such
  std::string name;            // of the disk, for errors: "disk vda of \"web\""
};

struct CopiedDisk {
  std::uint64_t virtual_size = 0;  // bytes
  std::uint64_t file_size = 0;     // bytes; the length of the target, holes included
  std::string sha256;              // of the target file, lower-case hex
  std::string content_hash;        // of the disk, whatever the format (docs/package.md); empty if it is not known
};

struct CopyFileRequest {
  Path source;
  Path target;         // must not exist
  std::string sha256;  // that the source has to have, lower-case hex
};

class DiskCopier {
 public:
  virtual ~DiskCopier() = default;
  // Bytes that a copy of this disk would take on the target's storage, at most. kCancelled.
  [[nodiscard]] virtual Result<std::uint64_t> measure(const Layer& source, const std::string& format,
                                                      const std::stop_token& stop) = 0;
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
};

}  // namespace cohort::service
