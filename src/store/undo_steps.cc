#include "store/rows.h"
#include "store/tables.h"

namespace cohort::store {

Result<UndoStep> add_undo_step(SQLite::Database& database, const JobId& job, UndoKind kind,
                               const std::string& subject) {
  COHORT_ASSIGN(const Job stored, read_job(database, job));
  if (is_ended(stored.state)) {
    return fail(ErrorCode::kInvalidState, "The job {} has ended.", job.str());
  }
  execute(database, "INSERT INTO undo_step (job, kind, subject) VALUES (?, ?, ?)", job, to_string(kind), subject);
  return UndoStep{database.getLastInsertRowid(), kind, subject};
}

void remove_undo_step(SQLite::Database& database, const UndoStep& step) {
  execute(database, "DELETE FROM undo_step WHERE number = ?", step.number);
}

void remove_undo_steps(SQLite::Database& database, const JobId& job) {
  execute(database, "DELETE FROM undo_step WHERE job = ?", job);
}

std::vector<UndoStep> read_undo_steps(SQLite::Database& database, const JobId& job) {
  auto found = prepare(database, "SELECT number, kind, subject FROM undo_step WHERE job = ? ORDER BY number", job);
  std::vector<UndoStep> steps;
  while (found.executeStep()) {
    Row row(found);
    UndoStep& step = steps.emplace_back();
    step.number = row.integer();
    step.kind = readable(undo_kind_from(row.text()));
    step.subject = row.text();
  }
  return steps;
}

}  // namespace cohort::store
