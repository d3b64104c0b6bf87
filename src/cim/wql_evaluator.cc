#include <algorithm>
#include <compare>

#include "cim/object_path.h"
#include "cim/value_text.h"
#include "cim/wql.h"

namespace cohort::cim {
namespace {

using Truth = std::optional<bool>;  // none: unknown

std::weak_ordering order_of_text(std::string_view a, std::string_view b) {
  if (NameLess()(a, b)) return std::weak_ordering::less;
  return same_name(a, b) ? std::weak_ordering::equivalent : std::weak_ordering::greater;
}

template <typename T>
std::partial_ordering order_of_held(const Element& a, const Element& b) {
  return std::get<T>(a) <=> std::get<T>(b);
}

// Numbers meet in the widest type that holds the property's exactly.
std::optional<std::partial_ordering> order_of_numbers(const Element& a, const Element& b) {
  for (const Type type : {Type::kSint64, Type::kUint64, Type::kReal64}) {
    const auto x = parse_element(type, to_text(a));
    const auto y = parse_element(type, to_text(b));
    if (!x || !y) continue;
    if (type == Type::kSint64) return order_of_held<std::int64_t>(*x, *y);
    if (type == Type::kUint64) return order_of_held<std::uint64_t>(*x, *y);
    return order_of_held<double>(*x, *y);
  }
  return std::nullopt;
}

// The constant as the property's type, where it reads as that: numbers and times are written in quotes, too.
std::optional<std::partial_ordering> order_of(const Element& property, const Element& constant) {
  if (is_null(property) || is_null(constant)) return std::nullopt;
  const Type type = type_of(property);
  if (is_numeric(type)) return order_of_numbers(property, constant);
  if (type == Type::kBoolean || type == Type::kDatetime) {
    const auto converted = parse_element(type, to_text(constant));
    if (!converted) return std::nullopt;
    if (type == Type::kBoolean) return order_of_held<bool>(property, *converted);
    const auto& a = std::get<Datetime>(property);
    const auto& b = std::get<Datetime>(*converted);
    if (a.is_interval() != b.is_interval()) return std::nullopt;
    return std::partial_ordering(a.count() <=> b.count());
  }
  return std::partial_ordering(order_of_text(to_text(property), to_text(constant)));
}

bool same_reference(const ObjectPath& property, const Element& constant) {
  const auto path = parse_object_path(to_text(constant));
  return path && same_instance(property, *path);
}

Truth by_order(Comparison comparison, std::optional<std::partial_ordering> order) {
  if (!order) return std::nullopt;
  switch (comparison) {
    case Comparison::kEqual:
      return std::is_eq(*order);
    case Comparison::kNotEqual:
      return std::is_neq(*order);
    case Comparison::kLess:
      return std::is_lt(*order);
    case Comparison::kGreater:
      return std::is_gt(*order);
    case Comparison::kNotGreater:
      return std::is_lteq(*order);
    default:
      return std::is_gteq(*order);
  }
}

class Evaluator {
 public:
  Evaluator(const Instance& instance, const ClassStore& store) : instance_(instance), store_(store) {}

  // Bounded by the depth that the parser allows.
  [[nodiscard]] Truth evaluate(const Condition& condition) const {
    switch (condition.kind) {
      case Condition::Kind::kNot: {
        const Truth inner = evaluate(condition.operands.front());
        return inner ? Truth(!*inner) : inner;
      }
      case Condition::Kind::kAnd:
        return combined(condition, false);
      case Condition::Kind::kOr:
        return combined(condition, true);
      default:
        return compare(condition);
    }
  }

 private:
  // AND is decided by the first that is false, OR by the first that is true.
  [[nodiscard]] Truth combined(const Condition& condition, bool decisive) const {
    Truth result = !decisive;
    for (const Condition& each : condition.operands) {
      const Truth truth = evaluate(each);
      if (truth == decisive) return decisive;
      if (!truth) result = std::nullopt;
    }
    return result;
  }

  [[nodiscard]] Truth compare(const Condition& condition) const {
    const bool is_class = same_name(condition.property, "__CLASS") || same_name(condition.property, "__THIS");
    const Value value = is_class ? Value(instance_.class_name) : instance_.at(condition.property);
    switch (condition.comparison) {
      case Comparison::kIsNull:
        return value.is_null();
      case Comparison::kIsNotNull:
        return !value.is_null();
      case Comparison::kIsA:
        return is_a(value, condition.constant);
      case Comparison::kLike:
        if (value.is_null() || value.is_array() || condition.constant.is_null()) return std::nullopt;
        return is_like(to_text(value.element()), to_text(condition.constant.element()));
      default:
        return compare_value(value, condition);
    }
  }

  // An array is never equal to, or before, one value.
  static Truth compare_value(const Value& value, const Condition& condition) {
    if (value.is_array()) return std::nullopt;
    const ObjectPath* const reference = value.reference();
    if (reference == nullptr)
      return by_order(condition.comparison, order_of(value.element(), condition.constant.element()));
    const bool is_same = same_reference(*reference, condition.constant.element());
    if (condition.comparison == Comparison::kEqual) return is_same;
    return condition.comparison == Comparison::kNotEqual ? Truth(!is_same) : std::nullopt;
  }

  [[nodiscard]] Truth is_a(const Value& value, const Value& constant) const {
    const std::string class_name = to_text(constant.element());
    if (const Instance* const embedded = value.instance()) return store_.is_a(embedded->class_name, class_name);
    if (const ObjectPath* const reference = value.reference()) return store_.is_a(reference->class_name, class_name);
    if (value.is_null()) return std::nullopt;
    return store_.is_a(to_text(value.element()), class_name);
  }

  const Instance& instance_;
  const ClassStore& store_;
};

Result<void> check_property(const Class& of, const std::string& name) {
  if (name.starts_with("__") || find_named(of.properties, name) != nullptr) return {};
  return fail(ErrorCode::kInvalidArgument, "The query is wrong: {} has no property \"{}\".", of.name, name);
}

Result<void> check_condition(const Class& of, const Condition& condition) {
  if (condition.kind == Condition::Kind::kComparison) return check_property(of, condition.property);
  for (const Condition& each : condition.operands) COHORT_TRY(check_condition(of, each));
  return {};
}

// One element of a pattern: its length, and whether a character fits it.
struct PatternPart {
  std::size_t length;
  bool fits;
};

bool is_within(char c, std::string_view set) {
  const auto same = [](char a, char b) { return same_name({&a, 1}, {&b, 1}); };
  for (std::size_t i = 0; i < set.size(); ++i) {
    const bool is_range = i + 2 < set.size() && set[i + 1] == '-';
    if (!is_range && same(set[i], c)) return true;
    if (is_range) {
      const auto in_range = [&](char each) { return each >= set[i] && each <= set[i + 2]; };
      const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (in_range(c) || (is_letter && in_range(static_cast<char>(c ^ ' ')))) return true;
      i += 2;
    }
  }
  return false;
}

// REQUIRES: the pattern is not empty and does not begin with '%'.
PatternPart fit(char c, std::string_view pattern) {
  if (pattern.front() == '_') return {1, true};
  const std::size_t end = pattern.find(']', 2);
  if (pattern.front() != '[' || end == std::string_view::npos) return {1, same_name({&c, 1}, pattern.substr(0, 1))};
  const bool is_negated = pattern[1] == '^' && end > 2;
  const std::string_view set = pattern.substr(is_negated ? 2 : 1, end - (is_negated ? 2 : 1));
  return {end + 1, is_within(c, set) != is_negated};
}

// Bytes of a character of UTF-8 behind its first.
std::size_t character_length(std::string_view text) {
  std::size_t length = 1;
  while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xc0U) == 0x80U) ++length;
  return length;
}

}  // namespace

bool is_like(std::string_view text, std::string_view pattern) {
  std::size_t t = 0;
  std::size_t p = 0;
  std::size_t after_percent = std::string_view::npos;  // where to go on when what follows the last % did not fit
  std::size_t retry = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '%') {
      after_percent = ++p;
      retry = t;
      continue;
    }
    const PatternPart part = p < pattern.size() ? fit(text[t], pattern.substr(p)) : PatternPart{0, false};
    if (part.fits) {
      t += pattern[p] == '_' ? character_length(text.substr(t)) : 1;
      p += part.length;
    } else if (after_percent != std::string_view::npos) {
      t = ++retry;
      p = after_percent;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('%', p) == std::string_view::npos;
}

bool fulfils(const Instance& instance, const Condition& condition, const ClassStore& store) {
  return Evaluator(instance, store).evaluate(condition) == true;
}

Result<void> check_query(const SelectQuery& query, const ClassStore& store) {
  const Class* const of = store.find(query.class_name);
  if (of == nullptr) return fail(ErrorCode::kInvalidArgument, "There is no class {}.", query.class_name);
  for (const std::string& each : query.properties.value_or(std::vector<std::string>())) {
    COHORT_TRY(check_property(*of, each));
  }
  return query.where ? check_condition(*of, *query.where) : Result<void>();
}

}  // namespace cohort::cim
