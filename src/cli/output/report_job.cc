// Jobs.
#include <fmt/format.h>

#include "cli/output/quantity.h"
#include "cli/output/report.h"
#include "cli/output/table.h"

namespace cohort::cli {

namespace {

std::string amount_of(const JobProgress& progress) {
  if (progress.total_bytes == 0) {
    return progress.phase;
  }
  return fmt::format("{}{}{} of {}", progress.phase, progress.phase.empty() ? "" : ", ",
                     format_bytes(progress.done_bytes), format_bytes(progress.total_bytes));
}

std::string outcome_of(const Job& job) {
  if (job.error) {
    return job.error->message;
  }
  return is_ended(job.state) ? job.result : amount_of(job.progress);
}

std::string state_of(const Job& job) {
  return std::string(job.is_interrupted() ? "interrupted" : to_string(job.state));
}

std::string owner_of(const Job& job) { return job.owner.empty() ? "-" : job.owner; }

std::string time_or_dash(const std::optional<WallTime>& time) { return time ? format_time(*time) : "-"; }

void add_error(Sheet& sheet, const Error& error) {
  sheet.add("Error", fmt::format("{} ({})", error.message, to_string(error.code)));
  if (!error.cause.empty()) {
    sheet.add("Cause", error.cause);
  }
}

}  // namespace

std::string report_job(const Job& job) {
  Sheet sheet;
  sheet.add("Job", job.id.str());
  sheet.add("Type", std::string(to_string(job.type)));
  sheet.add("Of", job.subject);
  sheet.add("Owner", owner_of(job));
  sheet.add("State", state_of(job));
  sheet.add("Process", std::to_string(job.pid));
  if (const auto amount = amount_of(job.progress); !amount.empty()) {
    sheet.add("Progress", amount);
  }
  sheet.add("Created", format_time(job.created));
  sheet.add("Started", time_or_dash(job.started));
  sheet.add("Ended", time_or_dash(job.ended));
  if (job.error) {
    add_error(sheet, *job.error);
  }
  if (!job.result.empty()) {
    sheet.add("Result", job.result);
  }
  return sheet.str();
}

std::string report_jobs(const std::vector<Job>& jobs, Detail detail) {
  if (jobs.empty()) {
    return "There are no jobs.\n";
  }
  Table table({{"ID"}, {"TYPE"}, {"OF"}, {"OWNER"}, {"STATE"}, {"CREATED"}, {"OUTCOME"}});
  for (const auto& job : jobs) {
    table.add({shown_id(job.id, detail), std::string(to_string(job.type)), job.subject, owner_of(job), state_of(job),
               format_time(job.created), outcome_of(job)});
  }
  return table.str();
}

}  // namespace cohort::cli
