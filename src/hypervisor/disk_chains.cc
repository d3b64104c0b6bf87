#include "hypervisor/disk_chains.h"

#include <algorithm>

#include "hypervisor/connection.h"
#include "hypervisor/xml_document.h"

namespace cohort::hypervisor {

Result<DomainDescription> describe(virDomainPtr domain, unsigned int flags) {
  COHORT_ASSIGN(const std::string xml, domain_xml(domain, flags));
  return read_domain(xml);
}

const DomainDisk* find_disk(const DomainDescription& domain, std::string_view target) {
  const auto found = std::find_if(domain.disks.begin(), domain.disks.end(),
                                  [target](const DomainDisk& disk) { return disk.target == target; });
  return found == domain.disks.end() ? nullptr : &*found;
}

Result<Chain> chain_of(const DomainDisk& disk) {
  const Layer active{disk.source, disk.format};
  if (!disk.backing_is_complete)
    return read_image_chain(active).map([](ImageChain&& chain) { return std::move(chain.layers); });
  Chain chain{active};
  chain.insert(chain.end(), disk.backing.begin(), disk.backing.end());
  return chain;
}

Result<Path> mirror_of(virDomainPtr domain, std::string_view target) {
  COHORT_ASSIGN(const std::string text, domain_xml(domain, 0));
  COHORT_ASSIGN(const xml::Document document, xml::Document::parse(text, "domain"));
  for (const xmlNode* disk : xml::select(document.root(), {"devices", "disk"})) {
    if (!xml::has_value(xml::child(disk, "target"), "dev", target)) continue;
    return Path(xml::attribute_or(xml::child(xml::child(disk, "mirror"), "source"), "file", ""));
  }
  return Path();
}

}  // namespace cohort::hypervisor
