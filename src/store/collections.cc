#include "store/rows.h"
#include "store/tables.h"

namespace cohort::store {
namespace {

constexpr const char* kSelect = "SELECT id, name, kind, created FROM collection ";

Failure no_collection(const CollectionId& id) {
  return fail(ErrorCode::kNotFound, "There is no collection {}.", id.str());
}

bool has_collection(SQLite::Database& database, const CollectionId& id) {
  return prepare(database, "SELECT 1 FROM collection WHERE id = ?", id).executeStep();
}

// What the constraints of the tables would refuse, said in words.
Result<void> check(SQLite::Database& database, const Collection& collection) {
  if (prepare(database, "SELECT 1 FROM collection WHERE name = ? AND id <> ?", collection.name, collection.id)
          .executeStep()) {
    return fail(ErrorCode::kAlreadyExists, "There is a collection \"{}\" already.", collection.name);
  }
  for (const CollectionId& inner : collection.collections) {
    if (inner != collection.id && !has_collection(database, inner)) {
      return no_collection(inner);
    }
  }
  return {};
}

void write_members(SQLite::Database& database, const Collection& collection) {
  int position = 0;
  for (const MachineMember& member : collection.machines) {
    execute(database, "INSERT INTO collection_machine (collection, position, machine, name) VALUES (?, ?, ?, ?)",
            collection.id, position++, member.id, member.name);
  }
  for (const CollectionId& inner : collection.collections) {
    execute(database, "INSERT INTO collection_collection (collection, position, inner_id) VALUES (?, ?, ?)",
            collection.id, position++, inner);
  }
}

void read_members(SQLite::Database& database, Collection& collection) {
  auto machines = prepare(
      database, "SELECT machine, name FROM collection_machine WHERE collection = ? ORDER BY position", collection.id);
  while (machines.executeStep()) {
    Row row(machines);
    MachineMember& member = collection.machines.emplace_back();
    member.id = row.id<MachineId>();
    member.name = row.text();
  }
  auto inner = prepare(database, "SELECT inner_id FROM collection_collection WHERE collection = ? ORDER BY position",
                       collection.id);
  while (inner.executeStep()) {
    collection.collections.push_back(Row(inner).id<CollectionId>());
  }
}

Collection read_row(SQLite::Database& database, SQLite::Statement& statement) {
  Row row(statement);
  Collection collection;
  collection.id = row.id<CollectionId>();
  collection.name = row.text();
  collection.kind = readable(collection_kind_from(row.text()));
  collection.created = row.time();
  read_members(database, collection);
  return collection;
}

}  // namespace

Result<void> add_collection(SQLite::Database& database, const Collection& collection) {
  if (has_collection(database, collection.id)) {
    return fail(ErrorCode::kAlreadyExists, "There is a collection {} already.", collection.id.str());
  }
  COHORT_TRY(check(database, collection));
  execute(database, "INSERT INTO collection (id, name, kind, created) VALUES (?, ?, ?, ?)", collection.id,
          collection.name, to_string(collection.kind), collection.created);
  write_members(database, collection);
  return {};
}

Result<void> update_collection(SQLite::Database& database, const Collection& collection) {
  if (!has_collection(database, collection.id)) {
    return no_collection(collection.id);
  }
  COHORT_TRY(check(database, collection));
  execute(database, "UPDATE collection SET name = ?, kind = ?, created = ? WHERE id = ?", collection.name,
          to_string(collection.kind), collection.created, collection.id);
  execute(database, "DELETE FROM collection_machine WHERE collection = ?", collection.id);
  execute(database, "DELETE FROM collection_collection WHERE collection = ?", collection.id);
  write_members(database, collection);
  return {};
}

Result<void> remove_collection(SQLite::Database& database, const CollectionId& id) {
  auto outer = prepare(database,
                       "SELECT i.name, o.name FROM collection_collection m JOIN collection o ON o.id = m.collection "
                       "JOIN collection i ON i.id = m.inner_id WHERE m.inner_id = ? AND m.collection <> m.inner_id",
                       id);
  if (outer.executeStep()) {
    Row row(outer);
    const std::string name = row.text();
    return fail(ErrorCode::kInvalidState, "The collection \"{}\" is a member of \"{}\".", name, row.text());
  }
  if (execute(database, "DELETE FROM collection WHERE id = ?", id) == 0) {
    return no_collection(id);
  }
  return {};
}

Result<Collection> read_collection(SQLite::Database& database, const CollectionId& id) {
  auto found = prepare(database, (std::string(kSelect) + "WHERE id = ?").c_str(), id);
  if (!found.executeStep()) {
    return no_collection(id);
  }
  return read_row(database, found);
}

std::vector<Collection> read_collections(SQLite::Database& database) {
  auto found = prepare(database, (std::string(kSelect) + "ORDER BY name").c_str());
  std::vector<Collection> all;
  while (found.executeStep()) {
    all.push_back(read_row(database, found));
  }
  return all;
}

}  // namespace cohort::store
