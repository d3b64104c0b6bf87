#include "http/message.h"

#include <strings.h>

#include <algorithm>

namespace cohort::http {

std::string_view Request::header(std::string_view name) const {
  const auto found = std::ranges::find_if(headers, [&](const Header& header) {
    return header.name.size() == name.size() && ::strncasecmp(header.name.data(), name.data(), name.size()) == 0;
  });
  return found == headers.end() ? std::string_view() : found->value;
}

}  // namespace cohort::http
