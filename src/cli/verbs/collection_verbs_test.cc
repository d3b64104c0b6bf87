#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/testing/program.h"

namespace cohort::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class CollectionVerbs : public testing::Test {
 protected:
  Program program;
  SessionRecord& session = program.session;
};

TEST_F(CollectionVerbs, CreateHandsOnNameAndMachines) {
  EXPECT_EQ(program.run({"collection", "create", "shop", "db", "Büro Nr. 1"}), 0);
  EXPECT_THAT(session.calls, ElementsAre("create_collection"));
  EXPECT_EQ(session.collection_call.collection, "shop");
  EXPECT_EQ(session.collection_call.kind, CollectionKind::kMachines);
  EXPECT_THAT(session.collection_call.members, ElementsAre("db", "Büro Nr. 1"));
  EXPECT_EQ(program.out(), "Made the collection \"shop\" of 2 machines.\n");
}

TEST_F(CollectionVerbs, CreateMakesCollectionsOfCollections) {
  EXPECT_EQ(program.run({"collection", "create", "site", "--of-collections", "shop"}), 0);
  EXPECT_EQ(session.collection_call.kind, CollectionKind::kCollections);
  EXPECT_THAT(session.collection_call.members, ElementsAre("shop"));
  EXPECT_THAT(program.out(), HasSubstr("of 1 collection."));
}

TEST_F(CollectionVerbs, CreateNeedsAName) {
  EXPECT_EQ(program.run({"collection", "create"}), 2);
  EXPECT_THAT(session.calls, ElementsAre());
  EXPECT_EQ(program.err(), "cohort: NAME is required. See: cohort collection create --help\n");
}

// Words that are nouns and verbs elsewhere are ordinary names here, and so are names that begin with a dash after "--".
TEST_F(CollectionVerbs, NamesMayLookLikeCommandsOrOptions) {
  EXPECT_EQ(program.run({"collection", "create", "export", "list", "create", "collection", "--", "-db", "--json"}), 0);
  EXPECT_EQ(session.collection_call.collection, "export");
  EXPECT_THAT(session.collection_call.members, ElementsAre("list", "create", "collection", "-db", "--json"));
}

TEST_F(CollectionVerbs, NamesMayStandInBracketsAndAloneAfterTwoDashes) {
  EXPECT_EQ(program.run({"collection", "create", "[prod]", "[db, 1]", "db", "--", "web"}), 0);
  EXPECT_EQ(session.collection_call.collection, "[prod]");
  EXPECT_THAT(session.collection_call.members, ElementsAre("[db, 1]", "db", "web"));
}

TEST_F(CollectionVerbs, ListShowsMembersAndMissingOnes) {
  EXPECT_EQ(program.run({"collection", "list"}), 0);
  EXPECT_THAT(program.out(), HasSubstr("db, web (missing)"));
}

TEST_F(CollectionVerbs, ShowAsksForTheNamedOne) {
  EXPECT_EQ(program.run({"collection", "show", "shop"}), 0);
  EXPECT_EQ(session.asked_for, "shop");
  EXPECT_THAT(program.out(), HasSubstr("Collection:  shop\n"));
}

TEST_F(CollectionVerbs, RenameHandsOnBothNames) {
  EXPECT_EQ(program.run({"collection", "rename", "old", "new"}), 0);
  EXPECT_THAT(session.calls, ElementsAre("rename_collection"));
  EXPECT_EQ(session.collection_call.collection, "old");
  EXPECT_EQ(session.collection_call.new_name, "new");
}

TEST_F(CollectionVerbs, DeleteRemovesTheNamedOne) {
  EXPECT_EQ(program.run({"collection", "delete", "shop"}), 0);
  EXPECT_THAT(session.calls, ElementsAre("remove_collection"));
  EXPECT_EQ(session.collection_call.collection, "shop");
}

TEST_F(CollectionVerbs, AddAndRemoveHandOnMembers) {
  EXPECT_EQ(program.run({"collection", "add", "shop", "a", "b"}), 0);
  EXPECT_THAT(session.collection_call.members, ElementsAre("a", "b"));
  EXPECT_EQ(program.out(), "Added 2 members to the collection \"shop\".\n");
  EXPECT_EQ(program.run({"collection", "remove", "shop", "a"}), 0);
  EXPECT_THAT(session.collection_call.members, ElementsAre("a"));
  EXPECT_THAT(session.calls, ElementsAre("add_members", "remove_members"));
  EXPECT_EQ(program.run({"collection", "add", "shop"}), 2);
}

}  // namespace
}  // namespace cohort::cli
