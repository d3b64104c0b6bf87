#include "codec/wsman/resource_uri.h"

#include "cim/name.h"
#include "codec/xml/node.h"

namespace cohort::codec::wsman {
namespace {

constexpr std::string_view kWmi = "http://schemas.microsoft.com/wbem/wsman/1/wmi/";
constexpr std::string_view kWmiOfHost = "http://schemas.microsoft.com/wbem/wsman/1/wmicimv2/";
constexpr std::string_view kDmtf = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/";
constexpr std::string_view kDmtfAny = "http://schemas.dmtf.org/wbem/wscim/1/";
constexpr std::string_view kClass = "http://schemas.dmtf.org/wbem/cim-xml/2/cim-schema/2/";

bool take(std::string_view& text, std::string_view prefix) {
  const bool is_there = cim::same_name(text.substr(0, prefix.size()), prefix);
  if (is_there) text.remove_prefix(prefix.size());
  return is_there;
}

}  // namespace

Result<ResourceUri> parse_resource_uri(std::string_view text) {
  std::string_view rest = xml::trimmed(text);
  ResourceUri uri;
  if (take(rest, kWmi)) {
    const std::size_t slash = rest.rfind('/');
    uri.namespace_name = rest.substr(0, slash == std::string_view::npos ? 0 : slash);
    rest = rest.substr(slash == std::string_view::npos ? 0 : slash + 1);
    if (!cim::is_namespace_name(uri.namespace_name)) rest = {};
  } else if (take(rest, kWmiOfHost)) {
    uri.namespace_name = "root/cimv2";
  } else if (take(rest, kClass)) {
    uri.family = UriFamily::kClass;
  } else if (take(rest, kDmtf) || take(rest, kDmtfAny)) {
    uri.family = UriFamily::kDmtf;
  } else {
    rest = {};
  }
  if (rest != "*" && !cim::is_name(rest)) {
    return fail(ErrorCode::kInvalidArgument, "\"{}\" is not the URI of a class that is served here.",
                text.substr(0, 300));
  }
  uri.class_name = rest;
  return uri;
}

std::string resource_uri(UriFamily family, std::string_view namespace_name, std::string_view class_name) {
  if (family != UriFamily::kWmi) return fmt::format("{}{}", kDmtf, class_name);
  return fmt::format("{}{}/{}", kWmi, namespace_name, class_name);
}

}  // namespace cohort::codec::wsman
