#include "domain/refusal_kind.h"

#include <string>

#include "domain/named_value.h"

namespace cohort {
namespace {

constexpr std::array<NamedValue<RefusalKind>, 10> kRefusalKinds{{
    {RefusalKind::kMalformed, "malformed"},
    {RefusalKind::kUnknownElement, "unknown-element"},
    {RefusalKind::kUnknownAttribute, "unknown-attribute"},
    {RefusalKind::kUnexpectedValue, "unexpected-value"},
    {RefusalKind::kCommandLine, "command-line"},
    {RefusalKind::kHostDevice, "host-device"},
    {RefusalKind::kHostPath, "host-path"},
    {RefusalKind::kNetwork, "network"},
    {RefusalKind::kCharacterDevice, "character-device"},
    {RefusalKind::kHostAction, "host-action"},
}};

std::string list_trusted_kinds() {
  std::string list;
  for (const auto& kind : kRefusalKinds) {
    if (kind.value != RefusalKind::kMalformed) list += fmt::format("{}{}", list.empty() ? "" : ", ", kind.name);
  }
  return list;
}

}  // namespace

std::string_view to_string(RefusalKind kind) { return name_of(kRefusalKinds, kind); }

Result<RefusalKind> trusted_kind_from(std::string_view name) {
  auto kind = value_of(kRefusalKinds, name, "kind of refusal");
  if (kind && *kind != RefusalKind::kMalformed) return kind;
  return fail(ErrorCode::kInvalidArgument, "\"{}\" is nothing that can be trusted: give one of {}.", name,
              list_trusted_kinds());
}

}  // namespace cohort
