// The disks of libvirt's domains and the files they consist of.
#pragma once

#include <libvirt/libvirt.h>

#include <string>
#include <string_view>

#include "hypervisor/domain_xml.h"
#include "hypervisor/image_chain.h"

namespace cohort::hypervisor {

// `flags` of virDomainXMLFlags: 0 for what runs, VIR_DOMAIN_XML_INACTIVE for what is defined.
[[nodiscard]] Result<DomainDescription> describe(virDomainPtr domain, unsigned int flags);

// nullptr if there is none.
[[nodiscard]] const DomainDisk* find_disk(const DomainDescription& domain, std::string_view target);

// From the XML if it tells the whole chain, as that of a running machine does; else from the image headers.
[[nodiscard]] Result<Chain> chain_of(const DomainDisk& disk);

// The file of the <mirror> that a block job on this disk writes to; empty if there is none.
[[nodiscard]] Result<Path> mirror_of(virDomainPtr domain, std::string_view target);

}  // namespace cohort::hypervisor
