// A machine's configuration from a package: the check, the reading, and the definition made of it.
//
// Besides crashes it looks for what the check and the import let through together: a configuration that is accepted
// must lead to a definition that names no file of the host but those it was given and those of the distribution.
#include <libxml/parser.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "hypervisor/configuration_check.h"
#include "hypervisor/domain_xml.h"
#include "hypervisor/xml_document.h"

namespace {

using cohort::hypervisor::find_refusals;
namespace xml = cohort::hypervisor::xml;

constexpr std::string_view kFolder = "/new-disks/";

// Text that the guest or people see, and libvirt never opens.
bool is_inert(const xmlNode* node) {
  constexpr std::array<std::string_view, 7> kInert = {"metadata", "title",   "description", "name",
                                                      "entry",    "product", "vendor"};
  const std::string_view name = xml::name_of(node);
  const bool is_of_disk = xml::name_of(node->parent) == "disk";
  return std::find(kInert.begin(), kInert.end(), name) != kInert.end() ||
         (is_of_disk && (name == "serial" || name == "wwn"));
}

bool may_be_named(const std::string& value) {
  for (const std::string_view prefix :
       {kFolder, std::string_view("/usr/"), std::string_view("/dev/urandom"), std::string_view("/dev/random"),
        std::string_view("/dev/net/tun"), std::string_view("/dev/vhost-net")}) {
    if (value.starts_with(prefix) && value.find("..") == std::string::npos) {
      return true;
    }
  }
  return !value.starts_with('/');
}

void require(bool holds, const std::string& value) {
  if (!holds) {
    std::fprintf(stderr, "the definition names %s\n", value.c_str());
    std::abort();
  }
}

void require_no_host_paths(const xmlNode* node) {
  if (node->parent->type == XML_ELEMENT_NODE && is_inert(node)) {
    return;
  }
  for (const xmlAttr* attr = node->properties; attr != nullptr; attr = attr->next) {
    const std::string value = xml::attribute_or(node, xml::from_xml(attr->name), "");
    // The name of a SPICE port, the words of a Hyper-V signature, a time zone.
    const bool is_name = xml::from_xml(attr->name) == "channel" || xml::name_of(node) == "vendor_id" ||
                         xml::from_xml(attr->name) == "timezone";
    require(is_name || may_be_named(value), value);
  }
  const auto below = xml::children(node);
  if (below.empty()) {
    require(may_be_named(xml::text(node)), xml::text(node));
  }
  for (const xmlNode* each : below) {
    require_no_host_paths(each);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cohort::service::DefineMachineRequest request;
  request.configuration.assign(reinterpret_cast<const char*>(data), size);
  request.name = "new";
  const auto domain = cohort::hypervisor::read_domain(request.configuration);
  if (domain && !domain->disks.empty()) {
    request.disks = {{domain->disks.front().target, {std::string(kFolder) + "a.qcow2", "qcow2"}}};
  }
  const auto definition = cohort::hypervisor::definition_for_import(request, cohort::MachineId::generate());
  if (find_refusals(request.configuration).empty() && definition) {
    const auto document = xml::Document::parse(*definition, "domain");
    require(document.has_value(), *definition);
    require_no_host_paths(document->root());
    require(find_refusals(*definition).empty(), *definition);
  }
  return 0;
}
