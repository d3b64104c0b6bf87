// Collections: create, rename, delete, add and remove members.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "domain/collection.h"
#include "domain/machine.h"
#include "service/ports/hypervisor.h"
#include "service/ports/state_store.h"

namespace cohort::service {

// A machine of a collection as it is now.
struct MemberView {
  MachineMember member;
  // Absent: the machine no longer exists ("missing").
  std::optional<MachineSummary> machine;
};

struct CollectionView {
  Collection collection;
  std::vector<MemberView> machines;       // own members of a collection of machines
  std::vector<Collection> collections;    // own members of a collection of collections
  std::vector<MemberView> all_machines;   // with nested ones, each once: what a snapshot would take
  std::vector<std::string> contained_in;  // names of the collections that have it as a member
  std::size_t snapshots = 0;
  std::size_t reference_points = 0;
};

// Every call changes all it was asked for, or nothing. Short: no job is needed.
// Threads: safe to call from several at once; changes follow one another.
// A collection is named by its name, its UUID, or the first characters (4 or more) of the UUID; a machine by its name
// or UUID. kNotFound and kAlreadyExists name the thing; kInvalidArgument an ambiguous or unsuitable one.
class Collections {
 public:
  Collections(Hypervisor& hypervisor, StateStore& store, const Clock& clock);

  // Without an id, one is made; one that is taken is kAlreadyExists.
  [[nodiscard]] Result<Collection> create(const std::string& name, CollectionKind kind,
                                          const std::vector<std::string>& members,
                                          const std::optional<CollectionId>& id = {});
  [[nodiscard]] Result<Collection> rename(const std::string& collection, const std::string& new_name);
  // kInvalidState while it has snapshots or reference points, or is a member of another collection: delete or remove
  // those first.
  [[nodiscard]] Result<Collection> remove(const std::string& collection);
  // A member that is there already is kAlreadyExists; a cycle is kInvalidArgument.
  [[nodiscard]] Result<Collection> add_members(const std::string& collection, const std::vector<std::string>& members);
  // A missing machine is named by its last name or its UUID. Snapshots that were taken keep it.
  [[nodiscard]] Result<Collection> remove_members(const std::string& collection,
                                                  const std::vector<std::string>& members);
  [[nodiscard]] Result<std::vector<CollectionView>> list();
  [[nodiscard]] Result<CollectionView> show(const std::string& collection);

 private:
  Hypervisor& hypervisor_;
  StateStore& store_;
  const Clock& clock_;
  std::mutex changing_;  // each change reads what it changes
};

}  // namespace cohort::service
