// The header Content-Type of a request (RFC 9110 8.3).
#pragma once

#include <string>
#include <string_view>

namespace cohort::daemon {

struct ContentType {
  std::string type;     // "application/soap+xml", in lower case
  std::string charset;  // "utf-8", in lower case; empty if it is not said
};

[[nodiscard]] ContentType parse_content_type(std::string_view text);

}  // namespace cohort::daemon
