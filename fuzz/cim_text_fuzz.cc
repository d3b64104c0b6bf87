// The texts of the CIM layer: object paths, queries, MOF, values. The first byte chooses. What is read and written
// again is the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "cim/mof.h"
#include "cim/object_path.h"
#include "cim/value_text.h"
#include "cim/wql.h"

namespace {

using namespace cohort::cim;

void path(std::string_view text) {
  const auto read = parse_object_path(text);
  if (!read) return;
  const auto again = parse_object_path(to_text(*read));
  if (!again || to_text(*again) != to_text(*read)) std::abort();
}

void query(std::string_view text) {
  const auto read = parse_wql(text, "host");
  if (!read || !std::holds_alternative<SelectQuery>(*read)) return;
  const auto& select = std::get<SelectQuery>(*read);
  const Instance instance{"C", {{"a", Value("text")}, {"b", Value(std::uint16_t{1})}}, {}};
  if (select.where) static_cast<void>(fulfils(instance, *select.where, ClassStore()));
}

void mof(std::string_view text) {
  ClassStore store;
  static_cast<void>(compile_mof("fuzz", "Qualifier Key : boolean = false, Scope(any);", store));
  static_cast<void>(compile_mof("fuzz", text, store));
  static_cast<void>(parse_mof_instance(text));
}

void values(std::string_view text) {
  for (int type = static_cast<int>(Type::kBoolean); type < static_cast<int>(Type::kInstance); ++type) {
    const auto read = parse_element(static_cast<Type>(type), text);
    if (read && !parse_element(static_cast<Type>(type), to_text(*read))) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  constexpr void (*kReaders[])(std::string_view) = {path, query, mof, values};
  kReaders[data[0] % 4](text);
  return 0;
}
