#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/testing/examples.h"
#include "cli/testing/program.h"

namespace cohort::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class PackageVerbs : public testing::Test {
 protected:
  Program program;
  SessionRecord& session = program.session;
};

TEST_F(PackageVerbs, ExportUsesDefaultsWhereNothingIsSaid) {
  EXPECT_EQ(program.run({"export", "snap", "/backup/shop/"}), 0);
  EXPECT_EQ(session.export_request.snapshot, "snap");
  EXPECT_EQ(session.export_request.directory, "/backup/shop");
  EXPECT_EQ(session.export_request.format, "qcow2");
  EXPECT_EQ(session.export_request.rate_limit, 0U);
  EXPECT_FALSE(session.export_request.subdirectory || session.export_request.no_storage);
  EXPECT_FALSE(session.export_request.is_compressed);
  EXPECT_THAT(program.out(), HasSubstr("to /backup/shop: 5 files, 286.1 MiB (276.6 MiB on the disk)."));
}

TEST_F(PackageVerbs, ExportHandsOnItsOptions) {
  EXPECT_EQ(
      program.run({"export", "snap", "/b", "--subdirectory", "--format", "raw", "--no-storage", "--rate-limit", "50M"}),
      0);
  EXPECT_TRUE(session.export_request.subdirectory && session.export_request.no_storage);
  EXPECT_EQ(session.export_request.format, "raw");
  EXPECT_EQ(session.export_request.rate_limit, 50ULL << 20U);
}

TEST_F(PackageVerbs, ExportCompressesOnRequest) {
  EXPECT_EQ(program.run({"export", "snap", "/b", "--compress"}), 0);
  EXPECT_TRUE(session.export_request.is_compressed);
}

TEST_F(PackageVerbs, ExportHashesUnlessItIsTold) {
  EXPECT_EQ(program.run({"export", "snap", "/b"}), 0);
  EXPECT_TRUE(session.export_request.is_hashed);
  EXPECT_EQ(program.run({"export", "snap", "/b", "--no-hash"}), 0);
  EXPECT_FALSE(session.export_request.is_hashed);
  EXPECT_EQ(program.run({"export", "snap", "/b", "--no-hash", "--compress"}), 2);
}

TEST_F(PackageVerbs, VerifySealsOnRequest) {
  EXPECT_EQ(program.run({"verify", "/backup/shop"}), 0);
  EXPECT_EQ(program.run({"verify", "/backup/shop", "--seal", "--no-parents"}), 0);
  EXPECT_THAT(session.calls, ElementsAre("verify", "seal"));
  EXPECT_FALSE(session.verify_options.with_parents);
}

TEST_F(PackageVerbs, VerifyOfAPackageWithoutHashesSaysSoAndExitsWith5) {
  session.verify_report = example_broken_report();
  session.verify_report.problems = {{"db-vda.qcow2", package::ProblemKind::kUnsealed, "It has no hash."}};
  EXPECT_EQ(program.run({"verify", "/backup/shop"}), 5);
  EXPECT_THAT(program.out(), HasSubstr("is NOT sealed"));
}

TEST_F(PackageVerbs, ExportNamesTheBaseOfADifference) {
  EXPECT_EQ(program.run({"export", "snap", "/b"}), 0);
  EXPECT_EQ(session.export_request.since, "");
  EXPECT_EQ(program.run({"export", "snap", "/b", "--since", "/backup/monday/"}), 0);
  EXPECT_EQ(session.export_request.since, "/backup/monday");
  EXPECT_EQ(session.export_request.since_point, "");
  EXPECT_EQ(program.run({"export", "snap", "/b", "--since", "no-such-folder"}), 0);
  EXPECT_EQ(session.export_request.since, "");
  EXPECT_EQ(session.export_request.since_point, "no-such-folder");
  EXPECT_THAT(program.out(), HasSubstr("One disk is the difference from ../shop-monday (snapshot \"monday\")"));
  EXPECT_THAT(program.out(), HasSubstr("Disk vda of \"web\" goes whole: The base has no such disk."));
}

TEST_F(PackageVerbs, VerifyFollowsParentsUnlessItIsTold) {
  EXPECT_EQ(program.run({"verify", "/backup/shop"}), 0);
  EXPECT_TRUE(session.verify_options.with_parents);
  EXPECT_THAT(program.out(), HasSubstr("is whole, with the 1 package that it stands on"));
  EXPECT_EQ(program.run({"verify", "/backup/shop", "--no-parents"}), 0);
  EXPECT_FALSE(session.verify_options.with_parents);
}

TEST_F(PackageVerbs, WrongValuesAreNamedBeforeAnythingIsDone) {
  EXPECT_EQ(program.run({"export", "snap", "/b", "--format", "raw", "--compress"}), 2);
  EXPECT_THAT(program.err(), HasSubstr("--compress"));
  EXPECT_EQ(program.run({"export", "snap", "/b", "--format", "vmdk"}), 2);
  EXPECT_THAT(program.err(), HasSubstr("\"vmdk\""));
  EXPECT_EQ(program.run({"backup", "shop", "/b", "--rate-limit", "fast"}), 2);
  EXPECT_THAT(program.err(), HasSubstr("\"fast\""));
  EXPECT_EQ(program.run({"import", "/b", "--name", "db"}), 2);
  EXPECT_THAT(program.err(), HasSubstr("\"db\""));
  EXPECT_THAT(session.calls, ElementsAre());
}

TEST_F(PackageVerbs, DryRunsOnlyPlan) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"export", "x"}, {"backup", "x"}, {"import"}}) {
    auto arguments = words;
    arguments.insert(arguments.end(), {"/b", "--dry-run"});
    EXPECT_EQ(program.run(arguments), 0);
    EXPECT_THAT(program.out(), HasSubstr("Nothing was changed."));
  }
  EXPECT_THAT(session.calls, ElementsAre("plan_export", "plan_backup", "plan_import"));
}

TEST_F(PackageVerbs, BackupPrunesThePackagesOfItsCollectionBesideTheNewOne) {
  EXPECT_EQ(program.run({"backup", "shop", "/backup/shop", "--keep-daily", "7", "--keep-last=2"}), 0);
  EXPECT_THAT(session.calls, ElementsAre("backup", "prune_packages"));
  const auto& request = session.prune_request;
  EXPECT_EQ(request.folder, "/backup");
  EXPECT_EQ(request.newest, "/backup/shop");
  EXPECT_EQ(request.collection, example_export_report().snapshot.collection);
  EXPECT_EQ(request.retention.daily, 7U);
  EXPECT_EQ(request.retention.last, 2U);
  EXPECT_THAT(program.out(), AllOf(HasSubstr("Exported"), HasSubstr("Removed")));
}

TEST_F(PackageVerbs, BackupPlansWhatItPrunesWithTheNewPackageAmongTheOthers) {
  EXPECT_EQ(program.run({"backup", "shop", "/backup/shop", "--keep-last", "1", "--dry-run", "--json"}), 0);
  EXPECT_THAT(session.calls, ElementsAre("plan_backup", "plan_prune"));
  ASSERT_TRUE(session.prune_request.coming);
  EXPECT_EQ(session.prune_request.coming->package, "/backup/shop");
  EXPECT_TRUE(program.json().at("plan").at("prune").contains("packages"));
}

TEST_F(PackageVerbs, ABackupWhosePruneFailsIsReportedAndExitsWithThatFailure) {
  session.failing_call = "prune_packages";
  session.failure = make_error(ErrorCode::kNoSpace, "There is no room to merge.");
  EXPECT_EQ(program.run({"backup", "shop", "/backup/shop", "--keep-last", "1", "--quiet"}), 10);
  EXPECT_THAT(program.out(), AllOf(HasSubstr("Exported"), HasSubstr("is complete"), HasSubstr("no room to merge")));
  EXPECT_EQ(program.run({"backup", "shop", "/backup/shop", "--keep-last", "1", "--json"}), 10);
  EXPECT_EQ(program.json().at("prune_error").at("code"), "no_space");
  EXPECT_EQ(program.json().at("backup").at("package"), "/backup/shop");
}

TEST_F(PackageVerbs, NothingIsPrunedWhenTheBackupFails) {
  session.failure = make_error(ErrorCode::kNoSpace, "There is no room.");
  EXPECT_EQ(program.run({"backup", "shop", "/backup/shop", "--keep-last", "1"}), 10);
  EXPECT_THAT(session.calls, ElementsAre("backup"));
}

TEST_F(PackageVerbs, VerifyOfAWholePackageSucceeds) {
  EXPECT_EQ(program.run({"verify", "/backup/shop"}), 0);
  EXPECT_EQ(session.verified, "/backup/shop");
  EXPECT_THAT(program.out(), HasSubstr("is whole"));
}

TEST_F(PackageVerbs, VerifyOfABrokenPackageNamesTheProblemAndExitsWith12) {
  session.verify_report = example_broken_report();
  EXPECT_EQ(program.run({"verify", "/backup/shop"}), 12);
  EXPECT_THAT(program.out(), HasSubstr("db-vda.qcow2: wrong-hash"));
  EXPECT_EQ(program.run({"verify", "/backup/shop", "--json"}), 12);
  EXPECT_EQ(program.json().at("verify").at("whole"), false);
  EXPECT_EQ(program.json().at("verify").at("problems").size(), 1U);
}

TEST_F(PackageVerbs, ImportHandsOnItsOptions) {
  EXPECT_EQ(program.run({"import", "--name", "db=db2", "/b", "--name-prefix", "try-", "--name=web=web 2", "--keep-ids",
                         "--storage", "/vm/", "--start"}),
            0);
  const auto& request = session.import_request;
  EXPECT_EQ(request.directory, "/b");
  EXPECT_EQ(request.name_prefix, "try-");
  EXPECT_THAT(request.names, ElementsAre(std::pair("db", "db2"), std::pair("web", "web 2")));
  EXPECT_TRUE(request.keep_ids && request.start);
  EXPECT_EQ(request.storage, "/vm");
  EXPECT_THAT(program.out(), AllOf(HasSubstr("Imported 1 machine."), HasSubstr("try-db")));
}

TEST_F(PackageVerbs, ValuesOfOptionsMayStandInBrackets) {
  EXPECT_EQ(program.run({"import", "/b", "--name", "[a]=[b]", "--name-prefix", "[x]", "--storage", "/vm/[y]"}), 0);
  EXPECT_THAT(session.import_request.names, ElementsAre(std::pair("[a]", "[b]")));
  EXPECT_EQ(session.import_request.name_prefix, "[x]");
}

TEST_F(PackageVerbs, ImportLeavesTheStorageToTheHypervisor) {
  EXPECT_EQ(program.run({"import", "/b"}), 0);
  EXPECT_EQ(session.import_request.storage, "");
  EXPECT_FALSE(session.import_request.keep_ids || session.import_request.start);
}

TEST_F(PackageVerbs, TryHandsOnItsOptions) {
  EXPECT_EQ(program.run({"try", "--wait-for-agent", "/b/", "--machine", "db", "--machine=web 2", "--for", "5m",
                         "--network", "isolated", "--trust", "network", "--scratch", "/s/", "--name-prefix", "t-"}),
            0);
  const auto& request = session.try_request;
  EXPECT_EQ(request.directory, "/b");
  EXPECT_THAT(request.machines, ElementsAre("db", "web 2"));
  EXPECT_EQ(request.agent_patience, std::chrono::seconds(300));
  EXPECT_EQ(request.run_for, std::chrono::minutes(5));
  EXPECT_EQ(request.network, service::TryNetwork::kIsolated);
  EXPECT_THAT(request.trusted, ElementsAre(RefusalKind::kNetwork));
  EXPECT_EQ(request.scratch, "/s");
  EXPECT_EQ(request.name_prefix, "t-");
}

TEST_F(PackageVerbs, TryRunsUnconnectedAndWithoutAnEndUnlessMoreIsSaid) {
  EXPECT_EQ(program.run({"try", "/b"}), 0);
  const auto& request = session.try_request;
  EXPECT_FALSE(request.agent_patience || request.run_for);
  EXPECT_EQ(request.network, service::TryNetwork::kNone);
  EXPECT_EQ(request.name_prefix, "try-");
  EXPECT_EQ(request.scratch, "");
}

TEST_F(PackageVerbs, TryWaitsForAgentsAsLongAsIsSaid) {
  EXPECT_EQ(program.run({"try", "/b", "--wait-for-agent=90"}), 0);
  EXPECT_EQ(session.try_request.agent_patience, std::chrono::seconds(90));
  EXPECT_EQ(program.run({"try", "/b", "--wait-for-agent=forever"}), 2);
  EXPECT_EQ(program.run({"try", "/b", "--network", "bridge"}), 2);
  EXPECT_THAT(program.err(), HasSubstr("none or isolated"));
}

TEST_F(PackageVerbs, TrySaysHowToLookAtTheMachinesAndHowTheyEnded) {
  EXPECT_EQ(program.run({"try", "/b", "--connect", "qemu:///session"}), 0);
  EXPECT_THAT(program.err(), AllOf(HasSubstr("tail -f /var/lib/cohort/tries/x/try-db-serial0.log"),
                                   HasSubstr("virsh -c qemu:///session console 'try-Büro Nr. 1'")));
  EXPECT_THAT(program.out(), AllOf(HasSubstr("Tried 2 machines for 60.0 s"), HasSubstr("shut itself down"),
                                   HasSubstr("vdx of \"db\"")));
}

TEST_F(PackageVerbs, TryExitsWith5WhenAMachineHasCrashed) {
  session.try_report.machines[1].end = service::MachineEnd::kCrashed;
  EXPECT_EQ(program.run({"try", "/b"}), 5);
  EXPECT_THAT(program.out(), HasSubstr("crashed"));
}

TEST_F(PackageVerbs, TryCallsAnInterruptItsEnd) {
  session.on_job = [&](const client::JobWatch&) { EXPECT_TRUE(program.cancellation.interrupt()); };
  EXPECT_EQ(program.run({"try", "/b"}), 0);
  EXPECT_THAT(program.err(), HasSubstr("Ending the try"));
}

TEST_F(PackageVerbs, BackupHandsOnTheOptionsOfBothHalves) {
  EXPECT_EQ(program.run({"backup", "shop", "/b", "--deadline", "700", "--ignore-non-snapshottable", "--format", "raw",
                         "--rate-limit", "1G", "--subdirectory", "--consistency", "application"}),
            0);
  EXPECT_THAT(session.calls, ElementsAre("backup"));
  EXPECT_EQ(session.backup_request.take.consistency, ConsistencyWish::kApplication);
  EXPECT_EQ(session.backup_request.take.collection, "shop");
  EXPECT_EQ(session.backup_request.take.deadline, Milliseconds{700});
  EXPECT_TRUE(session.backup_request.take.ignore_non_snapshottable);
  EXPECT_EQ(session.backup_request.target.directory, "/b");
  EXPECT_EQ(session.backup_request.target.format, "raw");
  EXPECT_EQ(session.backup_request.target.rate_limit, 1ULL << 30U);
  EXPECT_TRUE(session.backup_request.target.subdirectory);
}

TEST_F(PackageVerbs, BackupIsIncrementalButOnRequest) {
  EXPECT_EQ(program.run({"backup", "shop", "/b"}), 0);
  EXPECT_TRUE(session.backup_request.is_incremental);
  EXPECT_EQ(program.run({"backup", "shop", "/b", "--full"}), 0);
  EXPECT_FALSE(session.backup_request.is_incremental);
  EXPECT_EQ(program.run({"backup", "shop", "/b", "--full", "--merge"}), 2);
  EXPECT_EQ(program.run({"backup", "shop", "/b", "--dry-run"}), 0);
  EXPECT_THAT(program.out(), HasSubstr("would be deleted when the package is complete."));
}

TEST_F(PackageVerbs, ListNamesPackagesAndWhatCannotBeUsed) {
  EXPECT_EQ(program.run({"package", "list", "/backup/"}), 0);
  EXPECT_EQ(session.looked_at, "/backup");
  EXPECT_THAT(program.out(), AllOf(HasSubstr("before-upgrade"), HasSubstr("../shop-monday"),
                                   HasSubstr("shop-friday.partial: It is being written, or was left half written.")));
}

TEST_F(PackageVerbs, ShowTellsWhatAPackageStandsOn) {
  EXPECT_EQ(program.run({"package", "show", "/backup/shop"}), 0);
  EXPECT_EQ(session.looked_at, "/backup/shop");
  EXPECT_THAT(program.out(),
              AllOf(HasSubstr("not verified"), HasSubstr("/backup/shop-monday"), HasSubstr("db-vda.qcow2")));
}

TEST_F(PackageVerbs, MergeMakesANewPackage) {
  EXPECT_EQ(program.run({"package", "merge", "/backup/shop", "/backup/shop-alone/"}), 0);
  EXPECT_EQ(session.merge_request.package, "/backup/shop");
  EXPECT_EQ(session.merge_request.directory, "/backup/shop-alone");
  EXPECT_THAT(program.out(), HasSubstr("with the 1 package that it stands on into /backup/shop-alone: 4 files"));
  EXPECT_EQ(program.run({"package", "merge", "/backup/shop", "/backup/shop-alone", "--dry-run"}), 0);
  EXPECT_THAT(program.out(), HasSubstr("Nothing was changed."));
  EXPECT_THAT(session.calls, ElementsAre("merge_package", "plan_merge"));
}

TEST_F(PackageVerbs, PruneHandsOnHowManyAreKept) {
  EXPECT_EQ(program.run({"package", "prune", "/backup/", "--keep-last", "1", "--keep-daily", "2", "--keep-weekly", "3",
                         "--keep-monthly", "4"}),
            0);
  EXPECT_EQ(session.prune_request.folder, "/backup");
  EXPECT_EQ(session.prune_request.retention.last, 1U);
  EXPECT_EQ(session.prune_request.retention.daily, 2U);
  EXPECT_EQ(session.prune_request.retention.weekly, 3U);
  EXPECT_EQ(session.prune_request.retention.monthly, 4U);
  EXPECT_THAT(program.out(), AllOf(HasSubstr("Removed 1 package from /backup, and merged 1."), HasSubstr("last, daily"),
                                   HasSubstr("half written")));
  EXPECT_EQ(program.run({"package", "prune", "/backup", "--keep-last", "1", "--dry-run"}), 0);
  EXPECT_THAT(program.out(), HasSubstr("Nothing was changed."));
  EXPECT_THAT(session.calls, ElementsAre("prune_packages", "plan_prune"));
  EXPECT_EQ(program.run({"package", "prune", "/backup", "--keep-last", "-1"}), 2);
}

TEST_F(PackageVerbs, ImportFindsThePackageOfATime) {
  EXPECT_EQ(program.run({"import", "/backup", "--at", "2026-01-31"}), 0);
  EXPECT_EQ(session.looked_at, "/backup");
  EXPECT_EQ(format_utc(session.asked_time), "2026-01-31T23:59:59.999999Z");
  EXPECT_EQ(session.import_request.directory, "/backup/monday");
  EXPECT_EQ(program.run({"import", "/backup", "--at", "yesterday"}), 2);
}

}  // namespace
}  // namespace cohort::cli
