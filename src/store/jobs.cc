#include "store/rows.h"
#include "store/tables.h"

namespace cohort::store {
namespace {

constexpr const char* kSelect =
    "SELECT id, type, subject, state, pid, phase, done_bytes, total_bytes, created, started, ended, error_code, "
    "error_message, error_cause, result, owner, collection, point FROM job ";

// Ended ones beyond it are forgotten, the oldest first, but none before those who asked for it could see its end.
constexpr int kJobsKept = 1000;
constexpr std::chrono::minutes kSeenAtLeast{5};

void forget_old_jobs(SQLite::Database& database, WallTime now) {
  execute(database,
          "DELETE FROM job WHERE ended < ? AND number <= "
          "(SELECT number FROM job ORDER BY number DESC LIMIT 1 OFFSET ?)",
          now - kSeenAtLeast, kJobsKept);
}

Failure no_job(const JobId& id) { return fail(ErrorCode::kNotFound, "There is no job {}.", id.str()); }

// An optional error as three columns that may be null.
struct ErrorColumns {
  explicit ErrorColumns(const std::optional<Error>& error) {
    if (error) {
      code = to_string(error->code);
      message = error->message;
      cause = error->cause;
    }
  }
  std::optional<std::string> code;
  std::optional<std::string> message;
  std::optional<std::string> cause;
};

void write_frames(SQLite::Database& database, const Job& job) {
  execute(database, "DELETE FROM job_error_frame WHERE job = ?", job.id);
  if (!job.error) {
    return;
  }
  int position = 0;
  for (const std::string& frame : job.error->context) {
    execute(database, "INSERT INTO job_error_frame (job, position, frame) VALUES (?, ?, ?)", job.id, position++, frame);
  }
}

std::vector<std::string> read_frames(SQLite::Database& database, const JobId& id) {
  auto found = prepare(database, "SELECT frame FROM job_error_frame WHERE job = ? ORDER BY position", id);
  std::vector<std::string> frames;
  while (found.executeStep()) {
    frames.push_back(Row(found).text());
  }
  return frames;
}

std::optional<Error> read_error(SQLite::Database& database, const JobId& id, Row& row) {
  const auto code = row.optional_text();
  const auto message = row.optional_text();
  const auto cause = row.optional_text();
  if (!code) {
    return std::nullopt;
  }
  return Error{error_code_from(*code), message.value_or(""), cause.value_or(""), read_frames(database, id)};
}

Job read_row(SQLite::Database& database, SQLite::Statement& statement) {
  Row row(statement);
  Job job;
  job.id = row.id<JobId>();
  job.type = readable(job_type_from(row.text()));
  job.subject = row.text();
  job.state = readable(job_state_from(row.text()));
  job.pid = static_cast<pid_t>(row.integer());
  job.progress.phase = row.text();
  job.progress.done_bytes = row.size();
  job.progress.total_bytes = row.size();
  job.created = row.time();
  job.started = row.optional_time();
  job.ended = row.optional_time();
  job.error = read_error(database, job.id, row);
  job.result = row.text();
  job.owner = row.text();
  if (const auto id = row.optional_text()) job.works_on.collection = readable(CollectionId::parse(*id));
  job.works_on.point = row.text();
  return job;
}

}  // namespace

Result<void> add_job(SQLite::Database& database, const Job& job) {
  const ErrorColumns error(job.error);
  const int added = execute(
      database,
      "INSERT OR IGNORE INTO job (id, type, subject, state, pid, phase, done_bytes, total_bytes, created, started, "
      "ended, error_code, error_message, error_cause, result, owner, collection, point) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      job.id, to_string(job.type), job.subject, to_string(job.state), job.pid, job.progress.phase,
      job.progress.done_bytes, job.progress.total_bytes, job.created, job.started, job.ended, error.code, error.message,
      error.cause, job.result, job.owner, job.works_on.collection, job.works_on.point);
  if (added == 0) {
    return fail(ErrorCode::kAlreadyExists, "There is a job {} already.", job.id.str());
  }
  write_frames(database, job);
  forget_old_jobs(database, job.created);
  return {};
}

// cancel_requested is not touched: another process sets it at any time.
Result<void> update_job(SQLite::Database& database, const Job& job) {
  const ErrorColumns error(job.error);
  const int changed =
      execute(database,
              "UPDATE job SET type = ?, subject = ?, state = ?, pid = ?, phase = ?, done_bytes = ?, total_bytes = ?, "
              "created = ?, started = ?, ended = ?, error_code = ?, error_message = ?, error_cause = ?, result = ?, "
              "owner = ?, collection = ?, point = ? WHERE id = ?",
              to_string(job.type), job.subject, to_string(job.state), job.pid, job.progress.phase,
              job.progress.done_bytes, job.progress.total_bytes, job.created, job.started, job.ended, error.code,
              error.message, error.cause, job.result, job.owner, job.works_on.collection, job.works_on.point, job.id);
  if (changed == 0) {
    return no_job(job.id);
  }
  write_frames(database, job);
  return {};
}

Result<Job> read_job(SQLite::Database& database, const JobId& id) {
  auto found = prepare(database, (std::string(kSelect) + "WHERE id = ?").c_str(), id);
  if (!found.executeStep()) {
    return no_job(id);
  }
  return read_row(database, found);
}

std::vector<Job> read_jobs(SQLite::Database& database) {
  auto found = prepare(database, (std::string(kSelect) + "ORDER BY created DESC, number DESC").c_str());
  std::vector<Job> all;
  while (found.executeStep()) {
    all.push_back(read_row(database, found));
  }
  return all;
}

Result<void> request_cancel(SQLite::Database& database, const JobId& id) {
  COHORT_ASSIGN(const Job job, read_job(database, id));
  if (!is_ended(job.state)) {
    execute(database, "UPDATE job SET cancel_requested = 1 WHERE id = ?", id);
  }
  return {};
}

Result<bool> is_cancel_requested(SQLite::Database& database, const JobId& id) {
  auto found = prepare(database, "SELECT cancel_requested FROM job WHERE id = ?", id);
  if (!found.executeStep()) {
    return no_job(id);
  }
  return Row(found).flag();
}

}  // namespace cohort::store
