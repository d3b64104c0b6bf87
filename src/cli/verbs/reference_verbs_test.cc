#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/testing/program.h"

namespace cohort::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class ReferenceVerbs : public testing::Test {
 protected:
  Program program;
  SessionRecord& session = program.session;
};

TEST_F(ReferenceVerbs, CreateTakesNoSnapshot) {
  EXPECT_EQ(program.run({"reference", "create", "shop", "--name", "monday", "--deadline", "500"}), 0);
  EXPECT_THAT(session.calls, ElementsAre("take_snapshot"));
  EXPECT_EQ(session.take_request.kind, SnapshotKind::kReferencePoint);
  EXPECT_EQ(session.take_request.name, "monday");
  EXPECT_EQ(session.take_request.deadline, Milliseconds{500});
  EXPECT_THAT(program.out(), AllOf(HasSubstr("Reference point:"), HasSubstr("monday"), HasSubstr("-000000000007\n")));
}

TEST_F(ReferenceVerbs, DryRunsOnlyPlan) {
  EXPECT_EQ(program.run({"reference", "create", "shop", "--dry-run"}), 0);
  EXPECT_THAT(program.out(), AllOf(HasSubstr("A reference point of"), HasSubstr("Nothing was changed.")));
  EXPECT_EQ(program.run({"reference", "delete", "x", "--dry-run"}), 0);
  EXPECT_THAT(program.out(), HasSubstr("Deleting the reference point \"x\""));
  EXPECT_THAT(session.calls, ElementsAre("plan_take_snapshot", "plan_delete_snapshot"));
}

TEST_F(ReferenceVerbs, ConvertNamesTheSnapshot) {
  EXPECT_EQ(program.run({"reference", "convert", "before-upgrade"}), 0);
  EXPECT_THAT(session.calls, ElementsAre("convert_snapshot"));
  EXPECT_EQ(session.asked_for, "before-upgrade");
  EXPECT_THAT(program.out(), HasSubstr("Reference point:"));
}

TEST_F(ReferenceVerbs, ListIsOfOneCollectionOrOfAll) {
  EXPECT_EQ(program.run({"reference", "list", "shop"}), 0);
  EXPECT_EQ(session.asked_for, "shop");
  EXPECT_EQ(program.run({"reference", "list"}), 0);
  EXPECT_EQ(session.asked_for, "");
  EXPECT_THAT(program.out(), HasSubstr("monday  00000000  shop"));
}

TEST_F(ReferenceVerbs, ShowShowsIdentifiersOnlyInFull) {
  EXPECT_EQ(program.run({"reference", "show", "x"}), 0);
  EXPECT_EQ(program.out().find("TRACKING ID"), std::string::npos);
  EXPECT_EQ(program.run({"reference", "show", "x", "--verbose"}), 0);
  EXPECT_THAT(program.out(), AllOf(HasSubstr("TRACKING ID"), HasSubstr("-000000000008\n"), HasSubstr("/vm/db.qcow2")));
}

TEST_F(ReferenceVerbs, ExportNamesTheBaseAndTheDisks) {
  EXPECT_EQ(program.run({"reference", "export", "tuesday", "/b/tue", "--since", "monday", "--disk", "db/vda", "--disk",
                         "web/vdb", "--compress"}),
            0);
  EXPECT_THAT(session.calls, ElementsAre("export_snapshot"));
  const auto& request = session.export_request;
  EXPECT_EQ(request.snapshot, "tuesday");
  EXPECT_TRUE(request.is_reference_point);
  EXPECT_TRUE(request.is_compressed);
  EXPECT_EQ(request.since, "");
  EXPECT_EQ(request.since_point, "monday");
  ASSERT_EQ(request.disks.size(), 2U);
  EXPECT_EQ(request.disks[1].machine, "web");
  EXPECT_EQ(request.disks[1].target, "vdb");
}

TEST_F(ReferenceVerbs, ExportRefusesWhatNamesNoDisk) {
  for (const std::string disk : {"vda", "/vda", "web/"}) {
    EXPECT_EQ(program.run({"reference", "export", "tuesday", "/b/tue", "--disk", disk}), 2) << disk;
  }
  EXPECT_THAT(session.calls, ElementsAre());
}

TEST_F(ReferenceVerbs, DeleteHandsOnItsOptions) {
  EXPECT_EQ(program.run({"reference", "delete", "x", "--forget-missing"}), 0);
  EXPECT_EQ(session.delete_request.snapshot, "x");
  EXPECT_TRUE(session.delete_request.is_reference_point);
  EXPECT_EQ(session.delete_request.unmergeable, service::Unmergeable::kForgotten);
  EXPECT_THAT(program.out(), HasSubstr("Deleted the reference point"));
}

}  // namespace
}  // namespace cohort::cli
