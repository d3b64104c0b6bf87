// Collections, machines and the host.
#include <fmt/format.h>

#include "cli/output/printable.h"
#include "cli/output/quantity.h"
#include "cli/output/report.h"
#include "cli/output/table.h"

namespace cohort::cli {

namespace {

std::string power_of(const service::MemberView& member) {
  return member.machine ? std::string(to_string(member.machine->power)) : "missing";
}

std::string name_of(const service::MemberView& member) {
  return member.machine ? member.machine->name : member.member.name;
}

std::string members_table(const std::vector<service::MemberView>& members, Detail detail) {
  Table table({{"MACHINE"}, {"STATE"}, {"UUID"}});
  for (const auto& member : members) {
    table.add({name_of(member), power_of(member), shown_id(member.member.id, detail)});
  }
  return members.empty() ? std::string{} : "\n" + table.str();
}

std::string nested_table(const std::vector<Collection>& collections, Detail detail) {
  Table table({{"COLLECTION"}, {"OF"}, {"ID"}});
  for (const auto& collection : collections) {
    table.add({collection.name, std::string(to_string(collection.kind)), shown_id(collection.id, detail)});
  }
  return collections.empty() ? std::string{} : "\n" + table.str();
}

std::string members_in_short(const service::CollectionView& view) {
  std::vector<std::string> names;
  for (const auto& member : view.machines) {
    names.push_back(name_of(member) + (member.machine ? "" : " (missing)"));
  }
  for (const auto& collection : view.collections) {
    names.push_back(collection.name);
  }
  return joined(names);
}

}  // namespace

std::string report_collection(const service::CollectionView& view, Detail detail) {
  Sheet sheet;
  sheet.add("Collection", view.collection.name);
  sheet.add("Id", view.collection.id.str());
  sheet.add("Created", format_time(view.collection.created));
  sheet.add("Of", std::string(to_string(view.collection.kind)));
  sheet.add("Snapshots", std::to_string(view.snapshots));
  if (view.reference_points > 0) sheet.add("Reference points", std::to_string(view.reference_points));
  if (!view.contained_in.empty()) {
    sheet.add("Member of", joined(view.contained_in));
  }
  return sheet.str() + nested_table(view.collections, detail) + members_table(view.all_machines, detail);
}

std::string report_collections(const std::vector<service::CollectionView>& views, Detail detail) {
  if (views.empty()) {
    return "There are no collections. To make one: cohort collection create NAME MACHINE...\n";
  }
  Table table({{"NAME"}, {"ID"}, {"OF"}, {"MACHINES", Align::kRight}, {"SNAPSHOTS", Align::kRight}, {"MEMBERS"}});
  for (const auto& view : views) {
    table.add({view.collection.name, shown_id(view.collection.id, detail), std::string(to_string(view.collection.kind)),
               std::to_string(view.all_machines.size()), std::to_string(view.snapshots), members_in_short(view)});
  }
  return table.str();
}

std::string report_machines(const std::vector<MachineSummary>& machines) {
  if (machines.empty()) {
    return "The hypervisor knows no machines.\n";
  }
  Table table({{"NAME"}, {"STATE"}, {"PERSISTENT"}, {"UUID"}});
  for (const auto& machine : machines) {
    table.add(
        {machine.name, std::string(to_string(machine.power)), machine.persistent ? "yes" : "no", machine.id.str()});
  }
  return table.str();
}

std::string report_host(const service::HostReport& report) {
  Table table({{"FINDING"}, {"ITEM"}, {"WHAT"}});
  for (const auto& item : report.items) {
    table.add({std::string(service::to_string(item.finding)), item.id, item.message});
  }
  const auto& host = report.host;
  const std::string head =
      host.hypervisor.empty() ? std::string{}
                              : printable(fmt::format("{} on {}: {} {}, libvirt {}", host.uri, host.host_name,
                                                      host.hypervisor, host.hypervisor_version, host.library_version)) +
                                    "\n\n";
  return head + table.str() +
         (report.is_usable() ? "\nThis host can be used.\n" : "\nThis host cannot be used: see what is bad above.\n");
}

std::string report_doctor(const service::DoctorReport& report) {
  std::string text;
  for (const auto& done : report.mended) {
    text += printable(done) + "\n";
  }
  for (const auto& ailment : report.ailments) {
    text += fmt::format("{}\n  {}\n  {}{}\n", printable(ailment.id), printable(ailment.message),
                        ailment.is_mendable ? "--mend: " : "", printable(ailment.remedy));
  }
  return report.ailments.empty() ? text + "Nothing is amiss.\n" : text;
}

}  // namespace cohort::cli
