#include "service/lookup.h"

#include <algorithm>
#include <cctype>

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

template <typename T, typename NameOf>
Result<T> find(const std::vector<T>& things, const std::string& name, const Kind& kind, NameOf name_of) {
  if (const auto named = std::ranges::find_if(things, [&](const T& t) { return name_of(t) == name; });
      named != things.end() && !name.empty()) {
    return *named;
  }
  std::vector<T> matches;
  if (const std::string prefix = lower(name); prefix.size() >= kShortestPrefix) {
    std::ranges::copy_if(things, std::back_inserter(matches),
                         [&](const T& t) { return t.id.str().starts_with(prefix); });
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

}  // namespace

Result<Collection> find_collection(StateStore& store, const std::string& name) {
  COHORT_ASSIGN(const auto all, store.collections());
  return find(all, name, {"collection", "cohort collection list"}, [](const Collection& c) { return c.name; });
}

Result<Snapshot> find_snapshot(StateStore& store, const std::string& name) {
  COHORT_ASSIGN(const auto all, store.snapshots());
  return find(all, name, {"snapshot", "cohort snapshot list"}, [](const Snapshot& s) { return s.name; });
}

Result<Job> find_job(StateStore& store, const std::string& name) {
  COHORT_ASSIGN(const auto all, store.jobs());
  return find(all, name, {"job", "cohort job list"}, [](const Job&) { return std::string(); });
}

bool is_recorded(const std::vector<Snapshot>& snapshots, const Path& overlay) {
  return std::ranges::any_of(snapshots, [&](const Snapshot& snapshot) {
    return std::ranges::any_of(snapshot.members, [&](const MemberSnapshot& member) {
      return std::ranges::any_of(member.disks, [&](const DiskSnapshot& disk) {
        return disk.overlay == overlay || disk.frozen.path == overlay;
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
