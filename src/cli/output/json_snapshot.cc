// Snapshots: at one instant, planned, deleted.
#include "cli/output/json.h"

namespace cohort::cli {

namespace {

Json time_or_null(const std::optional<WallTime>& time) { return time ? Json(format_utc(*time)) : Json(); }

Json overlap_length(const FenceRecord& fence) {
  if (!fence.overlap_begin || !fence.overlap_end) {
    return {};
  }
  return (*fence.overlap_end - *fence.overlap_begin).count();
}

Json disk_to_json(const DiskSnapshot& disk) {
  const auto id_or_null = [](const auto& id) { return id.is_nil() ? Json() : Json(id.str()); };
  return Json{{"target", disk.target},
              {"id", id_or_null(disk.id)},
              {"tracking_id", id_or_null(disk.tracking_id)},
              {"virtual_size_bytes", disk.virtual_size},
              {"frozen", {{"path", disk.frozen.path.string()}, {"format", disk.frozen.format}}},
              {"overlay", disk.overlay.string()}};
}

Json memory_to_json(const std::optional<MemorySnapshot>& memory) {
  return memory ? Json{{"path", memory->file.string()}, {"size_bytes", memory->bytes}} : Json();
}

Json members_to_json(const std::vector<MemberSnapshot>& members) {
  Json list = Json::array();
  for (const auto& member : members) {
    Json disks = Json::array();
    for (const auto& disk : member.disks) {
      disks.push_back(disk_to_json(disk));
    }
    list.push_back(Json{{"id", member.machine.str()},
                        {"name", member.name},
                        {"power", to_string(member.power)},
                        {"pause", pause_to_json(member.pause)},
                        {"consistency", to_string(member.consistency.level)},
                        {"consistency_reason", member.consistency.reason},
                        {"frozen_by_others", member.consistency.frozen_by_others},
                        {"freeze_us", microseconds_or_null(member.consistency.frozen)},
                        {"disks", std::move(disks)},
                        {"left_out", left_out_to_json(member.left_out)},
                        {"nvram", member.has_nvram},
                        {"tpm", member.has_tpm},
                        {"memory", memory_to_json(member.memory)}});
  }
  return list;
}

Json collection_to_json(const Snapshot& snapshot) {
  return Json{{"id", snapshot.collection.str()}, {"name", snapshot.collection_name}};
}

Json freeze_deadline_of(const Snapshot& snapshot) {
  return snapshot.asked == ConsistencyWish::kCrash ? Json() : Json(snapshot.fence.freeze_deadline.count());
}

}  // namespace

Json pause_to_json(const std::optional<Pause>& pause) {
  if (!pause) {
    return {};
  }
  return Json{{"stopped", format_utc(pause->stopped)},
              {"resumed", format_utc(pause->resumed)},
              {"length_us", pause->length().count()}};
}

Json left_out_to_json(const std::vector<LeftOutDisk>& disks) {
  Json list = Json::array();
  for (const auto& disk : disks) {
    list.push_back(Json{{"target", disk.target}, {"reason", to_string(disk.reason)}, {"source", disk.source}});
  }
  return list;
}

Json microseconds_or_null(const std::optional<Microseconds>& length) { return length ? Json(length->count()) : Json(); }

Json to_json(const FenceRecord& fence) {
  return Json{{"deadline_ms", fence.deadline.count()},
              {"raised_us", fence.raised.count()},
              {"proven", fence.is_proven()},
              {"overlap_begin", time_or_null(fence.overlap_begin)},
              {"overlap_end", time_or_null(fence.overlap_end)},
              {"overlap_us", overlap_length(fence)}};
}

Json to_json(const Snapshot& snapshot) {
  return Json{{"id", snapshot.id.str()},
              {"kind", to_string(snapshot.kind)},
              {"name", snapshot.name},
              {"collection", collection_to_json(snapshot)},
              {"kind", to_string(snapshot.kind)},
              {"state", to_string(snapshot.state)},
              {"parent", snapshot.parent ? Json(snapshot.parent->str()) : Json()},
              {"current", snapshot.is_current},
              {"instant", format_utc(snapshot.instant)},
              {"consistency_asked", to_string(snapshot.asked)},
              {"freeze_deadline_ms", freeze_deadline_of(snapshot)},
              {"fence", to_json(snapshot.fence)},
              {"kept_for", snapshot.kept_for.empty() ? Json() : Json(snapshot.kept_for.string())},
              {"members", members_to_json(snapshot.members)}};
}

Json reference_point_to_json(const Snapshot& point) {
  Json json = to_json(point);
  json["id"] = public_id(point);
  json["snapshot"] = point.id.str();
  json.erase("kind");
  json.erase("kept_for");
  return json;
}

Json plan_to_json(const Snapshot& snapshot) {
  return Json{{"collection", collection_to_json(snapshot)},
              {"name", snapshot.name},
              {"kind", to_string(snapshot.kind)},
              {"deadline_ms", snapshot.fence.deadline.count()},
              {"memory_bytes", memory_bytes(snapshot)},
              {"estimated_saving_ms", estimated_saving(snapshot).count()},
              {"assumed_bytes_per_second", kAssumedSavingRate},
              {"consistency_asked", to_string(snapshot.asked)},
              {"freeze_deadline_ms", freeze_deadline_of(snapshot)},
              {"members", members_to_json(snapshot.members)}};
}

Json to_json(const service::ApplyPlan& plan, bool keeps_current) {
  return Json{
      {"snapshot", to_json(plan.snapshot)}, {"current", plan_to_json(plan.rescue)}, {"keep_current", keeps_current}};
}

Json to_json(const service::AppliedSnapshot& applied) {
  return Json{{"snapshot", to_json(applied.snapshot)}, {"kept", applied.kept ? to_json(*applied.kept) : Json()}};
}

Json shared_to_json(const std::vector<service::SharedLayers>& shared) {
  Json list = Json::array();
  for (const auto& layers : shared) {
    list.push_back(Json{{"name", layers.name},
                        {"branches", layers.branches},
                        {"disk_bytes", layers.disk_bytes},
                        {"why", layers.why.empty() ? Json() : Json(layers.why)}});
  }
  return list;
}

Json to_json(const service::DeletedSnapshot& deleted) {
  Json json{{"id", deleted.id},
            {"name", deleted.name},
            {"left_behind", Json::array()},
            {"forgotten_only", deleted.forgotten_only},
            {"shared", shared_to_json(deleted.shared)},
            {"merged_layers", deleted.merged_layers}};
  for (const auto& path : deleted.left_behind) {
    json["left_behind"].push_back(path.string());
  }
  return json;
}

Json to_json(const std::vector<service::PlannedMerge>& merges) {
  Json list = Json::array();
  for (const auto& merge : merges) {
    list.push_back(Json{{"machine", merge.machine},
                        {"target", merge.target},
                        {"overlay", merge.overlay.string()},
                        {"into", merge.into.string()},
                        {"missing", merge.is_missing},
                        {"stays", merge.stays},
                        {"shared", merge.is_shared}});
  }
  return Json{{"merges", std::move(list)}};
}

}  // namespace cohort::cli
