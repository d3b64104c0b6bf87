#include "provider/name_list.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <vector>

namespace cohort::provider {
namespace {

TEST(NameList, GivesBackWhatWasAddedInItsOrder) {
  const std::vector<std::string> texts = {
      "",   "a", "ab", "", std::string(300, 'x') + "1", std::string(300, 'x') + "2", std::string(70'000, 'y'),
      "ab", "ab"};
  NameList list;
  EXPECT_TRUE(list.is_empty());
  for (const std::string& each : texts) list.add(each);
  list.shrink();
  for (const std::string& each : texts) {
    ASSERT_FALSE(list.is_empty());
    EXPECT_EQ(list.front(), each);
    EXPECT_EQ(list.front(), each) << "it stays until it is taken";
    list.pop();
  }
  EXPECT_TRUE(list.is_empty());
}

TEST(NameList, CanBeTakenWithoutALook) {
  NameList list;
  for (const char* each : {"one", "once", "two"}) list.add(each);
  list.pop();
  list.pop();
  EXPECT_EQ(list.front(), "two");
}

TEST(NameList, KeepsWhatDiffers) {
  NameList list;
  for (int number = 0; number < 1000; ++number) {
    list.add(
        fmt::format("root/virtualization/v2:Msvm_ComputerSystem.CreationClassName=\"Msvm_ComputerSystem\","
                    "Name=\"{:04}0000-0000-0000-0000-000000000000\"",
                    number));
  }
  list.shrink();
  EXPECT_LT(list.bytes(), 45'000U);
}

}  // namespace
}  // namespace cohort::provider
