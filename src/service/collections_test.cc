#include "service/collections.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/testing/lab.h"

namespace cohort::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CollectionsTest : public ::testing::Test {
 protected:
  CollectionsTest() { lab.add_shop(); }

  template <typename T>
  static void expect_error(const Result<T>& result, ErrorCode code, const std::string& words) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, code) << result.error().describe();
    EXPECT_THAT(result.error().message, HasSubstr(words));
  }

  [[nodiscard]] std::vector<std::string> members(const std::string& collection) {
    std::vector<std::string> names;
    const auto view = lab.collections.show(collection).value();
    for (const auto& machine : view.machines) names.push_back(machine.member.name);
    for (const auto& inner : view.collections) names.push_back(inner.name);
    return names;
  }

  Lab lab;
};

TEST_F(CollectionsTest, CreatesWithMembersByNameAndUuid) {
  const auto web = lab.hypervisor.find_machine("web").value();
  const auto made = lab.collections.create("night", CollectionKind::kMachines, {"archive", web.id.str()});
  ASSERT_TRUE(made) << made.error().describe();
  EXPECT_THAT(members("night"), ElementsAre("archive", "web"));
  EXPECT_EQ(lab.kept.collection(made->id)->name, "night");
}

TEST_F(CollectionsTest, RefusesNamesThatAreTakenOrUnsuitable) {
  expect_error(lab.collections.create("shop", CollectionKind::kMachines, {}), ErrorCode::kAlreadyExists, "shop");
  expect_error(lab.collections.create("a/b", CollectionKind::kMachines, {}), ErrorCode::kInvalidArgument, "a/b");
  lab.add_collection("other", {});
  expect_error(lab.collections.rename("other", "shop"), ErrorCode::kAlreadyExists, "shop");
  expect_error(lab.collections.rename("other", ""), ErrorCode::kInvalidArgument, "empty");
}

TEST_F(CollectionsTest, CreatesNothingWithAMemberThatIsNotThere) {
  expect_error(lab.collections.create("night", CollectionKind::kMachines, {"web", "nobody"}), ErrorCode::kNotFound,
               "nobody");
  expect_error(lab.collections.show("night"), ErrorCode::kNotFound, "night");
}

TEST_F(CollectionsTest, Renames) {
  ASSERT_TRUE(lab.collections.rename("shop", "store"));
  EXPECT_TRUE(lab.collections.show("store"));
  EXPECT_FALSE(lab.collections.show("shop"));
  EXPECT_TRUE(lab.collections.rename("store", "store")) << "its own name is free for it";
}

TEST_F(CollectionsTest, AddsAllMembersOrNone) {
  lab.add_machine("mail", PowerState::kOff);
  expect_error(lab.collections.add_members("shop", {"mail", "web"}), ErrorCode::kAlreadyExists, "\"web\"");
  EXPECT_THAT(members("shop"), SizeIs(4));
  expect_error(lab.collections.add_members("shop", {"mail", "mail"}), ErrorCode::kAlreadyExists, "\"mail\"");
  ASSERT_TRUE(lab.collections.add_members("shop", {"mail"}));
  EXPECT_THAT(members("shop"), ElementsAre("web", "database", "cache", "archive", "mail"));
}

TEST_F(CollectionsTest, RemovesAllMembersOrNone) {
  expect_error(lab.collections.remove_members("shop", {"web", "nobody"}), ErrorCode::kNotFound, "nobody");
  EXPECT_THAT(members("shop"), SizeIs(4));
  ASSERT_TRUE(lab.collections.remove_members("shop", {"web", "cache"}));
  EXPECT_THAT(members("shop"), ElementsAre("database", "archive"));
}

TEST_F(CollectionsTest, ShowsAMissingMachineAndRemovesItByItsLastNameOrUuid) {
  const auto web = lab.hypervisor.find_machine("web").value();
  lab.hypervisor.remove_machine("web");
  lab.hypervisor.remove_machine("cache");
  const auto view = lab.collections.show("shop").value();
  EXPECT_EQ(view.machines[0].member.name, "web");
  EXPECT_FALSE(view.machines[0].machine);
  EXPECT_TRUE(view.machines[1].machine);
  ASSERT_TRUE(lab.collections.remove_members("shop", {web.id.str(), "cache"}));
  EXPECT_THAT(members("shop"), ElementsAre("database", "archive"));
}

TEST_F(CollectionsTest, KnowsARenamedMachineByItsNewName) {
  lab.hypervisor.change("web", [](FakeMachine& machine) { machine.summary.name = "front"; });
  EXPECT_THAT(members("shop"), ElementsAre("front", "database", "cache", "archive"));
  ASSERT_TRUE(lab.collections.remove_members("shop", {"front"}));
  EXPECT_THAT(members("shop"), SizeIs(3));
}

TEST_F(CollectionsTest, NestsAndShowsEachMachineOnce) {
  lab.add_collection("more", {"web"});
  lab.add_collection("inner", {"shop", "more"}, CollectionKind::kCollections);
  lab.add_collection("outer", {"inner", "more"}, CollectionKind::kCollections);
  const auto view = lab.collections.show("outer").value();
  EXPECT_THAT(view.all_machines, SizeIs(4));
  EXPECT_THAT(view.machines, IsEmpty());
  EXPECT_THAT(members("outer"), testing::UnorderedElementsAre("inner", "more"));
  EXPECT_THAT(lab.collections.show("more")->contained_in, testing::UnorderedElementsAre("inner", "outer"));
}

TEST_F(CollectionsTest, RefusesCycles) {
  lab.add_collection("inner", {"shop"}, CollectionKind::kCollections);
  lab.add_collection("outer", {"inner"}, CollectionKind::kCollections);
  expect_error(lab.collections.add_members("inner", {"inner"}), ErrorCode::kInvalidArgument, "cycle");
  expect_error(lab.collections.add_members("inner", {"outer"}), ErrorCode::kInvalidArgument, "cycle");
  EXPECT_THAT(members("inner"), ElementsAre("shop"));
}

TEST_F(CollectionsTest, TakesCollectionsOnceAndByName) {
  lab.add_collection("all", {"shop"}, CollectionKind::kCollections);
  expect_error(lab.collections.add_members("all", {"shop"}), ErrorCode::kAlreadyExists, "shop");
  expect_error(lab.collections.add_members("all", {"web"}), ErrorCode::kNotFound, "web");
  expect_error(lab.collections.remove_members("all", {"all"}), ErrorCode::kNotFound, "all");
  ASSERT_TRUE(lab.collections.remove_members("all", {"shop"}));
  EXPECT_THAT(members("all"), IsEmpty());
}

TEST_F(CollectionsTest, RemovesACollectionOnlyWhenNothingHangsOnIt) {
  lab.add_collection("all", {"shop"}, CollectionKind::kCollections);
  expect_error(lab.collections.remove("shop"), ErrorCode::kInvalidState, "\"all\"");
  ASSERT_TRUE(lab.collections.remove_members("all", {"shop"}));
  ASSERT_TRUE(lab.take_of_shop("nightly"));
  EXPECT_EQ(lab.collections.show("shop")->snapshots, 1U);
  expect_error(lab.collections.remove("shop"), ErrorCode::kInvalidState, "1 snapshot(s)");
  ASSERT_TRUE(lab.delete_snapshot({"nightly"}));
  EXPECT_TRUE(lab.collections.remove("shop"));
  expect_error(lab.collections.remove("shop"), ErrorCode::kNotFound, "shop");
}

TEST_F(CollectionsTest, KeepsACollectionThatAJobWorksOn) {
  Job job;
  job.id = JobId::generate();
  job.type = JobType::kTakeSnapshot;
  job.works_on.collection = lab.collections.show("shop")->collection.id;
  ASSERT_TRUE(lab.kept.add_job(job));  // it waits
  expect_error(lab.collections.remove("shop"), ErrorCode::kInUse, "take_snapshot");
  lab.add_collection("other", {});
  EXPECT_TRUE(lab.collections.remove("other"));
  job.works_on.collection.reset();
  job.subject = "shop";  // as the command names it, which waits for its turn
  ASSERT_TRUE(lab.kept.update_job(job));
  expect_error(lab.collections.remove("shop"), ErrorCode::kInUse, "take_snapshot");
  job.state = JobState::kFailed;
  ASSERT_TRUE(lab.kept.update_job(job));
  EXPECT_TRUE(lab.collections.remove("shop"));
}

TEST_F(CollectionsTest, ListsAllByName) {
  lab.add_collection("another", {});
  const auto all = lab.collections.list().value();
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].collection.name, "another");
  EXPECT_EQ(all[1].collection.name, "shop");
}

}  // namespace
}  // namespace cohort::service
