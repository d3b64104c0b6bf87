#include "service/prune_packages.h"

#include <gmock/gmock.h>

#include "package/package_chain.h"
#include "package/test_chain.h"
#include "service/testing/package_lab.h"

namespace cohort::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Nights: "0" is full, "1" the difference from it, and so on to "4".
class PrunePackagesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int night = 0; night < 5; ++night)
      write(std::to_string(night), night == 0 ? "" : std::to_string(night - 1), night);
  }

  void write(const std::string& name, const std::string& parent, int day,
             const std::function<void(package::Manifest&)>& change = {}) {
    packages.write(name, parent, [&](package::Manifest& manifest) {
      manifest.instant = package::at_second(1'769'904'000) + std::chrono::hours(24 * day);
      if (change) change(manifest);
    });
  }
  [[nodiscard]] Path at(const std::string& name) const { return packages.at(name); }
  [[nodiscard]] Path folder() const { return at("x").parent_path(); }
  [[nodiscard]] std::vector<std::string> names() const { return PackageLab::names_in(folder()); }

  [[nodiscard]] PruneRequest keep_last(std::uint64_t count) const { return {folder(), {.last = count}}; }
  Result<PrunePlan> prune(const PruneRequest& request, const JobWatch& watch = {}) {
    return lab.engine.run<PrunePlan>(JobType::kPrune, "folder", watch,
                                     [&](JobContext& job) { return pruner.run(request, job); });
  }
  // "0 removed", "1 merged", …
  [[nodiscard]] std::vector<std::string> fates(const PruneRequest& request) const {
    std::vector<std::string> found;
    const auto plan = PrunePackages(lab.copier, lab.clock).plan(request);
    EXPECT_TRUE(plan) << plan.error().describe();
    if (!plan) return found;
    for (const auto& each : plan->packages) {
      found.push_back(fmt::format("{} {}", each.stored.package.filename().string(), to_string(each.fate)));
    }
    return found;
  }
  [[nodiscard]] std::size_t length_of_chain(const std::string& name) const {
    const auto chain = package::open_chain(at(name));
    return chain && package::check_complete(*chain) ? chain->links.size() : 0;
  }

  package::TestChain packages;
  mutable PackageLab lab;
  PrunePackages pruner{lab.copier, lab.clock};
};

TEST_F(PrunePackagesTest, KeepsWhatTheRulesNameAndMergesWhatLosesItsParent) {
  EXPECT_THAT(fates(keep_last(2)), ElementsAre("0 removed", "1 removed", "2 removed", "3 merged", "4 kept"));
  EXPECT_THAT(fates(keep_last(9)), ElementsAre("0 kept", "1 kept", "2 kept", "3 kept", "4 kept"));
  // The nights are those of the 1st (a Sunday) to the 5th of February.
  EXPECT_THAT(fates({folder(), {.daily = 1, .weekly = 2}}),
              ElementsAre("0 kept", "1 removed", "2 removed", "3 removed", "4 merged"));
  EXPECT_THAT(names(), ElementsAre("0", "1", "2", "3", "4"));
}

TEST_F(PrunePackagesTest, WhatStoodOnAMergedPackageStandsOnIt) {
  const auto before = package::read_manifest(at("3")).value();
  const std::string text = read_file(at("3") / package::kManifestName, 1U << 20U).value();
  const auto pruned = prune(keep_last(2));
  ASSERT_TRUE(pruned) << pruned.error().describe();
  EXPECT_THAT(names(), ElementsAre("3", "4"));
  EXPECT_EQ(length_of_chain("3"), 1U);
  EXPECT_EQ(length_of_chain("4"), 2U);
  const auto after = package::read_manifest(at("3")).value();
  EXPECT_EQ(after.stands_for, Sha256::of(text));
  EXPECT_EQ(after.snapshot, before.snapshot);
  EXPECT_EQ(after.machines[0].disks[0].content_hash, before.machines[0].disks[0].content_hash);
  EXPECT_THAT(lab.left_open(), IsEmpty());
  EXPECT_EQ(lab.newest_job().result, folder().string());
  // There is nothing left to be done.
  EXPECT_THAT(fates(keep_last(2)), ElementsAre("3 kept", "4 kept"));
}

TEST_F(PrunePackagesTest, RemovesWithoutAMergeWhatNothingStandsOn) {
  write("full", "", 5);
  ASSERT_TRUE(prune(keep_last(1)));
  EXPECT_THAT(names(), ElementsAre("full"));
  EXPECT_THAT(lab.copier.layers(), IsEmpty());
}

TEST_F(PrunePackagesTest, KeepsOnePackageOfEachSnapshot) {
  const auto snapshot = package::read_manifest(at("4"))->snapshot;
  write("4 full", "", 4, [&](package::Manifest& manifest) { manifest.snapshot = snapshot; });
  EXPECT_THAT(fates(keep_last(1)),
              ElementsAre("0 removed", "1 removed", "2 removed", "3 removed", "4 removed", "4 full kept"));
}

TEST_F(PrunePackagesTest, JudgesEachCollectionByItself) {
  write("other", "", 9, [](package::Manifest& manifest) { manifest.collection = CollectionId::generate(); });
  EXPECT_THAT(fates(keep_last(5)), ElementsAre("0 kept", "1 kept", "2 kept", "3 kept", "4 kept", "other kept"));
}

TEST_F(PrunePackagesTest, LeavesAloneWhatIsNoWholePointAndWhatThatStandsOn) {
  write("some disks", "1", 9, [](package::Manifest& manifest) {
    manifest.machines[0].left_out = {{"vdz", LeftOutReason::kNotChosen, ""}};
    manifest.format_version = package::kFormatVersion;
  });
  std::filesystem::create_directory(at("damaged"));
  disk::write_content(at("damaged/cohort.json"), "{");
  EXPECT_THAT(fates(keep_last(1)),
              ElementsAre("0 kept", "1 kept", "2 removed", "3 removed", "4 merged", "some disks left", "damaged left"));
  const auto plan = pruner.plan(keep_last(1)).value();
  EXPECT_THAT(plan.packages[0].why, HasSubstr("\"some disks\" stands on it"));
  EXPECT_THAT(plan.packages[5].why, HasSubstr("Not all disks"));
}

TEST_F(PrunePackagesTest, RefusesToKeepNothing) {
  const auto refused = prune(keep_last(0));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(names(), ElementsAre("0", "1", "2", "3", "4"));
}

TEST_F(PrunePackagesTest, AFailedMergeRemovesNothing) {
  lab.control.fail_next("copy_layers", ErrorCode::kNoSpace);
  const auto failed = prune(keep_last(2));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kNoSpace);
  EXPECT_THAT(names(), ElementsAre("0", "1", "2", "3", "4"));
  EXPECT_EQ(length_of_chain("4"), 5U);
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

TEST_F(PrunePackagesTest, WhatWasDoneByACancelStaysAndTheSameGoesOn) {
  // The first removal has the fourth step of the job: two are the merge's.
  std::stop_source stop;
  lab.control.before("remove_undo_step", [&] { stop.request_stop(); });
  const auto cancelled = prune(keep_last(2), {stop.get_token(), {}});
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(length_of_chain("4"), 2U);
  EXPECT_THAT(cancelled.error().message, HasSubstr("the same command goes on"));
  lab.control.clear();
  ASSERT_TRUE(prune(keep_last(2)));
  EXPECT_THAT(names(), ElementsAre("3", "4"));
}

TEST_F(PrunePackagesTest, KeepsTheNewestThatWasMadeThoughTheClockWasSetBack) {
  auto request = keep_last(1);
  request.newest = at("2");
  EXPECT_THAT(fates(request), ElementsAre("0 removed", "1 removed", "2 merged", "3 removed", "4 merged"));
}

TEST_F(PrunePackagesTest, LooksAtTheCollectionThatIsNamedAlone) {
  const CollectionId other = CollectionId::generate();
  write("other", "", 1, [&](package::Manifest& manifest) { manifest.collection = other; });
  auto request = keep_last(1);
  request.collection = PrunePackages(lab.copier, lab.clock).plan(request)->packages.front().stored.manifest->collection;
  EXPECT_THAT(fates(request), ElementsAre("0 removed", "1 removed", "2 removed", "3 removed", "4 merged"));
  request.collection = other;
  EXPECT_THAT(fates(request), ElementsAre("other kept"));
}

TEST_F(PrunePackagesTest, PlansWithAPackageThatIsStillToCome) {
  auto request = keep_last(1);
  StoredPackage coming = stored_package(at("4")).value();
  coming.parents.insert(coming.parents.begin(), {at("4"), coming.manifest->snapshot, "four", coming.manifest->instant});
  coming.package = at("5");
  coming.manifest->snapshot = SnapshotId::generate();
  coming.manifest->instant += std::chrono::hours(24);
  request.coming = coming;
  EXPECT_THAT(fates(request), ElementsAre("0 removed", "1 removed", "2 removed", "3 removed", "4 removed", "5 merged"));
  EXPECT_GT(PrunePackages(lab.copier, lab.clock).plan(request)->packages.back().estimated_bytes, 0U);
}

TEST_F(PrunePackagesTest, WhatIsKeptCanBeUsedWhereverTheProcessDied) {
  for (std::size_t number = 1;; ++number) {
    for (const auto& name : names()) std::filesystem::remove_all(at(name));
    SetUp();
    lab.control.clear();
    lab.control.die_at(number);
    static_cast<void>(prune(keep_last(2)));
    const bool is_dead = lab.control.is_dead();
    SCOPED_TRACE(number);
    EXPECT_NE(length_of_chain("3"), 0U);
    EXPECT_NE(length_of_chain("4"), 0U);
    lab.control.clear();
    const auto recovered = lab.run_recover();
    ASSERT_TRUE(recovered) << recovered.error().describe();
    EXPECT_THAT(recovered->failures, IsEmpty());
    EXPECT_NE(length_of_chain("3"), 0U);
    EXPECT_NE(length_of_chain("4"), 0U);
    const auto left = names();
    for (const auto& name : left) EXPECT_THAT(name, ::testing::Not(HasSubstr(".partial")));
    if (!is_dead) {
      EXPECT_GT(number, 10U);
      return;
    }
  }
}

}  // namespace
}  // namespace cohort::service
