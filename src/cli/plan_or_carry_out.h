// What verbs that ask for the same operation have in common: a plan with --dry-run, else a job and its report.
#pragma once

#include "cli/context.h"
#include "cli/outcome.h"
#include "service/delete_snapshot.h"
#include "service/export_snapshot.h"

namespace cohort::cli {

[[nodiscard]] Result<Outcome> plan_or_export(const service::ExportRequest& request, bool is_dry_run, Context& context);
[[nodiscard]] Result<Outcome> plan_or_delete(const service::DeleteSnapshotRequest& request, bool is_dry_run,
                                             Context& context);

}  // namespace cohort::cli
