// Values, object paths and instances: the data that clients send and see.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "cim/datetime.h"
#include "cim/name.h"
#include "cim/type.h"

namespace cohort::cim {

// How deep instances and paths may be nested in each other; every parser keeps to it.
inline constexpr int kMaxNesting = 16;

// Something that does not change and is held together by all copies of the value it is in (hence shared_ptr): a value
// is copied for the price of a pointer. Equal when what is held is equal.
template <typename T>
class Shared {
 public:
  explicit Shared(T held) : held_(std::make_shared<const T>(std::move(held))) {}
  [[nodiscard]] const T& operator*() const { return *held_; }
  [[nodiscard]] const T* operator->() const { return held_.get(); }
  friend bool operator==(const Shared& a, const Shared& b) { return *a == *b; }

 private:
  std::shared_ptr<const T> held_;
};

struct ObjectPath;
struct Instance;

// One value that is no array; std::monostate is NULL. The alternatives are in the order of cim::Type.
using Element = std::variant<std::monostate, bool, char16_t, std::uint8_t, std::int8_t, std::uint16_t, std::int16_t,
                             std::uint32_t, std::int32_t, std::uint64_t, std::int64_t, float, double, std::string,
                             Datetime, Shared<ObjectPath>, Shared<Instance>>;

[[nodiscard]] inline Type type_of(const Element& element) { return static_cast<Type>(element.index()); }
[[nodiscard]] inline bool is_null(const Element& element) { return element.index() == 0; }

// A value with its type: NULL, one element or an array of elements, which may be NULL, too.
class Value {
 public:
  Value() = default;  // NULL of no known type

  template <typename T, typename = std::enable_if_t<std::is_constructible_v<Element, T> && !std::is_same_v<T, Value>>>
  explicit Value(T one) : element_(std::move(one)), type_(type_of(element_)) {}
  explicit Value(const char* text) : Value(std::string(text)) {}
  explicit Value(std::string_view text) : Value(std::string(text)) {}
  explicit Value(ObjectPath path);
  explicit Value(Instance instance);

  [[nodiscard]] static Value null(Type type, bool is_array = false);
  // REQUIRES: each element is NULL or of that type.
  [[nodiscard]] static Value array(Type type, std::vector<Element> elements);
  template <typename T>
  [[nodiscard]] static Value array_of(const std::vector<T>& items) {
    return array(type_of(Element(T())), std::vector<Element>(items.begin(), items.end()));
  }

  [[nodiscard]] Type type() const { return type_; }
  [[nodiscard]] bool is_array() const { return is_array_; }
  [[nodiscard]] bool is_null() const { return is_array_ ? !has_elements_ : cim::is_null(element_); }

  // NULL if the value is an array.
  [[nodiscard]] const Element& element() const { return element_; }
  // None if the value is no array, or NULL.
  [[nodiscard]] const std::vector<Element>& elements() const { return elements_; }
  // The element if it is a T, else nullptr.
  template <typename T>
  [[nodiscard]] const T* get_if() const {
    return std::get_if<T>(&element_);
  }
  [[nodiscard]] const ObjectPath* reference() const;
  [[nodiscard]] const Instance* instance() const;

  // Equal in type and content. (Keys are compared by same_key_value, which is more lenient.)
  friend bool operator==(const Value& a, const Value& b);

 private:
  Element element_;
  std::vector<Element> elements_;
  Type type_ = Type::kNone;
  bool is_array_ = false;
  bool has_elements_ = false;
};

struct NamedValue {
  std::string name;
  Value value;
  friend bool operator==(const NamedValue& a, const NamedValue& b) {
    return same_name(a.name, b.name) && a.value == b.value;
  }
};

// Names a class, or one of its instances by their key properties. Its text forms are in object_path.h.
struct ObjectPath {
  std::string host;            // may be empty
  std::string namespace_name;  // "root/virtualization/v2"; may be empty
  std::string class_name;
  std::vector<NamedValue> keys;  // a key without a name is the only key of its class
  bool is_singleton = false;     // "Class=@": the only instance of a class without keys

  [[nodiscard]] bool is_class() const { return keys.empty() && !is_singleton; }
  // The value of a key; nullptr if there is none of that name.
  [[nodiscard]] const Value* key(std::string_view name) const;

  // The same host, namespace, class and keys; neither the order of keys nor the case of names matters.
  friend bool operator==(const ObjectPath& a, const ObjectPath& b);
};

// The same class and keys, wherever they are; what a provider compares.
[[nodiscard]] bool same_instance(const ObjectPath& a, const ObjectPath& b);
// Integers by their value, in whatever width; a reference and the text of its path are the same.
[[nodiscard]] bool same_key_value(const Value& a, const Value& b);

struct Instance {
  std::string class_name;
  std::vector<NamedValue> properties;
  ObjectPath path;  // of class_name "" if nobody asked for it, or the instance is embedded

  // The value of a property; nullptr if the instance does not have it.
  [[nodiscard]] const Value* find(std::string_view name) const;
  // The same, and NULL for what the instance does not have.
  [[nodiscard]] const Value& at(std::string_view name) const;
  // Replaces the property's value, or adds the property at the end.
  void set(std::string_view name, Value value);

  friend bool operator==(const Instance& a, const Instance& b);
};

}  // namespace cohort::cim
