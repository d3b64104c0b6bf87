#include "domain/consistency.h"

#include "domain/named_value.h"

namespace cohort {
namespace {

constexpr std::array<NamedValue<Consistency>, 4> kLevels{{
    {Consistency::kOff, "off"},
    {Consistency::kCrash, "crash"},
    {Consistency::kFileSystem, "file-system"},
    {Consistency::kApplication, "application"},
}};

constexpr std::array<NamedValue<ConsistencyWish>, 3> kWishes{{
    {ConsistencyWish::kCrash, "crash"},
    {ConsistencyWish::kBest, "best"},
    {ConsistencyWish::kApplication, "application"},
}};

}  // namespace

std::string_view to_string(Consistency level) { return name_of(kLevels, level); }
Result<Consistency> consistency_from(std::string_view name) { return value_of(kLevels, name, "consistency"); }

std::string_view to_string(ConsistencyWish wish) { return name_of(kWishes, wish); }
Result<ConsistencyWish> consistency_wish_from(std::string_view name) {
  return value_of(kWishes, name, "consistency to ask for");
}

}  // namespace cohort
