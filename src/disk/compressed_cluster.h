// qcow2's compressed clusters.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "disk/qcow2_header.h"

struct ZSTD_CCtx_s;

namespace cohort::disk {

// Fills `cluster` from the start of `stored`, which may go on after what was packed. False if the bytes cannot be
// unpacked or give less than a cluster. Any number of threads.
[[nodiscard]] bool unpack_cluster(Compression compression, std::span<const std::byte> stored,
                                  std::span<std::byte> cluster);

// Packs clusters with zstd. One thread at a time.
class ClusterPacker {
 public:
  ClusterPacker();
  // What the cluster becomes, valid until the next call. Bytes that cannot be packed become a little longer.
  // kInternal if there is no memory for it.
  [[nodiscard]] Result<std::span<const std::byte>> pack(std::span<const std::byte> cluster);

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_CCtx_s, Free> context_;
  std::vector<std::byte> packed_;
};

}  // namespace cohort::disk
