#include "domain/collection.h"

#include <gtest/gtest.h>

#include <map>

namespace cohort {
namespace {

class CollectionTest : public testing::Test {
 protected:
  Collection& make(CollectionKind kind) {
    Collection collection;
    collection.id = CollectionId::generate();
    collection.kind = kind;
    return all_[collection.id] = collection;
  }
  CollectionLookup lookup() {
    return [this](const CollectionId& id) -> std::optional<Collection> {
      const auto found = all_.find(id);
      if (found == all_.end()) return std::nullopt;
      return found->second;
    };
  }

 private:
  std::map<CollectionId, Collection> all_;
};

TEST_F(CollectionTest, AMachineReachedTwiceIsTakenOnce) {
  const MachineMember shared{MachineId::generate(), "shared"};
  const MachineMember other{MachineId::generate(), "other"};
  auto& a = make(CollectionKind::kMachines);
  auto& b = make(CollectionKind::kMachines);
  auto& outer = make(CollectionKind::kCollections);
  a.machines = {shared};
  b.machines = {other, shared};
  outer.collections = {a.id, b.id};
  const auto machines = all_machines(outer, lookup());
  ASSERT_EQ(machines.size(), 2U);
  EXPECT_EQ(machines[0].id, shared.id);
  EXPECT_EQ(machines[1].id, other.id);
}

TEST_F(CollectionTest, ReachesThroughNesting) {
  auto& inner = make(CollectionKind::kMachines);
  auto& middle = make(CollectionKind::kCollections);
  auto& outer = make(CollectionKind::kCollections);
  middle.collections = {inner.id};
  outer.collections = {middle.id};
  EXPECT_TRUE(reaches(outer.id, inner.id, lookup()));
  EXPECT_TRUE(reaches(outer.id, outer.id, lookup()));
  EXPECT_FALSE(reaches(inner.id, outer.id, lookup()));
}

TEST_F(CollectionTest, ACycleInTheStoreDoesNotHang) {
  auto& a = make(CollectionKind::kCollections);
  auto& b = make(CollectionKind::kCollections);
  a.collections = {b.id};
  b.collections = {a.id};
  EXPECT_TRUE(all_machines(a, lookup()).empty());
  EXPECT_TRUE(reaches(a.id, b.id, lookup()));
}

TEST_F(CollectionTest, NamesForPeopleAreAccepted) {
  for (const char* name : {"shop", "the shop", "Läden 日本", "a.b", "...", "-x"}) {
    EXPECT_TRUE(check_collection_name(name)) << name;
  }
  EXPECT_TRUE(check_collection_name(std::string(128, 'x')));
}

TEST_F(CollectionTest, UnsuitableNamesAreRefused) {
  for (const char* name : {"", ".", "..", "a/b", "a\nb", " a", "a ", "\xff", "c7a5fdbd-edaf-9455-926a-d65c16db1809"}) {
    EXPECT_EQ(check_collection_name(name).error().code, ErrorCode::kInvalidArgument) << name;
  }
  EXPECT_FALSE(check_collection_name(std::string(129, 'x')));
}

}  // namespace
}  // namespace cohort
