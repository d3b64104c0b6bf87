#include "service/prune_packages.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <map>
#include <set>

#include "base/kill_point.h"
#include "domain/named_value.h"
#include "package/layout.h"

namespace cohort::service {
namespace {

namespace fs = std::filesystem;

constexpr std::array<NamedValue<PackageFate>, 4> kFates{{
    {PackageFate::kKept, "kept"},
    {PackageFate::kMerged, "merged"},
    {PackageFate::kRemoved, "removed"},
    {PackageFate::kLeft, "left"},
}};

using Packages = std::vector<PrunedPackage>;

// Of one collection, the newest first; of one snapshot the one first that stands on the fewest others.
bool is_judged_before(const PrunedPackage* one, const PrunedPackage* other) {
  const package::Manifest& a = *one->stored.manifest;
  const package::Manifest& b = *other->stored.manifest;
  if (a.instant != b.instant) return a.instant > b.instant;
  if (a.snapshot != b.snapshot) return a.snapshot < b.snapshot;
  return one->stored.parents.size() < other->stored.parents.size();
}

// One package of each snapshot is kept by the rules; the others go.
void judge_collection(std::vector<PrunedPackage*> packages, const Retention& retention) {
  std::ranges::sort(packages, is_judged_before);
  for (auto* each : packages) each->fate = PackageFate::kRemoved;
  const auto is_same = [](const PrunedPackage* one, const PrunedPackage* other) {
    return one->stored.manifest->snapshot == other->stored.manifest->snapshot;
  };
  packages.erase(std::unique(packages.begin(), packages.end(), is_same), packages.end());
  std::vector<WallTime> instants;
  for (const auto* each : packages) instants.push_back(each->stored.manifest->instant);
  const auto rules = kept_by(retention, instants);
  for (std::size_t i = 0; i < packages.size(); ++i) {
    packages[i]->rules = rules[i];
    if (!rules[i].empty()) packages[i]->fate = PackageFate::kKept;
  }
}

void judge(Packages& packages, const Retention& retention) {
  std::map<CollectionId, std::vector<PrunedPackage*>> of_collections;
  for (auto& each : packages) {
    std::error_code ignored;
    each.why = fs::is_symlink(each.stored.package, ignored) ? "It is a link." : why_no_whole_point(each.stored);
    if (each.why.empty()) of_collections[each.stored.manifest->collection].push_back(&each);
  }
  for (auto& [collection, judged] : of_collections) judge_collection(std::move(judged), retention);
}

// The file system's own name for it, with no link and no ".." in it.
Path own_name(const Path& package) {
  std::error_code code;
  Path name = fs::canonical(package, code);
  return code ? package.lexically_normal() : name;
}

std::vector<Path> names_of_parents(const StoredPackage& stored) {
  std::vector<Path> names;
  for (const auto& parent : stored.parents) names.push_back(own_name(parent.package));
  return names;
}

bool is_among(const Path& package, const std::vector<Path>& names) {
  return std::ranges::find(names, own_name(package)) != names.end();
}

// The clock may have been set back since the others were made.
void keep_newest(Packages& packages, const PruneRequest& request) {
  const Path newest = request.coming ? request.coming->package : request.newest;
  if (newest.empty()) return;
  for (auto& each : packages) {
    if (each.fate != PackageFate::kRemoved || own_name(each.stored.package) != own_name(newest)) continue;
    each.fate = PackageFate::kKept;
    each.why = "It is the newest that was made.";
  }
}

// What is left alone may be of use to somebody, with all that it stands on.
void keep_for_others(Packages& packages) {
  for (const auto& other : packages) {
    if (other.fate != PackageFate::kLeft) continue;
    const auto names = names_of_parents(other.stored);
    for (auto& each : packages) {
      if (each.fate != PackageFate::kRemoved || !is_among(each.stored.package, names)) continue;
      each.fate = PackageFate::kKept;
      each.why = fmt::format("\"{}\" stands on it.", other.stored.package.filename().string());
    }
  }
}

void merge_those_that_lose_their_parent(Packages& packages) {
  for (auto& each : packages) {
    if (each.fate != PackageFate::kKept || each.stored.parents.empty()) continue;
    const std::vector<Path> parent{own_name(each.stored.parents.front().package)};
    const bool loses_it = std::ranges::any_of(packages, [&](const PrunedPackage& other) {
      return other.fate == PackageFate::kRemoved && is_among(other.stored.package, parent);
    });
    if (loses_it) each.fate = PackageFate::kMerged;
  }
}

// With all that it stands on.
std::uint64_t bytes_of_chain(const StoredPackage& stored) {
  std::uint64_t bytes = stored.size.bytes;
  for (const auto& parent : stored.parents) {
    const auto found = stored_package(parent.package);
    if (found) bytes += found->size.bytes;
  }
  return bytes;
}

// Under a name that no whole package has, and then file by file.
Result<void> remove_package(const Path& package, JobContext& job) {
  const Path hidden = package.native() + std::string(package::kPartialSuffix);
  std::error_code code;
  if (fs::exists(fs::symlink_status(hidden, code))) {
    return fail(ErrorCode::kAlreadyExists, "\"{}\" is in the way: remove it if nobody writes to it.", hidden.string());
  }
  COHORT_ASSIGN(const auto step, job.will_undo(UndoKind::kRemovePartial, hidden.string()));
  kill_point("prune.before_hide");
  if (std::rename(package.c_str(), hidden.c_str()) != 0) {
    const Error error = system_error(errno, fmt::format("\"{}\" cannot be removed.", package.string()));
    COHORT_TRY(job.will_keep(step));
    return Failure{error};
  }
  COHORT_TRY(sync_directory(package.parent_path()));
  kill_point("prune.hidden");
  COHORT_TRY(remove_tree(hidden));
  COHORT_TRY(job.will_keep(step));
  kill_point("prune.removed");
  return {};
}

// A package of the plan with its name and those of what it stands on, as they were in the beginning.
struct Named {
  const PrunedPackage* package;
  Path name;
  std::vector<Path> parents;  // the nearest first
};

// Carries out a plan: what can go goes as soon as nothing needs it, which makes room for the merges.
class Pruning {
 public:
  Pruning(const PrunePlan& plan, DiskCopier& copier, const Clock& clock, JobContext& job)
      : merge_(copier, clock), job_(job) {
    for (const auto& each : plan.packages) {
      Named named{&each, own_name(each.stored.package), names_of_parents(each.stored)};
      (each.fate == PackageFate::kRemoved ? going_ : staying_).push_back(std::move(named));
    }
    // No package goes before those that stand on it.
    std::ranges::stable_sort(going_, std::greater<>{}, [](const Named& each) { return each.parents.size(); });
  }

  Result<void> run() {
    COHORT_TRY(remove_unneeded());
    for (const auto& each : staying_) {
      if (each.package->fate != PackageFate::kMerged) continue;
      COHORT_TRY(merge_.run({each.package->stored.package, {}}, job_));
      job_.will_stay();
      kill_point("prune.merged");
      standing_alone_.insert(each.name);
      COHORT_TRY(remove_unneeded());
    }
    return {};
  }

 private:
  [[nodiscard]] bool is_needed_by(const Named& staying, const Path& name) const {
    if (standing_alone_.contains(staying.name)) return false;
    for (const auto& parent : staying.parents) {
      if (parent == name) return true;
      if (standing_alone_.contains(parent)) return false;
    }
    return false;
  }

  Result<void> remove_unneeded() {
    std::vector<Named> left;
    for (auto& each : going_) {
      const auto needs_it = [&](const Named& staying) { return is_needed_by(staying, each.name); };
      if (std::ranges::any_of(staying_, needs_it)) {
        left.push_back(std::move(each));
        continue;
      }
      COHORT_TRY(job_.check_cancelled());
      job_.set_phase(fmt::format("removing {}", each.name.filename().string()));
      COHORT_TRY(remove_package(each.name, job_));
      job_.will_stay();
    }
    going_ = std::move(left);
    return {};
  }

  MergePackage merge_;
  JobContext& job_;
  std::vector<Named> going_;
  std::vector<Named> staying_;
  std::set<Path> standing_alone_;  // since they were merged
};

}  // namespace

std::string_view to_string(PackageFate fate) { return name_of(kFates, fate); }

Result<PrunePlan> PrunePackages::plan(const PruneRequest& request, const std::stop_token& stop) {
  if (!request.retention.keeps_any()) {
    return fail(ErrorCode::kInvalidArgument,
                "Nothing would be kept: say how many with --keep-last, --keep-daily, --keep-weekly or --keep-monthly.");
  }
  PrunePlan plan{request.folder, {}};
  COHORT_ASSIGN(auto stored, packages_in(request.folder));
  if (request.coming) stored.push_back(*request.coming);
  for (auto& each : stored) {
    const bool is_of_another =
        !request.collection.is_nil() && each.manifest && each.manifest->collection != request.collection;
    if (!is_of_another) plan.packages.push_back({std::move(each)});
  }
  judge(plan.packages, request.retention);
  keep_newest(plan.packages, request);
  keep_for_others(plan.packages);
  merge_those_that_lose_their_parent(plan.packages);
  for (auto& each : plan.packages) {
    if (each.fate != PackageFate::kMerged) continue;
    if (request.coming && each.stored.package == request.coming->package) {
      each.estimated_bytes = bytes_of_chain(each.stored);
      continue;
    }
    COHORT_ASSIGN(const auto merge, MergePackage(copier_, clock_).plan({each.stored.package, {}}, stop));
    each.estimated_bytes = merge.estimated_bytes;
  }
  return plan;
}

Result<void> PrunePackages::carry_out(const PrunePlan& plan, JobContext& job) {
  auto done = Pruning(plan, copier_, clock_, job).run();
  if (!done && job.stays()) {
    done.error().message +=
        " What was done by then stays, and all that is to be kept can be used: the same command goes on.";
  }
  return done;
}

Result<PrunePlan> PrunePackages::run(const PruneRequest& request, JobContext& job) {
  job.set_phase("looking at the packages");
  COHORT_ASSIGN(auto planned, plan(request, job.stop()));
  COHORT_TRY(carry_out(planned, job));
  job.set_result(request.folder.string());
  return planned;
}

}  // namespace cohort::service
