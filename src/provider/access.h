// What a caller may see and do: by the role that holds for all collections, and by those for single ones.
//
// Whatever belongs to a collection is seen by those who have a role for it: its members, their settings, its snapshots
// and reference points, and the jobs about them. A role for a collection of collections holds for those in it. What
// belongs to no collection (machines that are in none, packages) is seen with a role for all collections alone.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cim/value.h"
#include "domain/collection.h"
#include "provider/caller.h"
#include "service/ports/state_store.h"

namespace cohort::provider {

// Of one request: what changes meanwhile is not noticed. Threads: safe to call from several at once.
class Access {
 public:
  // Both outlive this object; without a state, roles for single collections give nothing. Fails as the state does.
  [[nodiscard]] static Result<Access> of(const Caller& caller, service::StateStore* state);

  // True if nothing is hidden from the caller.
  [[nodiscard]] bool sees_all() const { return caller_->may(Right::kLook); }
  // What the caller may do with the object of a path; kNone: it is hidden. A class that is not known to this file is
  // one of those that are hidden from callers without a role for all collections.
  [[nodiscard]] Result<Right> over(const cim::ObjectPath& path) const;
  [[nodiscard]] Result<bool> shows(const cim::ObjectPath& path) const;
  // An association is seen by those who see all its ends.
  [[nodiscard]] Result<bool> shows(const cim::Instance& instance) const;

  // Whether it is said here to whom instances of the class belong; and if so, whether they belong to no collection.
  [[nodiscard]] static bool knows(std::string_view class_name);
  [[nodiscard]] static bool is_everybodys(std::string_view class_name);

 private:
  Access(const Caller& caller, service::StateStore* state) : caller_(&caller), state_(state) {}

  [[nodiscard]] Result<void> read_collections();
  void give(const Collection& collection, Right right, const std::vector<Collection>& all);
  [[nodiscard]] Right at_least(Right right) const { return std::max(right, caller_->right); }
  [[nodiscard]] Right over_collection(const CollectionId& collection) const;
  [[nodiscard]] Right over_point(const std::string& id) const;
  [[nodiscard]] Right over_machine(const MachineId& machine) const;
  [[nodiscard]] Right over_configuration(const cim::ObjectPath& path) const;
  [[nodiscard]] Result<Right> over_job(const cim::ObjectPath& path) const;
  [[nodiscard]] Right over_system(const cim::ObjectPath& path) const;

  const Caller* caller_;
  service::StateStore* state_;
  std::map<CollectionId, Right> collections_;
  std::map<MachineId, Right> machines_;
  std::map<std::string, CollectionId>
      points_;  // of snapshots and reference points, by the ids under which they are known
};

}  // namespace cohort::provider
