#include "package/manifest.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace cohort::package {
namespace {

using Json = nlohmann::ordered_json;

// A path or name that is no UTF-8 has no form in JSON: what it is for people is kept.
std::string dump(const Json& json) {
  return json.dump(2, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace) + "\n";
}

Json time_or_null(const std::optional<WallTime>& time) { return time ? Json(format_utc(*time)) : Json(nullptr); }

Json format_file(const FileEntry& entry) {
  return {{"file", entry.file},
          {"size", entry.size},
          {"sha256", entry.sha256.empty() ? Json(nullptr) : Json(entry.sha256)}};
}

Json format_pause(const std::optional<Pause>& pause) {
  if (!pause) return nullptr;
  return {{"stopped", format_utc(pause->stopped)}, {"resumed", format_utc(pause->resumed)}};
}

Json format_disk(const DiskEntry& disk) {
  Json json{{"target", disk.target}, {"format", disk.format}, {"virtual_size", disk.virtual_size}};
  json.update(format_file(disk.file));
  if (!disk.content_hash.empty()) json["content_hash"] = disk.content_hash;
  if (disk.block_hashes) json["block_hashes"] = format_file(*disk.block_hashes);
  if (disk.parent) {
    json["parent"] = {
        {"file", disk.parent->file}, {"format", disk.parent->format}, {"content_hash", disk.parent->content_hash}};
  }
  if (!disk.whole_because.empty()) json["whole_because"] = disk.whole_because;
  return json;
}

Json format_left_out(const LeftOutDisk& disk) {
  return {{"target", disk.target}, {"reason", to_string(disk.reason)}, {"source", disk.source}};
}

template <typename Entry>
Json format_list(const std::vector<Entry>& entries, Json (*format)(const Entry&)) {
  Json list = Json::array();
  for (const auto& entry : entries) list.push_back(format(entry));
  return list;
}

Json format_machine(const MachineEntry& machine) {
  return {{"id", machine.id.str()},
          {"name", machine.name},
          {"power", to_string(machine.power)},
          {"consistency", machine.consistency},
          {"consistency_reason", machine.consistency_reason},
          {"freeze_us", machine.frozen ? Json(machine.frozen->count()) : Json(nullptr)},
          {"pause", format_pause(machine.pause)},
          {"configuration", format_file(machine.configuration)},
          {"nvram", machine.nvram ? format_file(*machine.nvram) : Json(nullptr)},
          {"tpm_state", format_list(machine.tpm_state, format_file)},
          {"disks", format_list(machine.disks, format_disk)},
          {"left_out", format_list(machine.left_out, format_left_out)}};
}

Json format_parent(const ParentPackage& parent) {
  return {{"path", parent.path},
          {"manifest_sha256", parent.manifest_sha256},
          {"snapshot",
           {{"id", parent.snapshot.str()}, {"name", parent.snapshot_name}, {"instant", format_utc(parent.instant)}}}};
}

Json format_fence(const FenceRecord& fence) {
  return {{"deadline_ms", fence.deadline.count()},
          {"raised_us", fence.raised.count()},
          {"overlap_begin", time_or_null(fence.overlap_begin)},
          {"overlap_end", time_or_null(fence.overlap_end)}};
}

}  // namespace

std::vector<const FileEntry*> Manifest::files() const {
  std::vector<const FileEntry*> entries;
  for (const auto& machine : machines) {
    entries.push_back(&machine.configuration);
    if (machine.nvram) entries.push_back(&*machine.nvram);
    for (const auto& entry : machine.tpm_state) entries.push_back(&entry);
    for (const auto& disk : machine.disks) {
      entries.push_back(&disk.file);
      if (disk.block_hashes) entries.push_back(&*disk.block_hashes);
    }
  }
  return entries;
}

bool Manifest::is_sealed() const {
  return std::ranges::all_of(
      machines, [](const MachineEntry& machine) { return std::ranges::all_of(machine.disks, &DiskEntry::is_sealed); });
}

int Manifest::needed_version() const {
  const auto is_chosen_from = [](const MachineEntry& machine) {
    return std::ranges::find(machine.left_out, LeftOutReason::kNotChosen, &LeftOutDisk::reason) !=
           machine.left_out.end();
  };
  if (std::ranges::any_of(machines, is_chosen_from)) return kFormatVersion;
  if (!is_sealed()) return kAllDisksFormatVersion;
  return parent ? kSealedFormatVersion : kWholeFormatVersion;
}

std::optional<std::string> DiskEntry::backing_file() const {
  if (!parent) return std::nullopt;
  std::string name = parent->file;
  for (auto depth = std::ranges::count(file.file, '/'); depth > 0; --depth) name.insert(0, "../");
  return name;
}

const DiskEntry* Manifest::find_disk(const MachineId& machine, std::string_view target) const {
  const auto owner = std::ranges::find(machines, machine, &MachineEntry::id);
  if (owner == machines.end()) return nullptr;
  const auto disk = std::ranges::find(owner->disks, target, &DiskEntry::target);
  return disk == owner->disks.end() ? nullptr : &*disk;
}

std::string format_manifest(const Manifest& manifest) {
  Json json{
      {"format_version", manifest.format_version},
      {"created_by", manifest.created_by},
      {"created", format_utc(manifest.created)},
      {"collection", {{"id", manifest.collection.str()}, {"name", manifest.collection_name}}},
      {"snapshot",
       {{"id", manifest.snapshot.str()}, {"name", manifest.snapshot_name}, {"instant", format_utc(manifest.instant)}}},
      {"fence", format_fence(manifest.fence)},
      {"has_storage", manifest.has_storage},
  };
  if (manifest.sealed) json["sealed"] = format_utc(*manifest.sealed);
  if (manifest.parent) json["parent"] = format_parent(*manifest.parent);
  if (!manifest.stands_for.empty()) json["stands_for"] = manifest.stands_for;
  json["machines"] = format_list(manifest.machines, format_machine);
  return dump(json);
}

}  // namespace cohort::package
