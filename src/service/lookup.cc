#include "service/lookup.h"

#include <algorithm>
#include <cctype>

#include "service/snapshot_tree.h"

namespace cohort::service {
namespace {

constexpr std::size_t kShortestPrefix = 4;

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// What the thing is called in messages, and the command that lists all of its kind.
struct Kind {
  std::string_view what;
  std::string_view list;
};

template <typename T>
std::string id_of(const T& thing) {
  return thing.id.str();
}
std::string id_of(const Snapshot& snapshot) { return public_id(snapshot); }

template <typename T, typename NameOf>
Result<T> find(const std::vector<T>& things, const std::string& name, const Kind& kind, NameOf name_of) {
  if (const auto named = std::ranges::find_if(things, [&](const T& t) { return name_of(t) == name; });
      named != things.end() && !name.empty()) {
    return *named;
  }
  std::vector<T> matches;
  if (const std::string prefix = lower(name); prefix.size() >= kShortestPrefix) {
    std::ranges::copy_if(things, std::back_inserter(matches), [&](const T& t) { return id_of(t).starts_with(prefix); });
  }
  if (matches.empty()) {
    return fail(ErrorCode::kNotFound, "There is no {} \"{}\"; `{}` lists what there is.", kind.what, name, kind.list);
  }
  if (matches.size() > 1) {
    return fail(ErrorCode::kInvalidArgument, "{} {}s have a UUID that begins with \"{}\": give more of it.",
                matches.size(), kind.what, name);
  }
  return matches.front();
}

constexpr Kind kSnapshots{"snapshot", "cohort snapshot list"};
constexpr Kind kReferencePoints{"reference point", "cohort reference list"};

const std::string& name_of(const Snapshot& snapshot) { return snapshot.name; }

Result<std::vector<Snapshot>> all_seen(StateStore& store) {
  return store.snapshots().map([](const std::vector<Snapshot>& all) { return seen_of(all); });
}

Result<std::vector<Snapshot>> snapshots_that(StateStore& store, bool are_reference_points) {
  COHORT_ASSIGN(auto all, all_seen(store));
  std::erase_if(all, [&](const Snapshot& snapshot) { return is_reference_point(snapshot) != are_reference_points; });
  return all;
}

Result<std::vector<Snapshot>> list(StateStore& store, const std::string& collection, bool are_reference_points) {
  COHORT_ASSIGN(auto all, snapshots_that(store, are_reference_points));
  if (collection.empty()) return all;
  COHORT_ASSIGN(const auto found, find_collection(store, collection));
  std::erase_if(all, [&](const Snapshot& snapshot) { return snapshot.collection != found.id; });
  return all;
}

}  // namespace

Result<Collection> find_collection(StateStore& store, const std::string& name) {
  COHORT_ASSIGN(const auto all, store.collections());
  return find(all, name, {"collection", "cohort collection list"}, [](const Collection& c) { return c.name; });
}

Result<Snapshot> find_snapshot(StateStore& store, const std::string& name) {
  COHORT_ASSIGN(const auto all, snapshots_that(store, false));
  auto found = find(all, name, kSnapshots, name_of);
  if (found || found.error().code != ErrorCode::kNotFound) return found;
  const auto other = find_reference_point(store, name);
  if (!other) return found;
  return fail(ErrorCode::kInvalidState,
              "\"{}\" is a reference point, and no snapshot (any more): see `cohort reference`.", other->name);
}

Result<Snapshot> find_reference_point(StateStore& store, const std::string& name) {
  COHORT_ASSIGN(const auto all, snapshots_that(store, true));
  return find(all, name, kReferencePoints, name_of);
}

Result<Job> find_job(StateStore& store, const std::string& name) {
  COHORT_ASSIGN(const auto all, store.jobs());
  return find(all, name, {"job", "cohort job list"}, [](const Job&) { return std::string(); });
}

Result<Snapshot> find_point(StateStore& store, const std::string& name) {
  COHORT_ASSIGN(const auto all, all_seen(store));
  return find(all, name, {"snapshot or reference point", "cohort snapshot list, cohort reference list"}, name_of);
}

Result<std::vector<Snapshot>> list_snapshots(StateStore& store, const std::string& collection) {
  return list(store, collection, false);
}

Result<std::vector<Snapshot>> list_reference_points(StateStore& store, const std::string& collection) {
  return list(store, collection, true);
}

std::string delete_command(const Snapshot& snapshot) {
  return fmt::format("cohort {} delete {}", is_reference_point(snapshot) ? "reference" : "snapshot",
                     public_id(snapshot).substr(0, 8));
}

bool is_recorded(const std::vector<Snapshot>& snapshots, const Path& overlay) {
  return std::ranges::any_of(snapshots, [&](const Snapshot& snapshot) {
    return std::ranges::any_of(snapshot.members, [&](const MemberSnapshot& member) {
      return std::ranges::any_of(member.disks, [&](const DiskSnapshot& disk) {
        return disk.overlay == overlay || disk.frozen.path == overlay || disk.stands_on == overlay;
      });
    });
  });
}

CollectionLookup lookup_in(StateStore& store) {
  return [&store](const CollectionId& id) -> std::optional<Collection> {
    auto found = store.collection(id);
    if (!found) return std::nullopt;
    return *std::move(found);
  };
}

}  // namespace cohort::service
