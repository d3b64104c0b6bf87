#include "cli/output/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/testing/examples.h"

namespace cohort::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
TEST(ReportError, SaysCauseAlwaysAndContextInFull) {
  const Error error{ErrorCode::kIo, "The disk cannot be read.", "EIO", {"copying vda", "exporting"}};
  EXPECT_EQ(report_error(error, Detail::kUsual), "cohort: The disk cannot be read.\n  cause: EIO\n");
  EXPECT_EQ(report_error(error, Detail::kFull),
            "cohort: The disk cannot be read.\n  cause: EIO\n  while copying vda\n  while exporting\n");
}

TEST(ReportError, CannotCommandTheTerminal) {
  EXPECT_EQ(report_error(Error{ErrorCode::kNotFound, "No \"\x1b[2J\".", {}, {}}, Detail::kUsual),
            "cohort: No \"?[2J\".\n");
}

TEST(ReportRecovery, IsEmptyWhenThereWasNothing) {
  EXPECT_EQ(report_recovery({}), "");
  EXPECT_EQ(report_recovery({{"Resumed db."}, {"Remove /x."}}),
            "cohort: recovered: Resumed db.\ncohort: could not recover: Remove /x.\n");
}

TEST(ReportCollection, NamesMissingMachines) {
  EXPECT_THAT(report_collection(example_collection_view(), Detail::kUsual),
              AllOf(HasSubstr("db       running  00000000\n"), HasSubstr("web      missing  00000000\n"),
                    HasSubstr("Member of:   site\n")));
  EXPECT_THAT(report_collections({example_collection_view()}, Detail::kUsual), HasSubstr("db, web (missing)"));
}

TEST(ReportCollections, EmptyListTellsTheNextStep) {
  EXPECT_THAT(report_collections({}, Detail::kUsual), HasSubstr("cohort collection create"));
}

TEST(OneInstant, IsProvenByTheOverlap) {
  EXPECT_EQ(one_instant(example_snapshot()), "proven: all 2 machines that ran stood still together for 12.3 ms");
}

TEST(ReportSnapshot, TellsWhatConsistencyWasReachedAndWhyNotMore) {
  const std::string report = report_snapshot(example_snapshot(), Detail::kUsual);
  EXPECT_THAT(report, HasSubstr("best was asked for (freezing allowed: 10000 ms)"));
  EXPECT_THAT(report, HasSubstr("db          running  application  140 ms  18.2 ms"));
  EXPECT_THAT(report, HasSubstr("web is crash consistent: The guest agent of the machine \"web\" does not answer"));
  EXPECT_THAT(report_snapshot_plan(example_planned_snapshot(), Detail::kUsual), HasSubstr("web is crash consistent"));
}

TEST(ReportSnapshot, IsShortWhereNothingWasAskedFor) {
  Snapshot snapshot = example_snapshot();
  snapshot.asked = ConsistencyWish::kCrash;
  EXPECT_THAT(report_snapshot(snapshot, Detail::kUsual), Not(HasSubstr("was asked for")));
}

TEST(OneInstant, NamesTheMachineThatWasNotMeasured) {
  Snapshot snapshot = example_snapshot();
  snapshot.members[1].pause.reset();
  snapshot.fence.overlap_begin.reset();
  snapshot.fence.overlap_end.reset();
  EXPECT_EQ(one_instant(snapshot), "not measured: QEMU's events were not seen from web");
}

TEST(OneInstant, SaysLoudlyWhenThePausesDoNotOverlap) {
  Snapshot snapshot = example_snapshot();
  std::swap(snapshot.fence.overlap_begin, snapshot.fence.overlap_end);
  EXPECT_THAT(one_instant(snapshot), HasSubstr("NOT proven"));
}

TEST(OneInstant, NeedsNoProofWhereNothingRan) {
  Snapshot snapshot = example_snapshot();
  snapshot.members.erase(snapshot.members.begin(), snapshot.members.begin() + 2);
  snapshot.fence = {};
  EXPECT_EQ(one_instant(snapshot), "no machine ran, so nothing could change");
}

TEST(ReportSnapshot, ShowsEachMembersPauseAndWhatWasLeftOut) {
  const auto text = report_snapshot(example_snapshot(), Detail::kUsual);
  EXPECT_THAT(text,
              AllOf(HasSubstr("db          running  application  140 ms  18.2 ms  2.0 GiB  vda 2.0 GiB  sda (cdrom)\n"),
                    HasSubstr("web         running  crash             -  12.3 ms        -  vda 2.0 GiB  -\n"),
                    HasSubstr("Büro Nr. 1  off      off               -        -        -  vda 2.0 GiB  -\n"),
                    HasSubstr("up for 20.1 ms (allowed: 2000 ms)"), Not(HasSubstr("/vm/db.qcow2"))));
  EXPECT_THAT(report_snapshot(example_snapshot(), Detail::kFull), HasSubstr("/vm/db.qcow2"));
}

TEST(ReportSnapshotPlan, SaysThatNothingWasChanged) {
  EXPECT_THAT(report_snapshot_plan(example_planned_snapshot(), Detail::kUsual),
              AllOf(HasSubstr("would take 3 machines; 2 running ones would stand still for 2000 ms at most"),
                    HasSubstr("Up to 2.0 GiB of memory would be saved meanwhile, beside the disks: in about 10.2 s, if "
                              "200.0 MiB are written in a second"),
                    HasSubstr("Nothing was changed.")));
}

TEST(ReportVerify, NamesEveryProblemAndKeepsNotesApart) {
  EXPECT_THAT(report_verify(example_verify_report(), Detail::kUsual),
              AllOf(HasSubstr("is whole, with the 1 package that it stands on: 4 files, 286.1 MiB"),
                    HasSubstr("does no harm:\n  notes.txt: unlisted")));
  EXPECT_THAT(report_verify(example_broken_report(), Detail::kUsual),
              AllOf(HasSubstr("is NOT whole: 1 problem."),
                    HasSubstr("What is wrong:\n  Virtual Hard Disks/db-vda.qcow2: wrong-hash: Expected")));
}

TEST(ReportVerify, NamesWhatWasLeftOutOfTheSnapshot) {
  EXPECT_THAT(report_verify(example_verify_report(), Detail::kUsual),
              AllOf(HasSubstr("Left out of db"), HasSubstr("sda (cdrom)")));
}

TEST(ReportJob, ShowsTheErrorOfAFailedJob) {
  EXPECT_THAT(report_job(example_failed_job()),
              AllOf(HasSubstr("The folder /backup is full. (no_space)"), HasSubstr("No space left on device")));
  EXPECT_THAT(report_jobs({example_job()}, Detail::kUsual), HasSubstr("copying disks, 143.1 MiB of 286.1 MiB"));
}

TEST(ReportImport, SaysThatAPlansIdsAreNew) {
  EXPECT_THAT(report_import_plan(example_import_plan()), AllOf(HasSubstr("(a new one)"), HasSubstr("286.1 MiB")));
}

TEST(ReportImport, SaysWhichDisksTheMachinesComeWithout) {
  const std::string sentence =
      "The disk vdx of \"db\" (not-a-file: /dev/vg/db) is not in the package: \"try-db\" comes "
      "without it.";
  EXPECT_THAT(report_import(example_import_report()), AllOf(HasSubstr(sentence), Not(HasSubstr("The disk sda"))));
  EXPECT_THAT(report_import_plan(example_import_plan()), HasSubstr(sentence));
}

}  // namespace
}  // namespace cohort::cli
