// Collections, machines and the host.
#include "cli/output/json.h"

namespace cohort::cli {

namespace {

Json member_to_json(const service::MemberView& member) {
  const auto& machine = member.machine;
  return Json{{"id", member.member.id.str()},
              {"name", machine ? machine->name : member.member.name},
              {"missing", !machine.has_value()},
              {"power", machine ? Json(to_string(machine->power)) : Json()},
              {"persistent", machine ? Json(machine->persistent) : Json()}};
}

Json members_to_json(const std::vector<service::MemberView>& members) {
  Json list = Json::array();
  for (const auto& member : members) {
    list.push_back(member_to_json(member));
  }
  return list;
}

Json head_to_json(const Collection& collection) {
  return Json{{"id", collection.id.str()}, {"name", collection.name}, {"kind", to_string(collection.kind)}};
}

}  // namespace

Json to_json(const Collection& collection) {
  Json json = head_to_json(collection);
  json["created"] = format_utc(collection.created);
  json["machines"] = Json::array();
  for (const auto& machine : collection.machines) {
    json["machines"].push_back(Json{{"id", machine.id.str()}, {"name", machine.name}});
  }
  json["collections"] = Json::array();
  for (const auto& id : collection.collections) {
    json["collections"].push_back(Json{{"id", id.str()}});
  }
  return json;
}

Json to_json(const service::CollectionView& view) {
  Json json = head_to_json(view.collection);
  json["created"] = format_utc(view.collection.created);
  json["machines"] = members_to_json(view.machines);
  json["collections"] = Json::array();
  for (const auto& collection : view.collections) {
    json["collections"].push_back(head_to_json(collection));
  }
  json["all_machines"] = members_to_json(view.all_machines);
  json["contained_in"] = view.contained_in;
  json["snapshots"] = view.snapshots;
  json["reference_points"] = view.reference_points;
  return json;
}

Json to_json(const MachineSummary& machine) {
  return Json{{"id", machine.id.str()},
              {"name", machine.name},
              {"power", to_string(machine.power)},
              {"persistent", machine.persistent}};
}

Json to_json(const service::HostReport& report) {
  const auto& host = report.host;
  Json json{{"usable", report.is_usable()},
            {"uri", host.uri},
            {"hypervisor", host.hypervisor},
            {"hypervisor_version", host.hypervisor_version},
            {"library_version", host.library_version},
            {"host_name", host.host_name},
            {"can_snapshot", host.can_snapshot},
            {"measures_pauses", host.measures_pauses},
            {"items", Json::array()}};
  for (const auto& item : report.items) {
    json["items"].push_back(
        Json{{"id", item.id}, {"finding", service::to_string(item.finding)}, {"message", item.message}});
  }
  return json;
}

Json to_json(const service::DoctorReport& report) {
  Json json{{"ailments", Json::array()}, {"mended", report.mended}};
  for (const auto& ailment : report.ailments) {
    json["ailments"].push_back(Json{{"id", ailment.id},
                                    {"kind", service::to_string(ailment.kind)},
                                    {"message", ailment.message},
                                    {"remedy", ailment.remedy},
                                    {"mendable", ailment.is_mendable}});
  }
  return json;
}

}  // namespace cohort::cli
