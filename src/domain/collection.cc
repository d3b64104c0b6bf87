#include "domain/collection.h"

#include <set>

#include "base/utf8.h"
#include "domain/named_value.h"

namespace cohort {
namespace {

constexpr std::array<NamedValue<CollectionKind>, 2> kKinds{{
    {CollectionKind::kMachines, "machines"},
    {CollectionKind::kCollections, "collections"},
}};

constexpr std::size_t kLongestName = 128;

bool has_forbidden_character(std::string_view name) {
  return std::ranges::any_of(name, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f || c == '/'; });
}

Result<void> check_name(std::string_view name, std::string_view what) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::kInvalidArgument, "\"{}\" cannot be the name of a {}: {}.", name, what, why);
  };
  if (name.empty()) return refuse("it is empty");
  if (name.size() > kLongestName) return refuse("it is longer than 128 bytes");
  if (!is_utf8(name)) return fail(ErrorCode::kInvalidArgument, "The name of a {} must be UTF-8.", what);
  if (has_forbidden_character(name)) return refuse("it holds '/' or a control character");
  if (name == "." || name == "..") return refuse("it is a folder's name of its own");
  if (name.front() == ' ' || name.back() == ' ') return refuse("it begins or ends with a space");
  if (Uuid::parse(name)) return refuse("it has the form of a UUID");
  return {};
}

// Visits the collection and all nested ones, each once.
class Walk {
 public:
  Walk(const CollectionLookup& lookup, const std::function<void(const Collection&)>& visit)
      : lookup_(lookup), visit_(visit) {}

  void from(const Collection& collection) {  // NOLINT(misc-no-recursion): bounded by the set of collections
    if (!seen_.insert(collection.id).second) return;
    visit_(collection);
    for (const auto& id : collection.collections) {
      if (const auto inner = lookup_(id)) from(*inner);
    }
  }

 private:
  const CollectionLookup& lookup_;
  const std::function<void(const Collection&)>& visit_;
  std::set<CollectionId> seen_;
};

}  // namespace

std::string_view to_string(CollectionKind kind) { return name_of(kKinds, kind); }
Result<CollectionKind> collection_kind_from(std::string_view name) {
  return value_of(kKinds, name, "kind of collection");
}

Result<void> check_collection_name(std::string_view name) { return check_name(name, "collection"); }
Result<void> check_snapshot_name(std::string_view name) { return check_name(name, "snapshot"); }

bool reaches(const CollectionId& outer, const CollectionId& inner, const CollectionLookup& lookup) {
  if (outer == inner) return true;
  const auto start = lookup(outer);
  if (!start) return false;
  bool found = false;
  const std::function<void(const Collection&)> visit = [&](const Collection& met) { found |= met.id == inner; };
  Walk(lookup, visit).from(*start);
  return found;
}

std::vector<MachineMember> all_machines(const Collection& collection, const CollectionLookup& lookup) {
  std::vector<MachineMember> machines;
  std::set<MachineId> seen;
  const std::function<void(const Collection&)> visit = [&](const Collection& met) {
    for (const auto& member : met.machines) {
      if (seen.insert(member.id).second) machines.push_back(member);
    }
  };
  Walk(lookup, visit).from(collection);
  return machines;
}

}  // namespace cohort
