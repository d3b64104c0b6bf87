// Jobs.
#include "cli/output/json.h"

namespace cohort::cli {

namespace {

Json time_or_null(const std::optional<WallTime>& time) { return time ? Json(format_utc(*time)) : Json(); }

}  // namespace

Json to_json(const Job& job) {
  return Json{{"id", job.id.str()},
              {"type", to_string(job.type)},
              {"subject", job.subject},
              {"state", job.is_interrupted() ? "interrupted" : to_string(job.state)},
              {"pid", job.pid},
              {"progress",
               {{"phase", job.progress.phase},
                {"done_bytes", job.progress.done_bytes},
                {"total_bytes", job.progress.total_bytes}}},
              {"created", format_utc(job.created)},
              {"started", time_or_null(job.started)},
              {"ended", time_or_null(job.ended)},
              {"error", job.error ? to_json(*job.error) : Json()},
              {"result", job.result},
              {"owner", job.owner},
              {"collection", job.works_on.collection ? Json(job.works_on.collection->str()) : Json()},
              {"point", job.works_on.point}};
}

}  // namespace cohort::cli
