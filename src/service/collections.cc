#include "service/collections.h"

#include <algorithm>

#include "service/lookup.h"

namespace cohort::service {
namespace {

Result<void> add_machine(const std::string& name, Collection& to, Hypervisor& hypervisor) {
  COHORT_ASSIGN(const auto machine, hypervisor.find_machine(name));
  if (std::ranges::any_of(to.machines, [&](const MachineMember& m) { return m.id == machine.id; })) {
    return fail(ErrorCode::kAlreadyExists, "The machine \"{}\" is a member of the collection \"{}\" already.",
                machine.name, to.name);
  }
  to.machines.push_back({machine.id, machine.name});
  return {};
}

Result<void> add_collection(const std::string& name, Collection& to, StateStore& store) {
  COHORT_ASSIGN(const auto inner, find_collection(store, name));
  if (std::ranges::find(to.collections, inner.id) != to.collections.end()) {
    return fail(ErrorCode::kAlreadyExists, "The collection \"{}\" is a member of \"{}\" already.", inner.name, to.name);
  }
  if (inner.id == to.id || reaches(inner.id, to.id, lookup_in(store))) {
    return fail(ErrorCode::kInvalidArgument,
                "\"{}\" cannot be a member of \"{}\": it contains that collection itself (a cycle).", inner.name,
                to.name);
  }
  to.collections.push_back(inner.id);
  return {};
}

Result<void> add_all(const std::vector<std::string>& names, Collection& to, Hypervisor& hypervisor, StateStore& store) {
  for (const auto& name : names) {
    COHORT_TRY(to.kind == CollectionKind::kMachines ? add_machine(name, to, hypervisor)
                                                    : add_collection(name, to, store));
  }
  return {};
}

// The member of that UUID, present name or last known name. A machine that was renamed is found by its new name, too.
Result<void> remove_machine(const std::string& name, Collection& from, Hypervisor& hypervisor) {
  auto& machines = from.machines;
  const auto machine = hypervisor.find_machine(name);
  auto found = std::ranges::find_if(machines, [&](const MachineMember& m) { return machine && m.id == machine->id; });
  if (found == machines.end()) {
    found =
        std::ranges::find_if(machines, [&](const MachineMember& m) { return m.name == name || m.id.str() == name; });
  }
  if (found == machines.end()) {
    return fail(ErrorCode::kNotFound,
                "The collection \"{}\" has no machine \"{}\"; `cohort collection show` lists them.", from.name, name);
  }
  machines.erase(found);
  return {};
}

Result<void> remove_collection(const std::string& name, Collection& from, StateStore& store) {
  COHORT_ASSIGN(const auto inner, find_collection(store, name));
  if (std::erase(from.collections, inner.id) == 0) {
    return fail(ErrorCode::kNotFound, "The collection \"{}\" has no member \"{}\".", from.name, inner.name);
  }
  return {};
}

// A job that the command began says what it works on when it has its turn; until then there is what it was called with.
bool works_on(const Job& job, const Collection& collection, StateStore& store) {
  if (job.works_on.collection) return *job.works_on.collection == collection.id;
  const auto named = find_collection(store, job.subject);
  return named && named->id == collection.id;
}

// Its snapshot would be one of nobody's, and a job that waits would find nothing to work on.
Result<void> check_idle(const Collection& collection, StateStore& store) {
  COHORT_ASSIGN(const auto jobs, store.jobs());
  const auto at_work = std::ranges::find_if(
      jobs, [&](const Job& job) { return !is_ended(job.state) && works_on(job, collection, store); });
  if (at_work == jobs.end()) return {};
  return fail(ErrorCode::kInUse,
              "A job ({}) works on the collection \"{}\", or waits to: let it end, or cancel it (`cohort job list`).",
              to_string(at_work->type), collection.name);
}

std::vector<MemberView> views_of(const std::vector<MachineMember>& members,
                                 const std::vector<MachineSummary>& machines) {
  std::vector<MemberView> views;
  for (const auto& member : members) {
    const auto found = std::ranges::find(machines, member.id, &MachineSummary::id);
    views.push_back({member, found == machines.end() ? std::nullopt : std::optional(*found)});
    if (views.back().machine) views.back().member.name = views.back().machine->name;
  }
  return views;
}

}  // namespace

Collections::Collections(Hypervisor& hypervisor, StateStore& store, const Clock& clock)
    : hypervisor_(hypervisor), store_(store), clock_(clock) {}

Result<Collection> Collections::create(const std::string& name, CollectionKind kind,
                                       const std::vector<std::string>& members, const std::optional<CollectionId>& id) {
  const std::scoped_lock lock(changing_);
  COHORT_TRY(check_collection_name(name));
  Collection collection;
  collection.id = id.value_or(CollectionId::generate());
  collection.name = name;
  collection.kind = kind;
  collection.created = clock_.wall();
  COHORT_TRY(add_all(members, collection, hypervisor_, store_));
  COHORT_TRY(store_.add_collection(collection));
  return collection;
}

Result<Collection> Collections::rename(const std::string& collection, const std::string& new_name) {
  const std::scoped_lock lock(changing_);
  COHORT_TRY(check_collection_name(new_name));
  COHORT_ASSIGN(Collection found, find_collection(store_, collection));
  found.name = new_name;
  COHORT_TRY(store_.update_collection(found));
  return found;
}

Result<Collection> Collections::remove(const std::string& collection) {
  const std::scoped_lock lock(changing_);
  // Before its snapshots are counted: what a job that ends meanwhile has made is among them.
  COHORT_ASSIGN(const auto found, find_collection(store_, collection));
  COHORT_TRY(check_idle(found, store_));
  COHORT_ASSIGN(const CollectionView view, show(collection));
  if (view.snapshots > 0) {
    return fail(ErrorCode::kInvalidState,
                "The collection \"{}\" has {} snapshot(s): delete them first (`cohort snapshot list`).",
                view.collection.name, view.snapshots);
  }
  if (view.reference_points > 0) {
    return fail(ErrorCode::kInvalidState,
                "The collection \"{}\" has {} reference point(s): delete them first (`cohort reference list`).",
                view.collection.name, view.reference_points);
  }
  if (!view.contained_in.empty()) {
    return fail(ErrorCode::kInvalidState, "The collection \"{}\" is a member of \"{}\": remove it there first.",
                view.collection.name, fmt::join(view.contained_in, "\", \""));
  }
  COHORT_TRY(store_.remove_collection(view.collection.id));
  return view.collection;
}

Result<Collection> Collections::add_members(const std::string& collection, const std::vector<std::string>& members) {
  const std::scoped_lock lock(changing_);
  COHORT_ASSIGN(Collection found, find_collection(store_, collection));
  COHORT_TRY(add_all(members, found, hypervisor_, store_));
  COHORT_TRY(store_.update_collection(found));
  return found;
}

Result<Collection> Collections::remove_members(const std::string& collection, const std::vector<std::string>& members) {
  const std::scoped_lock lock(changing_);
  COHORT_ASSIGN(Collection found, find_collection(store_, collection));
  for (const auto& name : members) {
    COHORT_TRY(found.kind == CollectionKind::kMachines ? remove_machine(name, found, hypervisor_)
                                                       : remove_collection(name, found, store_));
  }
  COHORT_TRY(store_.update_collection(found));
  return found;
}

Result<std::vector<CollectionView>> Collections::list() {
  COHORT_ASSIGN(const auto collections, store_.collections());
  COHORT_ASSIGN(const auto machines, hypervisor_.machines());
  COHORT_ASSIGN(const auto snapshots, store_.snapshots());
  std::vector<CollectionView> views;
  for (const auto& collection : collections) {
    CollectionView view;
    view.collection = collection;
    view.machines = views_of(collection.machines, machines);
    view.all_machines = views_of(all_machines(collection, lookup_in(store_)), machines);
    for (const auto& other : collections) {
      if (std::ranges::find(collection.collections, other.id) != collection.collections.end()) {
        view.collections.push_back(other);
      }
      if (std::ranges::find(other.collections, collection.id) != other.collections.end()) {
        view.contained_in.push_back(other.name);
      }
    }
    for (const auto& snapshot : snapshots) {
      if (snapshot.collection != collection.id || snapshot.state == SnapshotState::kShared) continue;
      ++(is_reference_point(snapshot) ? view.reference_points : view.snapshots);
    }
    views.push_back(std::move(view));
  }
  return views;
}

Result<CollectionView> Collections::show(const std::string& collection) {
  COHORT_ASSIGN(const auto found, find_collection(store_, collection));
  COHORT_ASSIGN(const auto views, list());
  const auto view = std::ranges::find_if(views, [&](const CollectionView& v) { return v.collection.id == found.id; });
  if (view == views.end()) return fail(ErrorCode::kNotFound, "The collection \"{}\" is gone.", collection);
  return *view;
}

}  // namespace cohort::service
