#include "hypervisor/monitor.h"

#include <libvirt/libvirt-qemu.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "hypervisor/connection.h"
#include "hypervisor/libvirt_error.h"

namespace cohort::hypervisor {
namespace {

using Json = nlohmann::json;

// A member that need not be there.
const Json& member(const Json& object, const char* name) {
  static const Json kNothing;
  if (!object.is_object()) return kNothing;
  const auto found = object.find(name);
  return found == object.end() ? kNothing : *found;
}

std::string text_of(const Json& object, const char* name) {
  const Json& text = member(object, name);
  return text.is_string() ? text.get<std::string>() : std::string();
}

std::uint64_t number_of(const Json& object, const char* name) {
  const Json& number = member(object, name);
  return number.is_number_unsigned() ? number.get<std::uint64_t>() : 0;
}

Failure no_answer() { return fail(ErrorCode::kCorrupt, "QEMU answers in an unknown way."); }

Result<Json> parse_answer(std::string_view text) {
  const Json answer = Json::parse(text, nullptr, false);
  if (const Json& error = member(answer, "error"); error.is_object()) {
    return Failure{Error{ErrorCode::kHypervisor, "QEMU refuses a command.", text_of(error, "desc"), {}}};
  }
  if (!answer.is_object() || !answer.contains("return")) return no_answer();
  return answer["return"];
}

Result<Json> parse_list(std::string_view text) {
  COHORT_ASSIGN(Json list, parse_answer(text));
  if (!list.is_array()) return no_answer();
  return list;
}

// QEMU describes an image by all of its options where its name alone would not do ("json:{…}"). Empty if it is no file.
Path file_of(const std::string& name) {
  if (name.starts_with('/')) return name;
  if (!name.starts_with("json:")) return {};
  const Json options = Json::parse(name.substr(5), nullptr, false);
  const Json* layer = &options;
  while (member(*layer, "file").is_object()) layer = &member(*layer, "file");
  const std::string file = text_of(*layer, "filename");
  return file.starts_with('/') ? Path(file) : Path();
}

Chain chain_of_image(const Json& active) {
  Chain chain;
  for (const Json* image = &active; image->is_object(); image = &member(*image, "backing-image")) {
    const Path file = file_of(text_of(*image, "filename"));
    if (file.empty()) break;
    chain.push_back({file, text_of(*image, "format")});
  }
  return chain;
}

QemuDisk parse_disk(const Json& device) {
  const Json& inserted = member(device, "inserted");
  const std::string path = text_of(device, "qdev");
  return {path.empty() ? text_of(device, "device") : path, text_of(inserted, "node-name"),
          chain_of_image(member(inserted, "image"))};
}

std::string command(const char* name, const Json& arguments = Json::object()) {
  return Json{{"execute", name}, {"arguments", arguments}}.dump();
}

}  // namespace

bool QemuDisk::has_alias(std::string_view alias) const {
  if (alias.empty()) return false;
  const Path path(device);
  return std::any_of(path.begin(), path.end(), [&](const Path& element) { return element.native() == alias; });
}

Result<std::vector<QemuDisk>> parse_query_block(std::string_view answer) {
  COHORT_ASSIGN(const Json devices, parse_list(answer));
  std::vector<QemuDisk> disks;
  for (const Json& device : devices) disks.push_back(parse_disk(device));
  return disks;
}

Result<std::vector<QemuNode>> parse_query_nodes(std::string_view answer) {
  COHORT_ASSIGN(const Json list, parse_list(answer));
  std::vector<QemuNode> nodes;
  for (const Json& node : list) {
    nodes.push_back({text_of(node, "node-name"), text_of(node, "drv"), file_of(text_of(node, "file"))});
  }
  return nodes;
}

Result<std::optional<QemuJob>> parse_query_jobs(std::string_view answer, std::string_view id) {
  COHORT_ASSIGN(const Json list, parse_list(answer));
  const auto found = std::ranges::find_if(list, [&](const Json& job) { return text_of(job, "id") == id; });
  if (found == list.end()) return std::nullopt;
  return QemuJob{text_of(*found, "status"), number_of(*found, "current-progress"), number_of(*found, "total-progress"),
                 text_of(*found, "error")};
}

Result<std::vector<QemuDisk>> Monitor::disks() {
  COHORT_ASSIGN(const std::string answer, ask(command("query-block")));
  return parse_query_block(answer);
}

Result<std::vector<QemuNode>> Monitor::nodes() {
  COHORT_ASSIGN(const std::string answer, ask(command("query-named-block-nodes", {{"flat", true}})));
  return parse_query_nodes(answer);
}

Result<std::optional<QemuJob>> Monitor::job(const std::string& id) {
  COHORT_ASSIGN(const std::string answer, ask(command("query-jobs")));
  return parse_query_jobs(answer, id);
}

Result<void> Monitor::begin_commit(const std::string& id, const std::string& top, const std::string& base) {
  return tell(
      command("block-commit",
              {{"job-id", id}, {"device", top}, {"top-node", top}, {"base-node", base}, {"auto-dismiss", false}}));
}

Result<void> Monitor::complete(const std::string& id) { return tell(command("job-complete", {{"id", id}})); }

Result<void> Monitor::cancel(const std::string& id) { return tell(command("job-cancel", {{"id", id}})); }

Result<void> Monitor::dismiss(const std::string& id) { return tell(command("job-dismiss", {{"id", id}})); }

Result<std::string> Monitor::run_state() {
  COHORT_ASSIGN(const std::string text, ask(command("query-status")));
  COHORT_ASSIGN(const Json answer, parse_answer(text));
  return text_of(answer, "status");
}

// QEMU 7.2 has no command for just this. Whoever wants to export a node has it taken back before anything else is
// looked at (block/export/export.c, blk_exp_add); the export itself fails for want of a server, so that nobody sees the
// disk.
Result<void> Monitor::take_back(const std::string& node) {
  COHORT_TRY(ask(command("block-export-add", {{"type", "nbd"}, {"id", "cohort-take-back"}, {"node-name", node}})));
  return {};
}

Result<void> Monitor::remove_node(const std::string& name) {
  return tell(command("blockdev-del", {{"node-name", name}}));
}

Result<std::string> Monitor::ask(const std::string& command) {
  char* answer = nullptr;
  if (virDomainQemuMonitorCommand(domain_, command.c_str(), &answer, 0) != 0) {
    return Failure{machine_error(domain_, "The QEMU of \"{}\" cannot be asked.")};
  }
  return std::string(OwnedText(answer).get());
}

Result<void> Monitor::tell(const std::string& command) {
  COHORT_ASSIGN(const std::string answer, ask(command));
  COHORT_TRY(parse_answer(answer));
  return {};
}

}  // namespace cohort::hypervisor
