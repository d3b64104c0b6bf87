// Options that verbs share: those of taking, of deleting and of exporting a snapshot or reference point.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/arguments/arguments.h"
#include "domain/retention.h"
#include "service/delete_snapshot.h"
#include "service/export_snapshot.h"
#include "service/take_snapshot.h"

namespace cohort::cli {

struct TakeOptions {
  std::optional<std::int64_t> deadline_ms;
  std::string consistency = "crash";
  std::int64_t freeze_deadline_ms = 10'000;
  bool ignore_non_snapshottable = false;

  void declare(Arguments& arguments);
  // Into the request; the rest of it stays. Fails with kInvalidArgument.
  [[nodiscard]] Result<void> apply_to(service::TakeSnapshotRequest& request) const;
};

struct DeleteOptions {
  bool forget_missing = false;
  bool forget_only = false;

  void declare(Arguments& arguments);
  void apply_to(service::DeleteSnapshotRequest& request) const;
};

struct ExportOptions {
  bool subdirectory = false;
  std::string format = "qcow2";
  bool no_storage = false;
  std::string rate_limit;
  bool compress = false;
  bool no_hash = false;

  void declare(Arguments& arguments);
  // Into the request; the rest of it stays. Fails with kInvalidArgument.
  [[nodiscard]] Result<void> apply_to(service::ExportRequest& request) const;
};

struct KeepOptions {
  std::int64_t last = 0;
  std::int64_t daily = 0;
  std::int64_t weekly = 0;
  std::int64_t monthly = 0;

  void declare(Arguments& arguments);
  // Fails with kInvalidArgument.
  [[nodiscard]] Result<Retention> retention() const;
};

struct SinceOption {
  std::string since;
  bool is_merged = false;

  void declare(Arguments& arguments);
  // A word with a slash, or the name of a folder that is there, is a package; any other one names a snapshot or
  // reference point.
  [[nodiscard]] Result<void> apply_to(service::ExportRequest& request) const;
};

}  // namespace cohort::cli
