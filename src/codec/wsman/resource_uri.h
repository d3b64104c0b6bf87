// The resource URIs of WS-Management: which class of which namespace is meant.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace cohort::codec::wsman {

enum class UriFamily {
  kWmi,    // http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2/Class
  kDmtf,   // http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/Class, the namespace in the selector __cimnamespace
  kClass,  // http://schemas.dmtf.org/wbem/cim-xml/2/cim-schema/2/*: class declarations
};

struct ResourceUri {
  UriFamily family = UriFamily::kWmi;
  std::string namespace_name;  // empty if the URI says none
  std::string class_name;      // "*": any
};

// Space around it is ignored. Fails with kInvalidArgument.
[[nodiscard]] Result<ResourceUri> parse_resource_uri(std::string_view text);
// The URI of a class, in a family of kWmi or kDmtf.
[[nodiscard]] std::string resource_uri(UriFamily family, std::string_view namespace_name, std::string_view class_name);

}  // namespace cohort::codec::wsman
