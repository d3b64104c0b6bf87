// The user that an NTLM token names (MS-NLMP 2.2.1.3), before anybody has looked whether it is true.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cohort::http {

// The name in the last token of an NTLM exchange, itself or within SPNEGO, without its domain; letters of ASCII in
// lower case, since case does not count, and others as "?". It ends with a zero, as for whoever looks the name up: what
// a client puts behind it makes no other name. Nothing in other tokens.
[[nodiscard]] std::optional<std::string> ntlm_user(std::string_view token);

}  // namespace cohort::http
