#include "cli/plan_or_carry_out.h"

#include "cli/output/json.h"
#include "cli/output/report.h"

namespace cohort::cli {

Result<Outcome> plan_or_export(const service::ExportRequest& request, bool is_dry_run, Context& context) {
  if (is_dry_run) {
    COHORT_ASSIGN(const auto plan, context.session().plan_export(request));
    return planned(to_json(plan), report_export_plan(plan));
  }
  COHORT_ASSIGN(const auto report, context.run_job([&](const client::JobWatch& watch) {
    return context.session().export_snapshot(request, watch);
  }));
  return notice(Json{{"export", to_json(report)}}, report_export(report, context.detail()));
}

Result<Outcome> plan_or_delete(const service::DeleteSnapshotRequest& request, bool is_dry_run, Context& context) {
  if (is_dry_run) {
    COHORT_ASSIGN(const auto merges, context.session().plan_delete_snapshot(request));
    return planned(to_json(merges), report_merges(request, merges));
  }
  COHORT_ASSIGN(const auto deleted, context.run_job([&](const client::JobWatch& watch) {
    return context.session().delete_snapshot(request, watch);
  }));
  return notice(Json{{"deleted", to_json(deleted)}}, report_deleted(deleted));
}

}  // namespace cohort::cli
