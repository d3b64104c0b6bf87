#include "service/stored_packages.h"

#include <gmock/gmock.h>

#include "package/test_chain.h"

namespace cohort::service {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class StoredPackagesTest : public ::testing::Test {
 protected:
  [[nodiscard]] Path folder() const { return packages.at("x").parent_path(); }
  void write(const std::string& name, const std::string& parent, int day) {
    packages.write(name, parent, [day](package::Manifest& manifest) {
      manifest.instant = package::at_second(1'769'904'000) + std::chrono::hours(24 * day);
    });
  }

  package::TestChain packages;
};

TEST_F(StoredPackagesTest, AreInTheOrderOfTheirInstants) {
  write("b", "", 1);
  write("a", "b", 2);
  write("c", "a", 3);
  const auto found = packages_in(folder());
  ASSERT_TRUE(found) << found.error().describe();
  ASSERT_THAT(*found, SizeIs(3));
  EXPECT_EQ((*found)[0].package, packages.at("b"));
  EXPECT_EQ((*found)[2].package, packages.at("c"));
  EXPECT_THAT((*found)[0].parents, IsEmpty());
  ASSERT_THAT((*found)[2].parents, SizeIs(2));
  EXPECT_EQ((*found)[2].parents[0].snapshot_name, "a");
  for (const auto& each : *found) {
    EXPECT_EQ(each.problem, "");
    EXPECT_EQ(each.size.files, 3U);
    EXPECT_GT(each.size.bytes, 0U);
  }
}

TEST_F(StoredPackagesTest, TheNewestOfATimeOrBeforeIsFound) {
  write("b", "", 1);
  write("a", "b", 2);
  write("c", "a", 3);
  const auto of_day = [&](int day) {
    const auto found = package_at(folder(), package::at_second(1'769'904'000) + std::chrono::hours(24 * day));
    return found ? found->filename().string() : std::string(to_string(found.error().code));
  };
  EXPECT_EQ(of_day(0), "not_found");
  EXPECT_EQ(of_day(1), "b");
  EXPECT_EQ(of_day(2), "a");
  EXPECT_EQ(of_day(9), "c");
  // What cannot be used is passed over.
  std::filesystem::rename(packages.at("a"), packages.at("moved"));
  EXPECT_EQ(of_day(9), "moved");
  packages.write("other", "", [](package::Manifest& manifest) {
    manifest.collection = CollectionId::generate();
    manifest.collection_name = "other";
    manifest.instant = package::at_second(1'769'904'000);
  });
  EXPECT_EQ(of_day(0), "other");
  EXPECT_EQ(of_day(9), "invalid_argument");
}

TEST_F(StoredPackagesTest, NothingElseIsOne) {
  EXPECT_THAT(packages_in(folder()).value(), IsEmpty());
  std::filesystem::create_directory(packages.at("other"));
  std::filesystem::create_directory(packages.at("download.partial"));
  disk::write_content(packages.at("cohort.json"), "{}");
  EXPECT_THAT(packages_in(folder()).value(), IsEmpty());
}

TEST_F(StoredPackagesTest, ThatCannotBeUsedSayWhy) {
  write("0", "", 1);
  write("1", "0", 2);
  std::filesystem::rename(packages.at("0"), packages.at("moved"));
  std::filesystem::create_directories(packages.at("new.partial/Virtual Machines"));
  std::filesystem::create_directory(packages.at("bad"));
  disk::write_content(packages.at("bad/cohort.json"), "{");
  const auto found = packages_in(folder()).value();
  ASSERT_THAT(found, SizeIs(4));
  EXPECT_EQ(found[0].problem, "");
  EXPECT_THAT(found[1].problem, HasSubstr("../0/cohort.json"));
  EXPECT_TRUE(found[1].manifest);
  EXPECT_EQ(found[2].package.filename(), "bad");
  EXPECT_NE(found[2].problem, "");
  EXPECT_FALSE(found[2].manifest);
  EXPECT_THAT(found[3].problem, HasSubstr("half written"));
}

TEST_F(StoredPackagesTest, AreNotInWhatIsNoFolder) {
  EXPECT_EQ(packages_in(packages.at("nowhere")).error().code, ErrorCode::kNotFound);
  disk::write_content(packages.at("file"), "");
  EXPECT_EQ(packages_in(packages.at("file")).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(StoredPackagesTest, OneThatIsNoneIsNotFound) {
  EXPECT_EQ(stored_package(packages.at("nowhere")).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace cohort::service
