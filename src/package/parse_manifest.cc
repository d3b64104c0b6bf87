#include <algorithm>
#include <set>

#include "package/json_reader.h"
#include "package/layout.h"
#include "package/manifest.h"

namespace cohort::package {
namespace {

constexpr std::size_t kMaxDepth = 16;
constexpr std::size_t kMaxSource = 64UL << 10U;
constexpr std::size_t kMaxReason = 64UL << 10U;
constexpr std::size_t kHashDigits = 64;

// Reads machine after machine and keeps what must be unique in the whole manifest.
class ManifestParser {
 public:
  Result<Manifest> parse(const JsonField& root);

 private:
  Result<void> parse_heading(const JsonField& root, Manifest& manifest);
  Result<MachineEntry> parse_machine(const JsonField& field);
  Result<void> parse_machine_files(const JsonField& field, MachineEntry& machine);
  Result<void> parse_machine_disks(const JsonField& field, MachineEntry& machine);
  Result<FileEntry> parse_file(const JsonField& field);
  Result<FileEntry> parse_image(const JsonField& field);
  Result<FileEntry> parse_place(const JsonField& field);
  Result<DiskEntry> parse_disk(const JsonField& field);
  Result<void> parse_content(const JsonField& field, DiskEntry& disk);
  Result<void> parse_parent(const JsonField& root, Manifest& manifest);
  Result<void> parse_parent_disk(const JsonField& field, DiskEntry& disk);

  std::set<MachineId> ids_;
  std::set<std::string> names_;
  std::set<std::string> files_;
  bool knows_unsealed_ = false;  // the version does
  std::string parent_path_;      // empty: the package has no parent
};

template <typename IdType>
Result<IdType> parse_id(const JsonField& parent) {
  COHORT_ASSIGN(const JsonField field, parent.member("id"));
  return field.parsed([](const std::string& text) { return IdType::parse(text); }, "is not a UUID");
}

Result<std::string> parse_hash(const JsonField& parent, const std::string& key) {
  COHORT_ASSIGN(const JsonField field, parent.member(key));
  COHORT_ASSIGN(std::string hash, field.text(kHashDigits));
  const bool is_hash = hash.size() == kHashDigits && hash.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!is_hash) return field.wrong("is not a SHA-256 in lower-case hex");
  return hash;
}

Result<std::optional<WallTime>> parse_optional_time(const JsonField& parent, const std::string& key) {
  COHORT_ASSIGN(const JsonField field, parent.member(key));
  if (field.is_null()) return std::optional<WallTime>();
  return field.time().map([](WallTime time) { return std::optional(time); });
}

Result<std::optional<Pause>> parse_pause(const JsonField& parent) {
  COHORT_ASSIGN(const JsonField field, parent.member("pause"));
  if (field.is_null()) return std::optional<Pause>();
  Pause pause;
  COHORT_ASSIGN(pause.stopped, field.read("stopped", &JsonField::time));
  COHORT_ASSIGN(pause.resumed, field.read("resumed", &JsonField::time));
  return std::optional(pause);
}

// Earlier packages say nothing of it.
Result<void> parse_freeze(const JsonField& parent, MachineEntry& machine) {
  COHORT_ASSIGN(const JsonField reason, parent.member("consistency_reason"));
  if (!reason.is_null()) {
    COHORT_ASSIGN(machine.consistency_reason, reason.text(kMaxReason));
  }
  COHORT_ASSIGN(const JsonField frozen, parent.member("freeze_us"));
  if (!frozen.is_null()) {
    COHORT_ASSIGN(const std::uint64_t length, frozen.number());
    machine.frozen = Microseconds(length);
  }
  return {};
}

Result<FenceRecord> parse_fence(const JsonField& root) {
  COHORT_ASSIGN(const JsonField field, root.member("fence"));
  FenceRecord fence;
  COHORT_ASSIGN(const std::uint64_t deadline, field.read("deadline_ms", &JsonField::number));
  COHORT_ASSIGN(const std::uint64_t raised, field.read("raised_us", &JsonField::number));
  fence.deadline = Milliseconds(deadline);
  fence.raised = Microseconds(raised);
  COHORT_ASSIGN(fence.overlap_begin, parse_optional_time(field, "overlap_begin"));
  COHORT_ASSIGN(fence.overlap_end, parse_optional_time(field, "overlap_end"));
  return fence;
}

Result<LeftOutDisk> parse_left_out(const JsonField& field) {
  LeftOutDisk disk;
  COHORT_ASSIGN(disk.target, field.read("target", &JsonField::name));
  COHORT_ASSIGN(const JsonField reason, field.member("reason"));
  COHORT_ASSIGN(disk.reason, reason.parsed(left_out_reason_from, "is not a reason that is known"));
  COHORT_ASSIGN(const JsonField source, field.member("source"));
  COHORT_ASSIGN(disk.source, source.text(kMaxSource));
  return disk;
}

Result<std::string> parse_format(const JsonField& parent) {
  COHORT_ASSIGN(const JsonField field, parent.member("format"));
  COHORT_ASSIGN(std::string format, field.name());
  if (format != "qcow2" && format != "raw") return field.wrong("is neither \"qcow2\" nor \"raw\"");
  return format;
}

Result<FileEntry> ManifestParser::parse_file(const JsonField& field) {
  COHORT_ASSIGN(FileEntry entry, parse_place(field));
  COHORT_ASSIGN(entry.sha256, parse_hash(field, "sha256"));
  return entry;
}

Result<FileEntry> ManifestParser::parse_image(const JsonField& field) {
  COHORT_ASSIGN(const JsonField hash, field.member("sha256"));
  return hash.is_null() && knows_unsealed_ ? parse_place(field) : parse_file(field);
}

// All but the hash.
Result<FileEntry> ManifestParser::parse_place(const JsonField& field) {
  FileEntry entry;
  COHORT_ASSIGN(const JsonField file, field.member("file"));
  COHORT_ASSIGN(entry.file, file.name());
  if (!is_safe_path(entry.file)) return file.wrong(fmt::format("is not a path below the package: \"{}\"", entry.file));
  if (entry.file == kManifestName || entry.file == kHashListName) return file.wrong("is a name with a use of its own");
  if (!files_.insert(entry.file).second) return file.wrong(fmt::format("names \"{}\" a second time", entry.file));
  COHORT_ASSIGN(entry.size, field.read("size", &JsonField::number));
  return entry;
}

Result<DiskEntry> ManifestParser::parse_disk(const JsonField& field) {
  DiskEntry disk;
  COHORT_ASSIGN(disk.target, field.read("target", &JsonField::name));
  COHORT_ASSIGN(disk.format, parse_format(field));
  COHORT_ASSIGN(disk.virtual_size, field.read("virtual_size", &JsonField::number));
  COHORT_ASSIGN(disk.file, parse_image(field));
  COHORT_TRY(parse_content(field, disk));
  COHORT_TRY(parse_parent_disk(field, disk));
  if (!disk.is_sealed() && (!disk.content_hash.empty() || disk.parent)) {
    return field.wrong("has hashes of its content, or a parent, but no SHA-256 of its file");
  }
  COHORT_ASSIGN(const JsonField reason, field.member("whole_because"));
  if (!reason.is_null()) {
    COHORT_ASSIGN(disk.whole_because, reason.text(kMaxReason));
  }
  return disk;
}

Result<void> ManifestParser::parse_content(const JsonField& field, DiskEntry& disk) {
  COHORT_ASSIGN(const JsonField content_hash, field.member("content_hash"));
  if (!content_hash.is_null()) {
    COHORT_ASSIGN(disk.content_hash, parse_hash(field, "content_hash"));
  }
  COHORT_ASSIGN(const JsonField hashes, field.member("block_hashes"));
  if (hashes.is_null()) return {};
  COHORT_ASSIGN(disk.block_hashes, parse_file(hashes));
  if (disk.block_hashes->sha256 == disk.content_hash) return {};
  return hashes.wrong("has a SHA-256 that is not the content hash");
}

Result<void> ManifestParser::parse_parent_disk(const JsonField& field, DiskEntry& disk) {
  COHORT_ASSIGN(const JsonField parent, field.member("parent"));
  if (parent.is_null()) return {};
  disk.parent.emplace();
  COHORT_ASSIGN(const JsonField file, parent.member("file"));
  COHORT_ASSIGN(disk.parent->file, file.name());
  const std::string above = parent_path_ + "/";
  const bool is_there = !parent_path_.empty() && disk.parent->file.starts_with(above) &&
                        is_safe_path(std::string_view(disk.parent->file).substr(above.size()));
  if (!is_there) return file.wrong("is not below the parent package");
  COHORT_ASSIGN(disk.parent->format, parse_format(parent));
  COHORT_ASSIGN(disk.parent->content_hash, parse_hash(parent, "content_hash"));
  if (disk.format != "qcow2" || disk.content_hash.empty()) {
    return parent.wrong("is of a disk that is no qcow2 image, or has no content hash");
  }
  return {};
}

Result<void> ManifestParser::parse_parent(const JsonField& root, Manifest& manifest) {
  COHORT_ASSIGN(const JsonField field, root.member("parent"));
  if (field.is_null()) return {};
  ParentPackage& parent = manifest.parent.emplace();
  if (manifest.format_version < kSealedFormatVersion) return field.wrong("is not known in this format_version");
  COHORT_ASSIGN(const JsonField path, field.member("path"));
  COHORT_ASSIGN(parent.path, path.name());
  if (!is_parent_path(parent.path)) {
    return path.wrong(fmt::format("is not the path of a package beside this one: \"{}\"", parent.path));
  }
  parent_path_ = parent.path;
  COHORT_ASSIGN(parent.manifest_sha256, parse_hash(field, "manifest_sha256"));
  COHORT_ASSIGN(const JsonField snapshot, field.member("snapshot"));
  COHORT_ASSIGN(parent.snapshot, parse_id<SnapshotId>(snapshot));
  COHORT_ASSIGN(parent.snapshot_name, snapshot.read("name", &JsonField::name));
  COHORT_ASSIGN(parent.instant, snapshot.read("instant", &JsonField::time));
  return {};
}

Result<void> ManifestParser::parse_machine_files(const JsonField& field, MachineEntry& machine) {
  COHORT_ASSIGN(const JsonField configuration, field.member("configuration"));
  COHORT_ASSIGN(machine.configuration, parse_file(configuration));
  COHORT_ASSIGN(const JsonField nvram, field.member("nvram"));
  if (!nvram.is_null()) {
    COHORT_ASSIGN(machine.nvram, parse_file(nvram));
  }
  COHORT_ASSIGN(const JsonField tpm_state, field.member("tpm_state"));
  return tpm_state.for_each([&](const JsonField& element) -> Result<void> {
    COHORT_ASSIGN(FileEntry entry, parse_file(element));
    machine.tpm_state.push_back(std::move(entry));
    return {};
  });
}

Result<void> ManifestParser::parse_machine_disks(const JsonField& field, MachineEntry& machine) {
  std::set<std::string> targets;
  const auto is_new = [&](const JsonField& element, const std::string& target) -> Result<void> {
    if (targets.insert(target).second) return {};
    return element.wrong(fmt::format("has the target \"{}\" of another disk", target));
  };
  COHORT_ASSIGN(const JsonField disks, field.member("disks"));
  COHORT_TRY(disks.for_each([&](const JsonField& element) -> Result<void> {
    COHORT_ASSIGN(DiskEntry disk, parse_disk(element));
    machine.disks.push_back(std::move(disk));
    return is_new(element, machine.disks.back().target);
  }));
  COHORT_ASSIGN(const JsonField left_out, field.member("left_out"));
  return left_out.for_each([&](const JsonField& element) -> Result<void> {
    COHORT_ASSIGN(LeftOutDisk disk, parse_left_out(element));
    machine.left_out.push_back(std::move(disk));
    return is_new(element, machine.left_out.back().target);
  });
}

Result<MachineEntry> ManifestParser::parse_machine(const JsonField& field) {
  MachineEntry machine;
  COHORT_ASSIGN(machine.id, parse_id<MachineId>(field));
  if (!ids_.insert(machine.id).second) return field.wrong("has the id of another machine");
  COHORT_ASSIGN(machine.name, field.read("name", &JsonField::name));
  if (!names_.insert(machine.name).second) return field.wrong("has the name of another machine");
  COHORT_ASSIGN(const JsonField power, field.member("power"));
  COHORT_ASSIGN(machine.power, power.parsed(power_state_from, "is not a state that is known"));
  COHORT_ASSIGN(machine.consistency, field.read("consistency", &JsonField::name));
  COHORT_TRY(parse_freeze(field, machine));
  COHORT_ASSIGN(machine.pause, parse_pause(field));
  COHORT_TRY(parse_machine_files(field, machine));
  COHORT_TRY(parse_machine_disks(field, machine));
  return machine;
}

Result<void> ManifestParser::parse_heading(const JsonField& root, Manifest& manifest) {
  COHORT_ASSIGN(manifest.created_by, root.read("created_by", &JsonField::name));
  COHORT_ASSIGN(manifest.created, root.read("created", &JsonField::time));
  COHORT_ASSIGN(const JsonField collection, root.member("collection"));
  COHORT_ASSIGN(manifest.collection, parse_id<CollectionId>(collection));
  COHORT_ASSIGN(manifest.collection_name, collection.read("name", &JsonField::name));
  COHORT_ASSIGN(const JsonField snapshot, root.member("snapshot"));
  COHORT_ASSIGN(manifest.snapshot, parse_id<SnapshotId>(snapshot));
  COHORT_ASSIGN(manifest.snapshot_name, snapshot.read("name", &JsonField::name));
  COHORT_ASSIGN(manifest.instant, snapshot.read("instant", &JsonField::time));
  COHORT_ASSIGN(manifest.fence, parse_fence(root));
  COHORT_ASSIGN(manifest.has_storage, root.read("has_storage", &JsonField::boolean));
  COHORT_ASSIGN(manifest.sealed, parse_optional_time(root, "sealed"));
  COHORT_ASSIGN(const JsonField stands_for, root.member("stands_for"));
  if (stands_for.is_null()) return {};
  COHORT_ASSIGN(manifest.stands_for, parse_hash(root, "stands_for"));
  return {};
}

// A file cannot lie below another file.
Result<void> check_no_file_is_a_folder(const std::set<std::string>& files) {
  for (const auto& file : files) {
    for (std::size_t slash = file.find('/'); slash != std::string::npos; slash = file.find('/', slash + 1)) {
      if (files.contains(file.substr(0, slash))) {
        return fail(ErrorCode::kCorrupt, "\"{}\" lies below a file.", file);
      }
    }
  }
  return {};
}

Result<Manifest> ManifestParser::parse(const JsonField& root) {
  Manifest manifest;
  COHORT_ASSIGN(const std::uint64_t version, root.read("format_version", &JsonField::number));
  if (version > kFormatVersion) {
    return fail(ErrorCode::kUnsupported, "The package has the format version {}; this program knows {} at most.",
                version, kFormatVersion);
  }
  if (version == 0) return fail(ErrorCode::kCorrupt, "format_version is 0.");
  manifest.format_version = static_cast<int>(version);
  knows_unsealed_ = manifest.format_version > kSealedFormatVersion;
  COHORT_TRY(parse_heading(root, manifest));
  COHORT_TRY(parse_parent(root, manifest));
  COHORT_ASSIGN(const JsonField machines, root.member("machines"));
  COHORT_TRY(machines.for_each([&](const JsonField& element) -> Result<void> {
    COHORT_ASSIGN(MachineEntry machine, parse_machine(element));
    manifest.machines.push_back(std::move(machine));
    return {};
  }));
  COHORT_TRY(check_no_file_is_a_folder(files_));
  return manifest;
}

}  // namespace

Result<Manifest> parse_manifest(std::string_view text) {
  COHORT_ASSIGN(const nlohmann::json json, parse_json(text, kMaxDepth));
  return ManifestParser().parse(JsonField(json, ""));
}

}  // namespace cohort::package
