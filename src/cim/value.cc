#include "cim/value.h"

#include <algorithm>
#include <cassert>
#include <optional>

#include "cim/object_path.h"

namespace cohort::cim {
namespace {

struct WholeNumber {
  bool is_negative;
  std::uint64_t bits;
  friend bool operator==(const WholeNumber&, const WholeNumber&) = default;
};

std::optional<WholeNumber> whole_number(const Element& element) {
  return std::visit(
      [](const auto& held) -> std::optional<WholeNumber> {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, char16_t>) {
          return WholeNumber{held < T{0}, static_cast<std::uint64_t>(held)};
        } else {
          return std::nullopt;
        }
      },
      element);
}

bool is_text_of(const Value& text, const Value& reference) {
  const auto* const words = text.get_if<std::string>();
  if (words == nullptr || reference.reference() == nullptr) return false;
  const auto parsed = parse_object_path(*words);
  return parsed && same_instance(*parsed, *reference.reference());
}

bool same_keys(const std::vector<NamedValue>& a, const std::vector<NamedValue>& b) {
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const NamedValue& key) {
           const NamedValue* const other = find_named(b, key.name);
           return other != nullptr && same_key_value(key.value, other->value);
         });
}

}  // namespace

Value::Value(ObjectPath path) : Value(Element(Shared<ObjectPath>(std::move(path)))) {}
Value::Value(Instance instance) : Value(Element(Shared<Instance>(std::move(instance)))) {}

Value Value::null(Type type, bool is_array) {
  Value value;
  value.type_ = type;
  value.is_array_ = is_array;
  return value;
}

Value Value::array(Type type, std::vector<Element> elements) {
  assert(std::all_of(elements.begin(), elements.end(),
                     [&](const Element& each) { return cim::is_null(each) || type_of(each) == type; }));
  Value value = null(type, true);
  value.elements_ = std::move(elements);
  value.has_elements_ = true;
  return value;
}

const ObjectPath* Value::reference() const {
  const auto* const held = get_if<Shared<ObjectPath>>();
  return held == nullptr ? nullptr : &**held;
}

const Instance* Value::instance() const {
  const auto* const held = get_if<Shared<Instance>>();
  return held == nullptr ? nullptr : &**held;
}

bool operator==(const Value& a, const Value& b) {
  return a.type_ == b.type_ && a.is_array_ == b.is_array_ && a.has_elements_ == b.has_elements_ &&
         a.element_ == b.element_ && a.elements_ == b.elements_;
}

const Value* ObjectPath::key(std::string_view name) const {
  const NamedValue* const found = find_named(keys, name);
  return found == nullptr ? nullptr : &found->value;
}

bool operator==(const ObjectPath& a, const ObjectPath& b) {
  return same_name(a.host, b.host) && same_name(a.namespace_name, b.namespace_name) && same_instance(a, b);
}

bool same_instance(const ObjectPath& a, const ObjectPath& b) {
  return same_name(a.class_name, b.class_name) && a.is_singleton == b.is_singleton && same_keys(a.keys, b.keys);
}

bool same_key_value(const Value& a, const Value& b) {
  if (a.reference() != nullptr && b.reference() != nullptr) return same_instance(*a.reference(), *b.reference());
  const auto x = whole_number(a.element());
  const auto y = whole_number(b.element());
  if (x && y) return x == y;
  return a == b || is_text_of(a, b) || is_text_of(b, a);
}

const Value* Instance::find(std::string_view name) const {
  const NamedValue* const found = find_named(properties, name);
  return found == nullptr ? nullptr : &found->value;
}

const Value& Instance::at(std::string_view name) const {
  static const Value null;
  const Value* const found = find(name);
  return found == nullptr ? null : *found;
}

void Instance::set(std::string_view name, Value value) {
  if (NamedValue* const found = find_named(properties, name)) {
    found->value = std::move(value);
  } else {
    properties.push_back({std::string(name), std::move(value)});
  }
}

bool operator==(const Instance& a, const Instance& b) {
  return same_name(a.class_name, b.class_name) && a.properties == b.properties && a.path == b.path;
}

}  // namespace cohort::cim
