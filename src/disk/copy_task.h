// What every way of copying a disk works on.
#pragma once

#include <cstdint>
#include <functional>

#include "base/result.h"
#include "disk/block_map.h"
#include "disk/copy.h"
#include "disk/copy_layout.h"
#include "disk/copy_outcome.h"
#include "disk/output_file.h"

namespace cohort::disk {

struct CopyTask {
  const CopyRequest& request;
  const BlockMap& map;
  const CopyLayout& layout;
  OutputFile& output;
  const std::function<void(std::uint64_t done)>& on_progress;

  // `blocks`: written so far, those of the head included.
  void report(std::uint64_t blocks) const {
    if (on_progress) on_progress(blocks * kBlockBytes);
  }
  // When all threads have ended: all that was written is on the storage, unless one has failed or was told to stop.
  [[nodiscard]] Result<void> sync(CopyOutcome& outcome) const {
    COHORT_TRY(outcome.result(request.target));
    COHORT_TRY(output.sync());
    return outcome.result(request.target);
  }
};

}  // namespace cohort::disk
