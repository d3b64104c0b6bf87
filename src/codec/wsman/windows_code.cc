#include "codec/wsman/windows_code.h"

#include <algorithm>
#include <string_view>

namespace cohort::codec::wsman {
namespace {

struct Row {
  std::string_view subcode, detail;  // an empty detail stands for all that have no row of their own
  std::uint32_t code;
};

// Numbers from winerror.h and wsmerror.h of the Windows SDK.
constexpr Row kRows[] = {
    {"wsman:AccessDenied", "", 5},
    {"wsman:AlreadyExists", "", 183},
    {"wsman:InternalError", "", 1359},
    {"wsa:DestinationUnreachable", "InvalidResourceURI", 2150858811},
    {"wsa:DestinationUnreachable", "", 2150858752},
    {"wsa:MessageInformationHeaderRequired", "", 2150858769},
    {"wsa:ActionNotSupported", "", 2150858771},
    {"wsen:InvalidExpirationTime", "", 2150858774},
    {"wsen:FilteringNotSupported", "", 2150858776},
    {"wsen:FilterDialectRequestedUnavailable", "", 2150858777},
    {"wsen:CannotProcessFilter", "", 2150858778},
    {"wsen:InvalidEnumerationContext", "", 2150858779},
    {"wsman:TimedOut", "", 2150858793},
    {"wsman:InvalidOptions", "", 2150858809},
    {"wsman:InvalidParameter", "", 2150858810},
    {"wsman:InvalidSelectors", "InsufficientSelectors", 2150858842},
    {"wsman:InvalidSelectors", "UnexpectedSelectors", 2150858843},
    {"wsman:InvalidSelectors", "TypeMismatch", 2150858844},
    {"wsman:InvalidSelectors", "", 2150858813},
    {"wsman:QuotaLimit", "", 2150858815},
    {"wsman:SchemaValidationError", "", 2150858817},
    {"wsman:UnsupportedFeature", "AddressingMode", 2150858870},
    {"wsman:UnsupportedFeature", "FragmentLevelAccess", 2150858871},
    {"wsman:UnsupportedFeature", "", 2150858818},
    {"wsman:EncodingLimit", "MinimumEnvelopeLimit", 2150858878},
    {"wsman:EncodingLimit", "", 2150858823},
};

}  // namespace

std::optional<std::uint32_t> windows_code_of(const Fault& fault) {
  const auto* const found = std::ranges::find_if(kRows, [&](const Row& row) {
    return row.subcode == fault.subcode && (row.detail.empty() || row.detail == fault.detail);
  });
  return found == std::end(kRows) ? std::nullopt : std::optional(found->code);
}

}  // namespace cohort::codec::wsman
