#include "provider/snapshot_branches.h"

#include <gmock/gmock.h>

namespace cohort::provider {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const CollectionId kShop = CollectionId::generate();
const CollectionId kSite = CollectionId::generate();
const MachineId kWeb = MachineId::generate();
const MachineId kDb = MachineId::generate();

struct Place {
  std::optional<SnapshotId> parent;
  std::uint64_t arrival = 0;
  bool is_current = false;
};

Snapshot snapshot(const CollectionId& collection, const std::vector<MachineId>& machines, const Place& place) {
  Snapshot made;
  made.id = SnapshotId::generate();
  made.collection = collection;
  made.state = SnapshotState::kReady;
  for (const MachineId& machine : machines) {
    MemberSnapshot member;
    member.machine = machine;
    made.members.push_back(std::move(member));
  }
  made.parent = place.parent;
  made.arrival = place.arrival;
  made.is_current = place.is_current;
  return made;
}

std::vector<SnapshotId> ids(const std::vector<const Snapshot*>& snapshots) {
  std::vector<SnapshotId> found;
  for (const Snapshot* each : snapshots) found.push_back(each->id);
  return found;
}

TEST(SnapshotBranches, AMachineGoesOnFromWhatWasTakenOfItLast) {
  const auto both = snapshot(kShop, {kWeb, kDb}, {std::nullopt, 1});
  const auto of_web = snapshot(kSite, {kWeb}, {std::nullopt, 2, true});
  const auto of_db = snapshot(kShop, {kDb}, {both.id, 3, true});
  const SnapshotBranches branches({both, of_web, of_db});
  const auto current = branches.current();
  EXPECT_EQ(current.at(kWeb)->id, of_web.id) << "though the shop's newest stands on one that has it";
  EXPECT_EQ(current.at(kDb)->id, of_db.id);
}

TEST(SnapshotBranches, WhatClientsDoNotSeeIsPassedOver) {
  const auto first = snapshot(kShop, {kWeb}, {std::nullopt, 1});
  auto second = snapshot(kShop, {kWeb}, {first.id, 2, true});
  second.kind = SnapshotKind::kReferencePoint;
  EXPECT_EQ(SnapshotBranches({first, second}).current().at(kWeb)->id, first.id);
  EXPECT_THAT(SnapshotBranches({second}).current(), IsEmpty());
}

TEST(SnapshotBranches, TellsWhatACollectionHasGoneBackTo) {
  const auto first = snapshot(kShop, {kWeb}, {std::nullopt, 3, true});
  const auto second = snapshot(kShop, {kWeb}, {first.id, 2});
  EXPECT_THAT(ids(SnapshotBranches({first, second}).applied()), ElementsAre(first.id));
}

TEST(SnapshotBranches, NotWhatItHasLeftSince) {
  const auto first = snapshot(kShop, {kWeb}, {std::nullopt, 10});
  const auto second = snapshot(kShop, {kWeb}, {first.id, 2});
  const auto third = snapshot(kShop, {kWeb}, {second.id, 11, true});
  EXPECT_THAT(SnapshotBranches({first, second, third}).applied(), IsEmpty()) << "it went back to the third after that";
}

}  // namespace
}  // namespace cohort::provider
