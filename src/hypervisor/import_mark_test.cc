#include "hypervisor/import_mark.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cohort::hypervisor {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ImportMark, IsReadAsItWasWritten) {
  const auto marked = with_import_mark("<domain><name>web</name></domain>", "job files");
  ASSERT_TRUE(marked) << marked.error().describe();
  EXPECT_EQ(import_mark_in(*marked).value(), "job files");
}

TEST(ImportMark, IsNotThereWhereNobodyMadeOne) {
  const std::string other =
      "<domain><metadata><import>job</import><x:import xmlns:x='urn:x'>job</x:import></metadata></domain>";
  EXPECT_EQ(import_mark_in("<domain/>").value(), "");
  EXPECT_EQ(import_mark_in(other).value(), "");
  EXPECT_EQ(import_mark_in(with_import_mark("<domain/>", "").value()).value(), "");
}

// A machine that was imported before is exported, and imported again: libvirt takes one element of a name space.
TEST(ImportMark, TakesThePlaceOfAnEarlierOneAndOfNothingElse) {
  const auto first =
      with_import_mark("<domain><metadata><x:y xmlns:x='urn:x'>kept</x:y></metadata></domain>", "earlier");
  const auto second = with_import_mark(first.value(), "later");
  ASSERT_TRUE(second);
  EXPECT_EQ(import_mark_in(*second).value(), "later");
  EXPECT_THAT(*second, Not(HasSubstr("earlier")));
  EXPECT_THAT(*second, HasSubstr("kept"));
  EXPECT_THAT(with_import_mark(*second, "").value(), Not(HasSubstr("later")));
}

}  // namespace
}  // namespace cohort::hypervisor
