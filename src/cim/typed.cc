#include "cim/typed.h"

#include <algorithm>

#include "cim/value_text.h"

namespace cohort::cim {
namespace {

// Instances in each other are followed as far as kMaxNesting.
class Typing {
 public:
  explicit Typing(const ClassStore& store) : store_(store) {}

  Result<Instance> instance(const Instance& given, int depth) const {
    const Class* const of = store_.find(given.class_name);
    if (of == nullptr) return fail(ErrorCode::kNotFound, "There is no class {}.", given.class_name);
    if (depth > kMaxNesting) return fail(ErrorCode::kInvalidArgument, "Instances are nested too deep.");
    Instance result;
    result.class_name = of->name;
    result.path = given.path;
    for (const NamedValue& each : given.properties) {
      const Property* const property = find_named(of->properties, each.name);
      if (property == nullptr) {
        return fail(ErrorCode::kInvalidArgument, "{} has no property \"{}\".", of->name, each.name);
      }
      COHORT_ASSIGN(Value typed_value, value(each.value, *property, of->name + "." + property->name, depth));
      result.set(property->name, std::move(typed_value));
    }
    return result;
  }

  Result<Value> value(const Value& given, const Declaration& declaration, const std::string& where, int depth) const {
    auto converted = converted_value(given, declaration);
    if (!converted) return Failure(std::move(converted).error().with_context("reading " + where));
    if (converted->type() == Type::kInstance) return embedded(*converted, declaration, where, depth);
    if (const ObjectPath* const reference = converted->reference()) {
      COHORT_ASSIGN(ObjectPath path, typed(*reference, store_));
      return Value(std::move(path));
    }
    return *std::move(converted);
  }

 private:
  // A string stands for an instance until a codec has read it; it stays what it is.
  static Result<Value> converted_value(const Value& given, const Declaration& declaration) {
    const bool holds_instances = value_type(declaration) == Type::kInstance;
    const bool is_instance = given.type() == Type::kInstance;
    return convert(given, holds_instances && is_instance ? Type::kInstance : declaration.type, declaration.is_array);
  }

  Result<Element> embedded_element(const Element& element, const std::string& class_name, const std::string& where,
                                   int depth) const {
    const auto* const held = std::get_if<Shared<Instance>>(&element);
    if (held == nullptr) return element;
    if (!class_name.empty() && !store_.is_a((*held)->class_name, class_name)) {
      return fail(ErrorCode::kInvalidArgument, "{} holds instances of {}, not of {}.", where, class_name,
                  (*held)->class_name);
    }
    COHORT_ASSIGN(Instance inner, instance(**held, depth + 1));
    return Element(Shared<Instance>(std::move(inner)));
  }

  Result<Value> embedded(const Value& given, const Declaration& declaration, const std::string& where,
                         int depth) const {
    const std::string class_name = embedded_class(declaration).value_or("");
    if (!given.is_array()) {
      COHORT_ASSIGN(Element element, embedded_element(given.element(), class_name, where, depth));
      return is_null(element) ? given : Value(std::move(element));
    }
    if (given.is_null()) return given;
    std::vector<Element> elements;
    for (const Element& each : given.elements()) {
      COHORT_ASSIGN(Element element, embedded_element(each, class_name, where, depth));
      elements.push_back(std::move(element));
    }
    return Value::array(Type::kInstance, std::move(elements));
  }

  const ClassStore& store_;
};

// The key that a value without a name belongs to.
const Property* only_key(const Class& of) {
  const auto first = std::find_if(of.properties.begin(), of.properties.end(), is_key);
  if (first == of.properties.end() || std::any_of(first + 1, of.properties.end(), is_key)) return nullptr;
  return &*first;
}

}  // namespace

Instance make_instance(const Class& of) {
  Instance result;
  result.class_name = of.name;
  for (const Property& each : of.properties) result.properties.push_back({each.name, each.default_value});
  return result;
}

ObjectPath path_of(const Instance& instance, const Class& of, std::string_view namespace_name) {
  ObjectPath path;
  path.namespace_name = namespace_name;
  path.class_name = of.name;
  for (const Property& each : of.properties) {
    if (is_key(each)) path.keys.push_back({each.name, instance.at(each.name)});
  }
  path.is_singleton = path.keys.empty();
  return path;
}

Result<Instance> typed(const Instance& instance, const ClassStore& store) {
  return Typing(store).instance(instance, 0);
}

Result<Value> typed(const Value& value, const Declaration& declaration, const ClassStore& store,
                    const std::string& where) {
  return Typing(store).value(value, declaration, where, 0);
}

Result<ObjectPath> typed(const ObjectPath& path, const ClassStore& store) {
  const Class* const of = store.find(path.class_name);
  if (of == nullptr) return path;
  ObjectPath result = path;
  result.class_name = of->name;
  for (NamedValue& key : result.keys) {
    const Property* const property = key.name.empty() ? only_key(*of) : find_named(of->properties, key.name);
    if (property == nullptr || !is_key(*property)) {
      return fail(ErrorCode::kInvalidArgument, "{} has no key \"{}\".", of->name, key.name);
    }
    auto value = convert(key.value, property->type, property->is_array);
    if (!value) {
      return Failure(std::move(value).error().with_context("reading the key " + of->name + "." + property->name));
    }
    key = {property->name, *std::move(value)};
  }
  return result;
}

std::vector<std::string> missing_keys(const ObjectPath& path, const Class& of) {
  std::vector<std::string> missing;
  for (const Property& each : of.properties) {
    if (is_key(each) && path.key(each.name) == nullptr) missing.push_back(each.name);
  }
  return missing;
}

void keep_properties(Instance& instance, const std::optional<std::vector<std::string>>& wanted) {
  if (!wanted) return;
  std::erase_if(instance.properties, [&](const NamedValue& each) {
    return std::none_of(wanted->begin(), wanted->end(),
                        [&](const std::string& name) { return same_name(name, each.name); });
  });
}

}  // namespace cohort::cim
