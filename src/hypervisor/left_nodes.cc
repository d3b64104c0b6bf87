#include "hypervisor/left_nodes.h"

#include <string>
#include <string_view>

#include "hypervisor/monitor.h"

namespace cohort::hypervisor {
namespace {

// QEMU's words (block.c: bdrv_assign_node_name), then the name and a quotation mark.
constexpr std::string_view kRefusal = "Duplicate nodes with node-name='";
// libvirt's names (qemu_block.c) are "libvirt-<number>-" and one of these; the first stands on the second.
constexpr std::string_view kPrefix = "libvirt-";
constexpr std::string_view kFormat = "format";
constexpr std::string_view kStorage = "storage";

// "libvirt-7-"; empty if the error is another one.
std::string refused_number(std::string_view cause) {
  const std::size_t found = cause.find(kRefusal);
  if (found == std::string_view::npos) return {};
  std::string_view name = cause.substr(found + kRefusal.size());
  name = name.substr(0, name.find('\''));
  for (const std::string_view kind : {kFormat, kStorage}) {
    if (name.starts_with(kPrefix) && name.ends_with(kind))
      return std::string(name.substr(0, name.size() - kind.size()));
  }
  return {};
}

}  // namespace

bool remove_left_nodes(virDomainPtr domain, const Error& error) {
  const std::string number = refused_number(error.cause);
  if (number.empty()) return false;
  Monitor monitor(domain);
  // QEMU does not remove a node that anything stands on; one of the two need not be there.
  const bool has_format = monitor.remove_node(number + std::string(kFormat)).has_value();
  const bool has_storage = monitor.remove_node(number + std::string(kStorage)).has_value();
  return has_format || has_storage;
}

}  // namespace cohort::hypervisor
