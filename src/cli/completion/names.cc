#include "cli/completion/names.h"

namespace cohort::cli {

namespace {

using Names = std::vector<std::string>;

Result<Names> collection_names(client::Session& session) {
  COHORT_ASSIGN(const auto views, session.collections());
  Names names;
  for (const auto& view : views) {
    names.push_back(view.collection.name);
  }
  return names;
}

Result<Names> names_of_all(const Result<std::vector<Snapshot>>& snapshots) {
  COHORT_TRY(snapshots);
  Names names;
  for (const auto& snapshot : *snapshots) {
    names.push_back(snapshot.name);
  }
  return names;
}

Result<Names> machine_names(client::Session& session) {
  COHORT_ASSIGN(const auto machines, session.machines());
  Names names;
  for (const auto& machine : machines) {
    names.push_back(machine.name);
  }
  return names;
}

Result<Names> job_names(client::Session& session) {
  COHORT_ASSIGN(const auto jobs, session.jobs());
  Names names;
  for (const auto& job : jobs) {
    names.push_back(job.id.short_str());
  }
  return names;
}

// What can be had: completion of machines should work without any state, and the other way round.
Result<Names> member_names(client::Session& session) {
  Names names = machine_names(session).value_or(Names{});
  for (auto& name : collection_names(session).value_or(Names{})) {
    names.push_back(std::move(name));
  }
  return names;
}

Result<Names> all_names_of(std::string_view kind, client::Session& session) {
  if (kind == "COLLECTION") {
    return collection_names(session);
  }
  if (kind == "SNAPSHOT") {
    return names_of_all(session.snapshots(""));
  }
  if (kind == "REFERENCE") {
    return names_of_all(session.reference_points(""));
  }
  if (kind == "MACHINE") {
    return machine_names(session);
  }
  if (kind == "MEMBER") {
    return member_names(session);
  }
  if (kind == "JOB") {
    return job_names(session);
  }
  return fail(ErrorCode::kInvalidArgument, "There are no names of the kind \"{}\".", kind);
}

}  // namespace

Result<Names> names_of(std::string_view kind, client::Session& session) {
  COHORT_ASSIGN(auto names, all_names_of(kind, session));
  std::erase_if(names, [](const std::string& name) { return name.find('\n') != std::string::npos; });
  return names;
}

}  // namespace cohort::cli
