#include "codec/wsman/class_list.h"

#include <fmt/format.h>

#include <charconv>

#include "cim/name.h"

namespace cohort::codec::wsman {
namespace {

constexpr std::string_view kPrefix = "classes:";

// What stands before the next colon.
std::string_view take_part(std::string_view& text) {
  const std::size_t colon = text.find(':');
  const std::string_view part = text.substr(0, colon);
  text.remove_prefix(colon == std::string_view::npos ? text.size() : colon + 1);
  return part;
}

std::optional<std::size_t> number_in(std::string_view text) {
  std::size_t number = 0;
  const auto [end, problem] = std::from_chars(text.begin(), text.end(), number);
  return problem == std::errc() && end == text.end() ? std::optional(number) : std::nullopt;
}

}  // namespace

std::string to_context(const ClassList& list) {
  return fmt::format("{}{}:{}:{}:{}:{}", kPrefix, list.namespace_name, list.class_name, list.is_deep ? 1 : 0,
                     static_cast<int>(list.shape), list.first);
}

std::optional<ClassList> parse_class_context(std::string_view context) {
  if (!context.starts_with(kPrefix)) return std::nullopt;
  context.remove_prefix(kPrefix.size());
  ClassList list;
  list.namespace_name = take_part(context);
  list.class_name = take_part(context);
  const auto deep = number_in(take_part(context));
  const auto shape = number_in(take_part(context));
  const auto first = number_in(context);
  const bool is_named =
      cim::is_namespace_name(list.namespace_name) && (list.class_name.empty() || cim::is_name(list.class_name));
  if (!is_named || !deep || *deep > 1 || !shape || *shape > 2 || !first) return std::nullopt;
  list.is_deep = *deep == 1;
  list.shape = static_cast<cim::Shape>(*shape);
  list.first = *first;
  return list;
}

}  // namespace cohort::codec::wsman
