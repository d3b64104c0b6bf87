// The contract of StateStore, for each implementation.
#include "contract/state_store_contract.h"
#include "service/testing/fake_state_store.h"
#include "store/sqlite_store.h"

namespace cohort::contract {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const StateStoreFactory kFake{"Fake",
                              [](const Path& folder) { return std::make_unique<service::FakeStateStore>(folder); }};
const StateStoreFactory kSqlite{"Sqlite", [](const Path& folder) {
                                  auto opened = store::open_sqlite_store(folder, store::Access::kWrite, "test:///x");
                                  EXPECT_TRUE(is_ok(opened));
                                  return opened ? std::move(*opened) : nullptr;
                                }};

INSTANTIATE_TEST_SUITE_P(Each, StateStoreContract, ::testing::Values(kFake, kSqlite),
                         [](const auto& each) { return each.param.name; });

// --- collections ---

TEST_P(StateStoreContract, KeepsACollectionOfMachinesInTheOrderAdded) {
  Collection web = collection_named("Büro № 1");
  web.machines = {{MachineId::generate(), "zuletzt ß"}, {MachineId::generate(), "a"}, {MachineId::generate(), ""}};
  ASSERT_TRUE(is_ok(store().add_collection(web)));
  const auto kept = store().collection(web.id);
  ASSERT_TRUE(is_ok(kept));
  expect_same(*kept, web);
}

TEST_P(StateStoreContract, KeepsACollectionOfCollectionsInTheOrderAdded) {
  const Collection first = collection_named("z");
  const Collection second = collection_named("a");
  Collection all = collection_named("all");
  all.kind = CollectionKind::kCollections;
  all.collections = {first.id, second.id};
  ASSERT_TRUE(is_ok(store().add_collection(first)));
  ASSERT_TRUE(is_ok(store().add_collection(second)));
  ASSERT_TRUE(is_ok(store().add_collection(all)));
  const auto kept = store().collection(all.id);
  ASSERT_TRUE(is_ok(kept));
  expect_same(*kept, all);
}

TEST_P(StateStoreContract, ListsCollectionsByName) {
  for (const char* name : {"b", "Ö", "a", "B"}) {
    ASSERT_TRUE(is_ok(store().add_collection(collection_named(name))));
  }
  const auto all = store().collections();
  ASSERT_TRUE(is_ok(all));
  std::vector<std::string> names;
  for (const Collection& collection : *all) {
    names.push_back(collection.name);
  }
  EXPECT_THAT(names, ElementsAre("B", "a", "b", "Ö"));
}

TEST_P(StateStoreContract, RefusesASecondCollectionOfTheSameNameOrId) {
  const Collection web = collection_named("web");
  ASSERT_TRUE(is_ok(store().add_collection(web)));
  EXPECT_TRUE(fails_with(ErrorCode::kAlreadyExists, store().add_collection(collection_named("web"))));
  Collection same_id = web;
  same_id.name = "other";
  EXPECT_TRUE(fails_with(ErrorCode::kAlreadyExists, store().add_collection(same_id)));
}

TEST_P(StateStoreContract, UpdatesACollectionWhole) {
  Collection web = collection_named("web");
  web.machines = {{MachineId::generate(), "a"}, {MachineId::generate(), "b"}};
  ASSERT_TRUE(is_ok(store().add_collection(web)));
  web.name = "renamed";
  web.machines.erase(web.machines.begin());
  web.machines.push_back({MachineId::generate(), "c"});
  ASSERT_TRUE(is_ok(store().update_collection(web)));
  const auto kept = store().collection(web.id);
  ASSERT_TRUE(is_ok(kept));
  expect_same(*kept, web);
}

TEST_P(StateStoreContract, RefusesToRenameACollectionToAnothersName) {
  Collection web = collection_named("web");
  ASSERT_TRUE(is_ok(store().add_collection(web)));
  ASSERT_TRUE(is_ok(store().add_collection(collection_named("db"))));
  web.name = "db";
  EXPECT_TRUE(fails_with(ErrorCode::kAlreadyExists, store().update_collection(web)));
  EXPECT_EQ(store().collection(web.id)->name, "web");
}

TEST_P(StateStoreContract, RefusesAMemberThatIsNoCollectionAndChangesNothing) {
  Collection all = collection_named("all");
  all.kind = CollectionKind::kCollections;
  ASSERT_TRUE(is_ok(store().add_collection(all)));
  Collection changed = all;
  changed.name = "changed";
  changed.collections = {CollectionId::generate()};
  EXPECT_TRUE(fails_with(ErrorCode::kNotFound, store().update_collection(changed)));
  const auto kept = store().collection(all.id);
  ASSERT_TRUE(is_ok(kept));
  expect_same(*kept, all);
}

TEST_P(StateStoreContract, RemovesACollectionButNotAMemberOfAnother) {
  const Collection inner = collection_named("inner");
  Collection outer = collection_named("outer");
  outer.kind = CollectionKind::kCollections;
  outer.collections = {inner.id};
  ASSERT_TRUE(is_ok(store().add_collection(inner)));
  ASSERT_TRUE(is_ok(store().add_collection(outer)));
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidState, store().remove_collection(inner.id)));
  EXPECT_TRUE(is_ok(store().remove_collection(outer.id)));
  EXPECT_TRUE(is_ok(store().remove_collection(inner.id)));
  EXPECT_THAT(*store().collections(), IsEmpty());
}

TEST_P(StateStoreContract, SaysThatACollectionIsNotThere) {
  const Collection unknown = collection_named("unknown");
  EXPECT_TRUE(fails_with(ErrorCode::kNotFound, store().collection(unknown.id)));
  EXPECT_TRUE(fails_with(ErrorCode::kNotFound, store().update_collection(unknown)));
  EXPECT_TRUE(fails_with(ErrorCode::kNotFound, store().remove_collection(unknown.id)));
}

// --- snapshots ---

TEST_P(StateStoreContract, KeepsEveryFieldOfASnapshot) {
  const Snapshot full = full_snapshot();
  ASSERT_TRUE(is_ok(store().add_snapshot(full)));
  const auto kept = store().snapshot(full.id);
  ASSERT_TRUE(is_ok(kept));
  expect_same(*kept, full);
}

TEST_P(StateStoreContract, KeepsWhatASnapshotDoesNotHave) {
  Snapshot bare = bare_snapshot();
  ASSERT_TRUE(is_ok(store().add_snapshot(bare)));
  const auto kept = store().snapshot(bare.id);
  ASSERT_TRUE(is_ok(kept));
  expect_same(*kept, bare);
  bare.members.clear();
  ASSERT_TRUE(is_ok(store().update_snapshot(bare)));
  EXPECT_THAT(store().snapshot(bare.id)->members, IsEmpty());
}

TEST_P(StateStoreContract, UpdatesASnapshotWhole) {
  Snapshot snapshot = bare_snapshot();
  ASSERT_TRUE(is_ok(store().add_snapshot(snapshot)));
  const SnapshotId id = snapshot.id;
  snapshot = full_snapshot();
  snapshot.id = id;
  ASSERT_TRUE(is_ok(store().update_snapshot(snapshot)));
  const auto kept = store().snapshot(id);
  ASSERT_TRUE(is_ok(kept));
  expect_same(*kept, snapshot);
  EXPECT_EQ(store().snapshots()->size(), 1U);
}

TEST_P(StateStoreContract, ListsSnapshotsOldestInstantFirst) {
  const Snapshot late = full_snapshot(30);
  const Snapshot early = full_snapshot(10);
  const Snapshot middle = bare_snapshot(20);
  for (const Snapshot& snapshot : {late, early, middle}) {
    ASSERT_TRUE(is_ok(store().add_snapshot(snapshot)));
  }
  const auto all = store().snapshots();
  ASSERT_TRUE(is_ok(all));
  expect_same_list(*all, {early, middle, late});
}

TEST_P(StateStoreContract, KeepsASnapshotWhoseCollectionIsRemoved) {
  const Collection web = collection_named("web");
  Snapshot snapshot = bare_snapshot();
  snapshot.collection = web.id;
  ASSERT_TRUE(is_ok(store().add_collection(web)));
  ASSERT_TRUE(is_ok(store().add_snapshot(snapshot)));
  ASSERT_TRUE(is_ok(store().remove_collection(web.id)));
  EXPECT_TRUE(is_ok(store().snapshot(snapshot.id)));
}

TEST_P(StateStoreContract, SaysThatASnapshotIsThereOrNot) {
  const Snapshot snapshot = full_snapshot();
  EXPECT_TRUE(fails_with(ErrorCode::kNotFound, store().snapshot(snapshot.id)));
  EXPECT_TRUE(fails_with(ErrorCode::kNotFound, store().update_snapshot(snapshot)));
  EXPECT_TRUE(fails_with(ErrorCode::kNotFound, store().remove_snapshot(snapshot.id)));
  ASSERT_TRUE(is_ok(store().add_snapshot(snapshot)));
  EXPECT_TRUE(fails_with(ErrorCode::kAlreadyExists, store().add_snapshot(snapshot)));
  ASSERT_TRUE(is_ok(store().remove_snapshot(snapshot.id)));
  EXPECT_TRUE(is_ok(store().add_snapshot(snapshot))) << "nothing of it was left";
}

TEST_P(StateStoreContract, MovesAFrozenFileInEverySnapshot) {
  const Path from("/x/ö.qcow2");
  Snapshot first = bare_snapshot(1);
  first.members[0].disks = {disk_on(from), disk_on("/x/other.qcow2", "vdb")};
  Snapshot second = bare_snapshot(2);
  second.members[0].disks = {disk_on("/x/ö.qcow", "vda"), disk_on(from, "vdb")};
  ASSERT_TRUE(is_ok(store().add_snapshot(first)));
  ASSERT_TRUE(is_ok(store().add_snapshot(second)));

  const Layer to{"/y/base.img", "raw"};
  ASSERT_TRUE(is_ok(store().move_frozen(from, to)));

  first.members[0].disks[0].frozen = to;
  second.members[0].disks[1].frozen = to;
  const auto all = store().snapshots();
  ASSERT_TRUE(is_ok(all));
  expect_same_list(*all, {first, second});
  EXPECT_TRUE(is_ok(store().move_frozen("/nowhere", to)));
}

TEST_P(StateStoreContract, KnowsWhatStandsOnAFrozenFileThatIsMoved) {
  Snapshot lower = bare_snapshot(1);
  lower.members[0].disks = {{"vda", {"/x/base", "raw"}, "/x/one", 1}};
  lower.members[0].disks[0].stands_on = "/x/foreign";
  Snapshot middle = bare_snapshot(2);
  middle.members[0].disks = {{"vda", {"/x/one", "qcow2"}, "/x/two", 1}};
  middle.members[0].disks[0].stands_on = "/x/base";
  Snapshot upper = bare_snapshot(3);
  upper.members[0].disks = {{"vda", {"/x/two", "qcow2"}, "/x/three", 1}};
  upper.members[0].disks[0].stands_on = "/x/one";
  for (const auto& each : {lower, middle, upper}) ASSERT_TRUE(is_ok(store().add_snapshot(each)));
  ASSERT_TRUE(is_ok(store().move_frozen("/x/one", {"/x/base", "raw"})));
  EXPECT_EQ(store().snapshot(middle.id)->members[0].disks[0].frozen.path, "/x/base");
  EXPECT_EQ(store().snapshot(middle.id)->members[0].disks[0].stands_on, "/x/foreign");
  EXPECT_EQ(store().snapshot(upper.id)->members[0].disks[0].stands_on, "/x/base");
}

// Three of one collection, one after the other, and one of another collection.
TEST_P(StateStoreContract, KnowsTheCurrentSnapshotAndWhoseChildrenAreLeft) {
  std::vector<Snapshot> line;
  for (std::uint64_t number = 1; number <= 3; ++number) {
    Snapshot snapshot = bare_snapshot(static_cast<std::int64_t>(number));
    snapshot.state = SnapshotState::kReady;
    snapshot.arrival = number;
    if (!line.empty()) {
      snapshot.collection = line.back().collection;
      snapshot.parent = line.back().id;
    }
    line.push_back(snapshot);
    ASSERT_TRUE(is_ok(store().add_snapshot(snapshot)));
  }
  Snapshot other = bare_snapshot(9);
  other.arrival = 9;
  ASSERT_TRUE(is_ok(store().add_snapshot(other)));
  EXPECT_FALSE(store().snapshot(line[1].id)->is_current);
  EXPECT_TRUE(store().snapshot(line[2].id)->is_current);
  EXPECT_FALSE(store().snapshot(other.id)->is_current);  // it is not ready
  ASSERT_TRUE(is_ok(store().remove_snapshot(line[1].id)));
  EXPECT_EQ(store().snapshot(line[2].id)->parent, line[0].id);
  EXPECT_TRUE(store().snapshot(line[2].id)->is_current);
  ASSERT_TRUE(is_ok(store().remove_snapshot(line[2].id)));
  EXPECT_TRUE(store().snapshot(line[0].id)->is_current);
}

TEST_P(StateStoreContract, ASharedSnapshotKeepsItsPlaceInTheTree) {
  Snapshot lower = bare_snapshot(1);
  lower.state = SnapshotState::kReady;
  lower.arrival = 1;
  Snapshot upper = bare_snapshot(2);
  upper.state = SnapshotState::kReady;
  upper.collection = lower.collection;
  upper.parent = lower.id;
  upper.arrival = 2;
  for (const auto& snapshot : {lower, upper}) ASSERT_TRUE(is_ok(store().add_snapshot(snapshot)));
  upper.state = SnapshotState::kShared;
  ASSERT_TRUE(is_ok(store().update_snapshot(upper)));
  EXPECT_TRUE(store().snapshot(upper.id)->is_current);
  EXPECT_FALSE(store().snapshot(lower.id)->is_current);
  ASSERT_TRUE(is_ok(store().remove_snapshot(upper.id)));
  EXPECT_TRUE(store().snapshot(lower.id)->is_current);
  EXPECT_EQ(store().snapshot(lower.id)->arrival, 2U);
}

TEST_P(StateStoreContract, SettlesAJobWholeOrNotAtAll) {
  const Job job = queued_job();
  ASSERT_TRUE(is_ok(store().add_job(job)));
  ASSERT_TRUE(store().add_undo_step(job.id, UndoKind::kPutBack, "before"));
  Snapshot snapshot = bare_snapshot();
  ASSERT_TRUE(is_ok(store().add_snapshot(snapshot)));
  snapshot.arrival = 7;
  const std::vector<UndoStep> steps{{0, UndoKind::kForgetSnapshot, "a"}, {0, UndoKind::kLetRun, "b"}};
  EXPECT_TRUE(fails_with(ErrorCode::kNotFound, store().settle(job.id, {snapshot, bare_snapshot()}, steps)));
  EXPECT_EQ(store().snapshot(snapshot.id)->arrival, 0U);
  EXPECT_EQ(store().undo_steps(job.id)->size(), 1U);
  ASSERT_TRUE(is_ok(store().settle(job.id, {snapshot}, steps)));
  EXPECT_EQ(store().snapshot(snapshot.id)->arrival, 7U);
  const auto kept = store().undo_steps(job.id).value();
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].kind, UndoKind::kForgetSnapshot);
  EXPECT_EQ(kept[1].subject, "b");
}

TEST_P(StateStoreContract, StampsAFrozenFileInEverySnapshot) {
  Snapshot first = bare_snapshot(1);
  first.members[0].disks = {disk_on("/x/ö.qcow2"), disk_on("/x/other.qcow2", "vdb")};
  Snapshot second = bare_snapshot(2);
  second.members[0].disks = {disk_on("/x/ö.qcow2")};
  ASSERT_TRUE(is_ok(store().add_snapshot(first)));
  ASSERT_TRUE(is_ok(store().add_snapshot(second)));
  for (const std::optional<FileStamp>& stamp : {std::optional(FileStamp{1, 2, 3}), std::optional<FileStamp>()}) {
    ASSERT_TRUE(is_ok(store().stamp_frozen("/x/ö.qcow2", stamp)));
    first.members[0].disks[0].stamp = stamp;
    second.members[0].disks[0].stamp = stamp;
    const auto all = store().snapshots();
    ASSERT_TRUE(is_ok(all));
    expect_same_list(*all, {first, second});
  }
  EXPECT_TRUE(is_ok(store().stamp_frozen("/nowhere", FileStamp{1, 2, 3})));
}

TEST_P(StateStoreContract, MarksADiskAsMergedByItsOverlay) {
  Snapshot snapshot = bare_snapshot();
  snapshot.members[0].disks = {disk_on("/x/ö.qcow2"), disk_on("/x/other.qcow2", "vdb")};
  ASSERT_TRUE(is_ok(store().add_snapshot(snapshot)));
  for (const bool merged : {true, true, false}) {
    ASSERT_TRUE(is_ok(store().mark_merged(snapshot.members[0].disks[1].overlay, merged)));
    snapshot.members[0].disks[1].merged = merged;
    const auto kept = store().snapshot(snapshot.id);
    ASSERT_TRUE(is_ok(kept));
    expect_same(*kept, snapshot);
  }
  EXPECT_TRUE(is_ok(store().mark_merged("/nowhere", true)));
}

TEST_P(StateStoreContract, NamesTheFoldersOfASnapshotAndMakesNone) {
  const SnapshotId snapshot = SnapshotId::generate();
  const MachineId machine = MachineId::generate();
  EXPECT_EQ(store().snapshot_folder(snapshot), folder() / "snapshots" / snapshot.str());
  EXPECT_EQ(store().machine_state_folder(snapshot, machine), folder() / "snapshots" / snapshot.str() / machine.str());
  EXPECT_FALSE(std::filesystem::exists(store().snapshot_folder(snapshot)));
}

// --- jobs ---

TEST_P(StateStoreContract, KeepsEveryFieldOfAJob) {
  Job job = queued_job();
  ASSERT_TRUE(is_ok(store().add_job(job)));
  auto kept = store().job(job.id);
  ASSERT_TRUE(is_ok(kept));
  expect_same(*kept, job);

  job.state = JobState::kFailed;
  job.progress = {"copying disks", 1UL << 40U, 3UL << 40U};
  job.started = at(7);
  job.ended = at(8);
  job.error = Error{ErrorCode::kNoSpace, "„/x“ is full.", "ENOSPC", {"copying vda", "line 1\nline 2"}};
  job.result = "/backup/ö";
  job.works_on = {CollectionId::generate(), "a point"};
  ASSERT_TRUE(is_ok(store().update_job(job)));
  kept = store().job(job.id);
  ASSERT_TRUE(is_ok(kept));
  expect_same(*kept, job);

  job.error = Error{ErrorCode::kCancelled, "", "", {}};
  ASSERT_TRUE(is_ok(store().update_job(job)));
  kept = store().job(job.id);
  ASSERT_TRUE(is_ok(kept));
  expect_same(*kept, job);
}

TEST_P(StateStoreContract, ListsJobsNewestFirst) {
  const Job old = queued_job(1);
  const Job newest = queued_job(3);
  const Job second_of_its_time = queued_job(2);
  const Job third_of_its_time = queued_job(2);
  for (const Job& job : {newest, old, second_of_its_time, third_of_its_time}) {
    ASSERT_TRUE(is_ok(store().add_job(job)));
  }
  const auto all = store().jobs();
  ASSERT_TRUE(is_ok(all));
  expect_same_list(*all, {newest, third_of_its_time, second_of_its_time, old});
}

TEST_P(StateStoreContract, KeepsAJobForFiveMinutesAfterItsEndHoweverManyFollow) {
  constexpr std::int64_t kStart = 1'700'000'000'000'000;
  Job first = queued_job(kStart);
  first.state = JobState::kCompleted;
  first.ended = at(kStart + 60'000'000);
  ASSERT_TRUE(is_ok(store().add_job(first)));
  for (int i = 1; i <= 1001; ++i) {
    Job next = queued_job(kStart + 300'000'000 + i);  // less than five minutes after the first has ended
    next.state = JobState::kCompleted;
    next.ended = next.created;
    ASSERT_TRUE(is_ok(store().add_job(next)));
  }
  EXPECT_TRUE(is_ok(store().job(first.id)));
}

TEST_P(StateStoreContract, SaysThatAJobIsThereOrNot) {
  const Job job = queued_job();
  EXPECT_TRUE(fails_with(ErrorCode::kNotFound, store().job(job.id)));
  EXPECT_TRUE(fails_with(ErrorCode::kNotFound, store().update_job(job)));
  EXPECT_TRUE(fails_with(ErrorCode::kNotFound, store().finish_job(job)));
  EXPECT_TRUE(fails_with(ErrorCode::kNotFound, store().request_cancel(job.id)));
  EXPECT_TRUE(fails_with(ErrorCode::kNotFound, store().is_cancel_requested(job.id)));
  EXPECT_TRUE(fails_with(ErrorCode::kNotFound, store().add_undo_step(job.id, UndoKind::kRemoveFile, "/x")));
  ASSERT_TRUE(is_ok(store().add_job(job)));
  EXPECT_TRUE(fails_with(ErrorCode::kAlreadyExists, store().add_job(job)));
}

TEST_P(StateStoreContract, RemembersACancelWhateverTheJobWritesOfItself) {
  Job job = queued_job();
  ASSERT_TRUE(is_ok(store().add_job(job)));
  EXPECT_FALSE(*store().is_cancel_requested(job.id));
  ASSERT_TRUE(is_ok(store().request_cancel(job.id)));
  ASSERT_TRUE(is_ok(store().request_cancel(job.id))) << "twice is once";
  job.state = JobState::kRunning;
  ASSERT_TRUE(is_ok(store().update_job(job)));
  EXPECT_TRUE(*store().is_cancel_requested(job.id));
}

TEST_P(StateStoreContract, TakesACancelOfAnEndedJobForDone) {
  Job job = queued_job();
  ASSERT_TRUE(is_ok(store().add_job(job)));
  job.state = JobState::kCompleted;
  ASSERT_TRUE(is_ok(store().finish_job(job)));
  EXPECT_TRUE(is_ok(store().request_cancel(job.id)));
  EXPECT_FALSE(*store().is_cancel_requested(job.id));
}

// --- undo steps ---

TEST_P(StateStoreContract, GivesUndoStepsBackInTheOrderRecorded) {
  const Job job = queued_job();
  const Job other = queued_job();
  ASSERT_TRUE(is_ok(store().add_job(job)));
  ASSERT_TRUE(is_ok(store().add_job(other)));
  const auto first = store().add_undo_step(job.id, UndoKind::kRemovePartial, "/x/ö.partial");
  const auto foreign = store().add_undo_step(other.id, UndoKind::kRemoveFile, "/y");
  const auto second = store().add_undo_step(job.id, UndoKind::kUndefineMachine, "uuid");
  ASSERT_TRUE(is_ok(first) && is_ok(foreign) && is_ok(second));
  EXPECT_LT(first->number, second->number);

  const auto steps = store().undo_steps(job.id);
  ASSERT_TRUE(is_ok(steps));
  ASSERT_EQ(steps->size(), 2U);
  EXPECT_EQ((*steps)[0].number, first->number);
  EXPECT_EQ((*steps)[0].kind, UndoKind::kRemovePartial);
  EXPECT_EQ((*steps)[0].subject, "/x/ö.partial");
  EXPECT_EQ((*steps)[1].kind, UndoKind::kUndefineMachine);
  EXPECT_EQ((*steps)[1].subject, "uuid");
}

TEST_P(StateStoreContract, ForgetsOneUndoStepAndNeverGivesItsNumberAgain) {
  const Job job = queued_job();
  ASSERT_TRUE(is_ok(store().add_job(job)));
  const auto kept = store().add_undo_step(job.id, UndoKind::kRemoveFile, "/kept");
  const auto gone = store().add_undo_step(job.id, UndoKind::kRemoveFile, "/gone");
  ASSERT_TRUE(is_ok(kept) && is_ok(gone));
  ASSERT_TRUE(is_ok(store().remove_undo_step(*gone)));
  EXPECT_TRUE(is_ok(store().remove_undo_step(*gone))) << "it is gone, as asked";
  EXPECT_EQ(store().undo_steps(job.id)->size(), 1U);
  EXPECT_GT(store().add_undo_step(job.id, UndoKind::kRemoveFile, "/new")->number, gone->number);
}

TEST_P(StateStoreContract, ForgetsTheUndoStepsOfAJobThatIsFinished) {
  Job job = queued_job();
  const Job other = queued_job();
  ASSERT_TRUE(is_ok(store().add_job(job)));
  ASSERT_TRUE(is_ok(store().add_job(other)));
  ASSERT_TRUE(is_ok(store().add_undo_step(job.id, UndoKind::kRemoveFile, "/x")));
  ASSERT_TRUE(is_ok(store().add_undo_step(other.id, UndoKind::kRemoveFile, "/y")));
  job.state = JobState::kCompleted;
  ASSERT_TRUE(is_ok(store().finish_job(job)));
  EXPECT_EQ(store().job(job.id)->state, JobState::kCompleted);
  EXPECT_THAT(*store().undo_steps(job.id), IsEmpty());
  EXPECT_EQ(store().undo_steps(other.id)->size(), 1U);
  EXPECT_TRUE(fails_with(ErrorCode::kInvalidState, store().add_undo_step(job.id, UndoKind::kRemoveFile, "/z")));
}

TEST_P(StateStoreContract, KnowsNoUndoStepsOfAnUnknownJob) {
  EXPECT_THAT(*store().undo_steps(JobId::generate()), IsEmpty());
}

// --- threads ---

TEST_P(StateStoreContract, CanBeUsedFromSeveralThreads) {
  Job job = queued_job();
  Snapshot snapshot = full_snapshot();
  ASSERT_TRUE(is_ok(store().add_job(job)));
  ASSERT_TRUE(is_ok(store().add_snapshot(snapshot)));
  constexpr int kRounds = 40;
  std::atomic<int> failures = 0;
  {
    const std::jthread progress([&] {
      for (int i = 1; i <= kRounds; ++i) {
        job.progress.done_bytes = static_cast<std::uint64_t>(i);
        failures += store().update_job(job) ? 0 : 1;
      }
    });
    const std::jthread work([&] {
      for (int i = 0; i < kRounds; ++i) {
        failures += store().update_snapshot(snapshot) ? 0 : 1;
        const auto step = store().add_undo_step(job.id, UndoKind::kRemoveFile, "/x");
        failures += step && store().remove_undo_step(*step) ? 0 : 1;
      }
    });
    const std::jthread query([&] {
      for (int i = 0; i < kRounds; ++i) {
        const auto all = store().snapshots();
        failures += all && all->size() == 1 && all->front().members.size() == snapshot.members.size() ? 0 : 1;
        failures += store().is_cancel_requested(job.id) ? 0 : 1;
      }
    });
  }
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(store().job(job.id)->progress.done_bytes, static_cast<std::uint64_t>(kRounds));
  EXPECT_THAT(*store().undo_steps(job.id), IsEmpty());
}

// --- what the fake can do besides ---

TEST(FakeStateStore, FailsTheNextCallOfANameOnceAndChangesNothing) {
  service::FakeStateStore fake;
  const Collection web = collection_named("web");
  fake.fail_next("add_collection", make_error(ErrorCode::kNoSpace, "full"));
  EXPECT_TRUE(is_ok(fake.collections()));
  EXPECT_TRUE(fails_with(ErrorCode::kNoSpace, fake.add_collection(web)));
  EXPECT_THAT(*fake.collections(), IsEmpty());
  EXPECT_TRUE(is_ok(fake.add_collection(web)));
}

TEST(FakeStateStore, TellsTheChangesInTheirOrder) {
  service::FakeStateStore fake;
  std::vector<std::string> heard;
  fake.on_change([&heard](const std::string& entry) { heard.push_back(entry); });
  Job job = queued_job();
  ASSERT_TRUE(is_ok(fake.add_job(job)));
  const auto step = fake.add_undo_step(job.id, UndoKind::kRemoveFile, "/x");
  ASSERT_TRUE(is_ok(fake.jobs()));
  ASSERT_TRUE(is_ok(fake.remove_undo_step(*step)));
  job.state = JobState::kCompleted;
  ASSERT_TRUE(is_ok(fake.finish_job(job)));
  EXPECT_THAT(fake.journal(), ElementsAre("add_job queued", "add_undo_step remove_file /x",
                                          "remove_undo_step remove_file /x", "finish_job completed"));
  EXPECT_EQ(heard, fake.journal());
  fake.clear_journal();
  EXPECT_THAT(fake.journal(), IsEmpty());
}

}  // namespace
}  // namespace cohort::contract
