#include "service/merge_package.h"

#include <gmock/gmock.h>

#include "package/test_chain.h"
#include "service/testing/package_lab.h"

namespace cohort::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// "tuesday" is a difference from "monday", that one from "full".
class MergePackageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    packages.write("full", "");
    packages.write("monday", "full");
    packages.write("tuesday", "monday");
  }

  [[nodiscard]] Path at(const std::string& name) const { return packages.at(name); }
  Result<MergeReport> merge(const std::string& from, const std::string& to, const JobWatch& watch = {}) {
    return lab.engine.run<MergeReport>(JobType::kMergePackage, from, watch, [&](JobContext& job) {
      return merger.run({at(from), at(to)}, job);
    });
  }
  [[nodiscard]] std::vector<std::string> names() const { return PackageLab::names_in(at("full").parent_path()); }

  void expect_refused(const std::string& from, const std::string& to, ErrorCode code, const std::string& words) {
    const auto before = names();
    const auto merged = merge(from, to);
    ASSERT_FALSE(merged);
    EXPECT_EQ(merged.error().code, code) << merged.error().describe();
    EXPECT_THAT(merged.error().describe(), HasSubstr(words));
    EXPECT_EQ(names(), before);
    EXPECT_EQ(lab.control.count("copy"), 0U);
    EXPECT_THAT(lab.left_open(), IsEmpty());
  }

  package::TestChain packages;
  PackageLab lab;
  MergePackage merger{lab.copier, lab.clock};
};

TEST_F(MergePackageTest, MakesAPackageThatStandsAlone) {
  const auto merged = merge("tuesday", "alone");
  ASSERT_TRUE(merged) << merged.error().describe();
  EXPECT_EQ(merged->plan.package, at("alone"));
  EXPECT_THAT(merged->plan.parents, SizeIs(2));
  const auto before = package::read_manifest(at("tuesday")).value();
  const auto made = package::read_manifest(at("alone")).value();
  EXPECT_FALSE(made.parent);
  EXPECT_EQ(made.format_version, package::kWholeFormatVersion);
  EXPECT_EQ(made.snapshot, before.snapshot);
  EXPECT_EQ(made.instant, before.instant);
  EXPECT_NE(made.created, before.created);
  const auto& disk = made.machines[0].disks[0];
  EXPECT_FALSE(disk.parent);
  EXPECT_EQ(disk.content_hash, before.machines[0].disks[0].content_hash);
  EXPECT_EQ(disk.file.sha256, *sha256_of_file(at("alone") / disk.file.file));
  EXPECT_EQ(*sha256_of_file(at("alone") / disk.block_hashes->file), disk.content_hash);
  EXPECT_THAT(lab.left_open(), IsEmpty());
  EXPECT_THAT(names(), ElementsAre("alone", "full", "monday", "tuesday"));
}

TEST_F(MergePackageTest, HandsAllLayersToTheCopierTheTopFirst) {
  ASSERT_TRUE(merge("tuesday", "alone"));
  ASSERT_THAT(lab.copier.layers(), SizeIs(1));
  const CopyLayersRequest& request = lab.copier.layers()[0];
  EXPECT_THAT(request.layers, SizeIs(3));
  EXPECT_EQ(request.content_hash, package::read_manifest(at("tuesday"))->machines[0].disks[0].content_hash);
}

TEST_F(MergePackageTest, PlansAndChangesNothing) {
  const auto before = names();
  const auto plan = merger.plan({at("tuesday"), at("alone")});
  ASSERT_TRUE(plan) << plan.error().describe();
  ASSERT_THAT(plan->parents, SizeIs(2));
  EXPECT_EQ(plan->parents[0].snapshot_name, "monday");
  ASSERT_THAT(plan->disks, SizeIs(1));
  EXPECT_TRUE(plan->disks[0].is_difference);
  EXPECT_EQ(names(), before);
}

TEST_F(MergePackageTest, RefusesWhatCannotBeMerged) {
  expect_refused("full", "alone", ErrorCode::kInvalidState, "nothing to merge");
  expect_refused("nowhere", "alone", ErrorCode::kNotFound, "nowhere");
  expect_refused("tuesday", "monday", ErrorCode::kAlreadyExists, "never overwritten");
  expect_refused("tuesday", "nowhere/alone", ErrorCode::kNotFound, "does not exist");
  expect_refused("tuesday", "monday/alone", ErrorCode::kInvalidArgument, "within the package");
  lab.copier.estimate(1ULL << 60U);
  expect_refused("tuesday", "alone", ErrorCode::kNoSpace, "nothing was written");
}

TEST_F(MergePackageTest, RefusesADifferenceWhoseParentIsNotThere) {
  std::filesystem::rename(at("full"), at("moved"));
  expect_refused("tuesday", "alone", ErrorCode::kNotFound, "../full");
}

TEST_F(MergePackageTest, RefusesADamagedParent) {
  const auto manifest = package::read_manifest(at("full")).value();
  disk::write_content(at("full") / manifest.machines[0].configuration.file, "damaged!");
  expect_refused("tuesday", "alone", ErrorCode::kCorrupt, "is not whole");
}

TEST_F(MergePackageTest, TakesThePlaceOfTheDifference) {
  const auto merged = lab.engine.run<MergeReport>(JobType::kMergePackage, "monday", {}, [&](JobContext& job) {
    return merger.run({at("monday"), {}}, job);
  });
  ASSERT_TRUE(merged) << merged.error().describe();
  EXPECT_EQ(merged->plan.package, at("monday"));
  EXPECT_THAT(names(), ElementsAre("full", "monday", "tuesday"));
  EXPECT_FALSE(package::read_manifest(at("monday"))->parent);
  const auto chain = package::open_chain(at("tuesday"));
  ASSERT_TRUE(package::check_complete(*chain));
  EXPECT_THAT(chain->links, SizeIs(2));
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

TEST_F(MergePackageTest, ReplacesNoLink) {
  std::filesystem::create_directory_symlink(at("monday"), at("link"));
  const auto merged = merger.plan({at("link"), {}});
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(MergePackageTest, LeavesNothingAfterAFailure) {
  const auto before = names();
  for (const auto code : {ErrorCode::kNoSpace, ErrorCode::kCorrupt, ErrorCode::kIo}) {
    lab.control.fail_next("copy_layers", code);
    const auto merged = merge("tuesday", "alone");
    ASSERT_FALSE(merged);
    EXPECT_EQ(merged.error().code, code);
    EXPECT_EQ(names(), before);
    EXPECT_THAT(lab.left_open(), IsEmpty());
  }
  lab.control.fail_next("copy_file", ErrorCode::kIo);
  EXPECT_FALSE(merge("tuesday", "alone"));
  EXPECT_EQ(names(), before);
}

TEST_F(MergePackageTest, LeavesNothingWhenItIsCancelled) {
  const auto before = names();
  std::stop_source source;
  JobWatch watch;
  watch.stop = source.get_token();
  lab.control.before("copy_layers", [&] { source.request_stop(); });
  const auto merged = merge("tuesday", "alone", watch);
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(names(), before);
}

TEST_F(MergePackageTest, IsTakenBackAfterACrash) {
  const auto before = names();
  lab.control.before("copy_layers", [&] { lab.control.die(); });
  EXPECT_FALSE(merge("tuesday", "alone"));
  EXPECT_NE(names(), before);
  lab.control.clear();
  ASSERT_TRUE(lab.run_recover());
  EXPECT_EQ(names(), before);
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

}  // namespace
}  // namespace cohort::service
