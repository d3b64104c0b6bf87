#include "service/lookup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/testing/fake_state_store.h"

namespace cohort::service {
namespace {

using ::testing::HasSubstr;

class LookupTest : public ::testing::Test {
 protected:
  LookupTest() {
    add("aaaa1111-0000-4000-8000-000000000001", "web");
    add("aaaa2222-0000-4000-8000-000000000002", "mail");
    add("bbbb3333-0000-4000-8000-000000000003", "aaaa1");
  }

  void add(const std::string& id, const std::string& name) {
    Collection collection;
    collection.id = CollectionId::parse(id).value();
    collection.name = name;
    EXPECT_TRUE(store.add_collection(collection));
  }
  [[nodiscard]] std::string name_of(const std::string& text) {
    const auto found = find_collection(store, text);
    return found ? found->name : std::string(to_string(found.error().code));
  }

  FakeStateStore store;
};

TEST_F(LookupTest, FindsByNameUuidAndTheBeginningOfTheUuid) {
  EXPECT_EQ(name_of("web"), "web");
  EXPECT_EQ(name_of("aaaa1111-0000-4000-8000-000000000001"), "web");
  EXPECT_EQ(name_of("AAAA2222-0000-4000-8000-000000000002"), "mail");
  EXPECT_EQ(name_of("aaaa2"), "mail");
  EXPECT_EQ(name_of("bbbb"), "aaaa1");
}

TEST_F(LookupTest, LetsTheNameWin) { EXPECT_EQ(name_of("aaaa1"), "aaaa1"); }

TEST_F(LookupTest, RefusesAnAmbiguousBeginning) {
  const auto found = find_collection(store, "aaaa");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(found.error().message, HasSubstr("2 collections"));
}

TEST_F(LookupTest, TakesNoFewerThanFourCharacters) {
  EXPECT_EQ(name_of("bbb"), "not_found");
  EXPECT_EQ(name_of(""), "not_found");
}

TEST_F(LookupTest, SaysHowToListWhatThereIs) {
  EXPECT_THAT(find_collection(store, "nobody").error().message, HasSubstr("cohort collection list"));
  EXPECT_THAT(find_snapshot(store, "nobody").error().message, HasSubstr("cohort snapshot list"));
  EXPECT_THAT(find_job(store, "nobody").error().message, HasSubstr("cohort job list"));
}

TEST_F(LookupTest, FindsJobsByUuidOnly) {
  Job job;
  job.id = JobId::parse("cccc0000-0000-4000-8000-000000000001").value();
  job.subject = "web";
  ASSERT_TRUE(store.add_job(job));
  EXPECT_TRUE(find_job(store, "cccc"));
  EXPECT_FALSE(find_job(store, "web"));
  EXPECT_FALSE(find_job(store, ""));
}

TEST_F(LookupTest, HandsOnThatTheStoreCannotBeRead) {
  store.fail_next("collections", make_error(ErrorCode::kCorrupt, "Damaged."));
  EXPECT_EQ(name_of("web"), "corrupt");
}

}  // namespace
}  // namespace cohort::service
