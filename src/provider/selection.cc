#include "provider/selection.h"

#include <algorithm>
#include <set>
#include <utility>

#include "cim/object_path.h"
#include "cim/typed.h"

namespace cohort::provider {
namespace {

using Instances = std::vector<cim::Instance>;

bool is_about(const cim::Value& value, const cim::ObjectPath& path) {
  const auto* reference = value.reference();
  return reference != nullptr && cim::same_instance(*reference, path);
}

bool role_fits(const std::string& wanted, const std::string& role) {
  return wanted.empty() || cim::same_name(wanted, role);
}

// Whether the association refers to the source in that role; any, if it is "".
bool refers(const cim::Instance& pair, const cim::ObjectPath& source, const std::string& role) {
  return std::ranges::any_of(pair.properties, [&](const cim::NamedValue& property) {
    return role_fits(role, property.name) && is_about(property.value, source);
  });
}

// The other ends of an association that refers to the source in the role that is wanted. An object that is associated
// with itself is its own other end.
std::vector<cim::ObjectPath> other_ends(const cim::Instance& pair, const cim::AssociatorsOf& what) {
  std::vector<cim::ObjectPath> ends;
  for (const auto& near : pair.properties) {
    if (!role_fits(what.role, near.name) || !is_about(near.value, what.source)) continue;
    for (const auto& far : pair.properties) {
      const auto* reference = far.value.reference();
      if (&far != &near && reference != nullptr && role_fits(what.result_role, far.name)) ends.push_back(*reference);
    }
  }
  return ends;
}

// The same text for the same instance, whatever the order of its keys.
std::string identity_of(cim::ObjectPath path) {
  std::ranges::sort(path.keys, {}, &cim::NamedValue::name);
  return cim::to_local_text(path);
}

// The values that a condition wants of properties, where it cannot be fulfilled with others.
void collect_equalities(const cim::Condition& condition, std::vector<cim::NamedValue>& equalities) {
  if (condition.kind == cim::Condition::Kind::kAnd) {
    for (const auto& operand : condition.operands) collect_equalities(operand, equalities);
  } else if (condition.kind == cim::Condition::Kind::kComparison && condition.comparison == cim::Comparison::kEqual) {
    equalities.push_back({condition.property, condition.constant});
  }
}

// The path of the only instance that can fulfil the condition, if it names all keys.
std::optional<cim::ObjectPath> only_path(const cim::Class& of, const std::optional<cim::Condition>& where) {
  if (!where) return std::nullopt;
  std::vector<cim::NamedValue> equalities;
  collect_equalities(*where, equalities);
  cim::ObjectPath path;
  path.class_name = of.name;
  for (const auto& property : of.properties) {
    if (!cim::is_key(property)) continue;
    const auto* found = cim::find_named(equalities, property.name);
    if (found == nullptr) return std::nullopt;
    path.keys.push_back({property.name, found->value});
  }
  return path.keys.empty() ? std::nullopt : std::optional(path);
}

auto no_classes(std::string_view what) {
  return failed(cim::Status::kInvalidQuery,
                "{} is not supported: a query finds instances; ask for classes with GetClass or EnumerateClasses.",
                what);
}

bool has_qualifier_named(const std::string& class_name, const std::string& qualifier, const cim::ClassStore& classes) {
  if (qualifier.empty()) return true;
  const cim::Class* of = classes.find(class_name);
  return of != nullptr && cim::find_named(of->qualifiers, qualifier) != nullptr;
}

void keep(Instances& instances, const cim::PropertyList& wanted) {
  for (auto& instance : instances) cim::keep_properties(instance, wanted);
}

}  // namespace

void Selector::cut_to(const cim::Class& base, cim::Instance& instance) {
  std::erase_if(instance.properties,
                [&](const auto& property) { return cim::find_named(base.properties, property.name) == nullptr; });
}

Outcome<const cim::Class*> Selector::existing_class(const std::string& name) const {
  const cim::Class* found = providers_.classes().find(name);
  if (found == nullptr) return failed(cim::Status::kInvalidClass, "There is no class {} in {}.", name, namespace_);
  return found;
}

Outcome<cim::Instance> Selector::completed(const cim::Instance& given) const {
  auto typed = cim::typed(given, providers_.classes());
  if (!typed) return failed(typed.error());
  const cim::Class& of = *providers_.classes().find(typed->class_name);
  cim::Instance whole = cim::make_instance(of);
  for (auto& property : typed->properties) whole.set(property.name, std::move(property.value));
  whole.path = cim::path_of(whole, of, namespace_);
  whole.path.host = server_;
  return whole;
}

Outcome<bool> Selector::is_shown(const cim::Instance& whole) const {
  const auto shown = access_.shows(whole);
  if (!shown) return failed(shown.error());
  return *shown;
}

Outcome<void> Selector::take_all_of(ClassProvider& provider, const std::function<void(cim::Instance)>& take) const {
  const auto given = provider.instances();
  if (!given) return failed(given.error());
  for (const auto& each : *given) {
    auto whole = completed(each);
    if (!whole) return tl::unexpected(std::move(whole).error());
    const auto shown = is_shown(*whole);
    if (!shown) return tl::unexpected(shown.error());
    if (*shown) take(*std::move(whole));
  }
  return {};
}

Outcome<Instances> Selector::all_of(ClassProvider& provider) const {
  Instances all;
  auto taken = take_all_of(provider, [&](cim::Instance each) { all.push_back(std::move(each)); });
  if (!taken) return tl::unexpected(std::move(taken).error());
  return all;
}

Outcome<cim::Instance> Selector::get(const cim::ObjectPath& path) const {
  const auto of = existing_class(path.class_name);
  if (!of) return tl::unexpected(of.error());
  auto wanted = cim::typed(path, providers_.classes());
  if (!wanted) return failed(wanted.error());
  Instances found;
  for (ClassProvider* provider : providers_.of_class_and_derived(path.class_name)) {
    if (cim::missing_keys(*wanted, **of).empty()) {
      auto one = provider->find(*wanted);
      if (!one) return failed(one.error());
      if (!*one) continue;
      auto whole = completed(**one);
      if (!whole) return whole;
      const auto shown = is_shown(*whole);
      if (!shown) return tl::unexpected(shown.error());
      if (*shown) return whole;
      continue;
    }
    auto all = all_of(*provider);
    if (!all) return tl::unexpected(std::move(all).error());
    for (auto& each : *all) {
      const auto agrees = [&](const cim::NamedValue& key) { return cim::same_key_value(each.at(key.name), key.value); };
      if (std::ranges::all_of(wanted->keys, agrees)) found.push_back(std::move(each));
    }
  }
  if (found.size() == 1) return std::move(found.front());
  if (found.empty()) return failed(cim::Status::kNotFound, "There is no {}.", cim::to_local_text(path));
  return failed(cim::Status::kInvalidParameter, "{} leaves out keys, and is more than one instance.",
                cim::to_local_text(path));
}

Outcome<Instances> Selector::instances_of(const cim::InstancesOf& what) const {
  const auto of = existing_class(what.class_name);
  if (!of) return tl::unexpected(of.error());
  Instances all;
  for (ClassProvider* provider : providers_.of_class_and_derived(what.class_name)) {
    if (what.is_exact && !cim::same_name(provider->class_name(), what.class_name)) continue;
    auto some = all_of(*provider);
    if (!some) return some;
    std::ranges::move(*some, std::back_inserter(all));
  }
  if (!what.is_deep) {
    for (auto& instance : all) cut_to(**of, instance);
  }
  return all;
}

Outcome<Instances> Selector::pairs_of(const cim::ObjectPath& source, const std::string& association_class) const {
  if (!association_class.empty()) {
    if (const auto of = existing_class(association_class); !of) return tl::unexpected(of.error());
  }
  Instances pairs;
  for (AssociationProvider* provider : providers_.associations(association_class)) {
    const auto some = provider->referring_to(source);
    if (!some) return failed(some.error());
    for (const auto& each : *some) {
      auto whole = completed(each);
      if (!whole) return tl::unexpected(std::move(whole).error());
      const auto shown = is_shown(*whole);
      if (!shown) return tl::unexpected(shown.error());
      if (*shown) pairs.push_back(*std::move(whole));
    }
  }
  return pairs;
}

Outcome<Instances> Selector::references_of(const cim::ReferencesOf& what) const {
  const auto source = get(what.source);
  if (!source) return tl::unexpected(source.error());
  auto pairs = pairs_of(source->path, what.result_class);
  if (pairs) std::erase_if(*pairs, [&](const auto& pair) { return !refers(pair, source->path, what.role); });
  return pairs;
}

const ProviderSet* Selector::providers_of(const cim::ObjectPath& end) const {
  if (end.namespace_name.empty()) return &providers_;
  const auto found = all_providers_.find(end.namespace_name);
  return found == all_providers_.end() ? nullptr : &found->second;
}

Outcome<cim::Instance> Selector::get_end(const cim::ObjectPath& end) const {
  if (providers_of(end) == &providers_) return get(end);
  return Selector(all_providers_, end.namespace_name, server_, access_).get(end);
}

Outcome<Instances> Selector::associators_of(const cim::AssociatorsOf& what, cim::Shape shape,
                                            const std::string& association_qualifier) const {
  const auto source = get(what.source);
  if (!source) return tl::unexpected(source.error());
  if (!what.result_class.empty()) {
    // An end may lie in another namespace.
    const bool is_there = std::ranges::any_of(
        all_providers_, [&](const auto& each) { return each.second.classes().find(what.result_class) != nullptr; });
    if (!is_there) return failed(cim::Status::kInvalidClass, "There is no class {}.", what.result_class);
  }
  const auto pairs = pairs_of(source->path, what.association_class);
  if (!pairs) return tl::unexpected(pairs.error());
  cim::AssociatorsOf exact = what;
  exact.source = source->path;
  Instances found;
  std::set<std::string> seen;
  for (const auto& pair : *pairs) {
    if (!has_qualifier_named(pair.class_name, association_qualifier, providers_.classes())) continue;
    for (auto& end : other_ends(pair, exact)) {
      const ProviderSet* const of_end = providers_of(end);
      if (of_end == nullptr) continue;
      if (!what.result_class.empty() && !of_end->classes().is_a(end.class_name, what.result_class)) continue;
      if (!seen.insert(identity_of(end)).second) continue;
      if (shape == cim::Shape::kPaths) {
        cim::Instance path_only;
        path_only.class_name = end.class_name;
        path_only.path = std::move(end);
        path_only.path.host = server_;
        found.push_back(std::move(path_only));
        continue;
      }
      auto one = get_end(end);
      // It may have gone since the association was read.
      if (!one && one.error().status == cim::Status::kNotFound) continue;
      if (!one) return tl::unexpected(std::move(one).error());
      found.push_back(*std::move(one));
    }
  }
  return found;
}

Outcome<Instances> Selector::associated(const cim::AssociationQuery& query, cim::Shape shape) const {
  const auto wanted = query.are_keys_only ? cim::Shape::kPaths : shape;
  auto found =
      query.is_references
          ? references_of({query.source, query.result_class, query.role})
          : associators_of({query.source, query.association_class, query.result_class, query.role, query.result_role},
                           wanted, query.required_association_qualifier);
  if (!found) return found;
  std::erase_if(*found, [&](const cim::Instance& each) {
    const ProviderSet* const of = providers_of(each.path);
    return of == nullptr || !has_qualifier_named(each.class_name, query.required_qualifier, of->classes());
  });
  if (query.are_keys_only) {
    for (auto& each : *found) each.properties = each.path.keys;
  }
  return found;
}

Outcome<cim::Query> Selector::parsed_query(const cim::QueryFor& what) const {
  auto parsed = cim::parse_wql(what.text, server_);
  if (!parsed) return failed(cim::Status::kInvalidQuery, "{}", parsed.error().describe());
  if (const auto* association = std::get_if<cim::AssociationQuery>(&*parsed)) {
    if (association->is_schema_only) return no_classes("SchemaOnly");
    if (association->are_class_definitions_only) return no_classes("ClassDefsOnly");
    return *std::move(parsed);
  }
  const auto& select = std::get<cim::SelectQuery>(*parsed);
  if (cim::same_name(select.class_name, "meta_class")) return no_classes("meta_class");
  if (const auto of = existing_class(select.class_name); !of) return tl::unexpected(of.error());
  if (const auto checked = cim::check_query(select, providers_.classes()); !checked) {
    return failed(cim::Status::kInvalidQuery, "{}", checked.error().describe());
  }
  return *std::move(parsed);
}

Outcome<void> Selector::select_each(const cim::SelectQuery& query,
                                    const std::function<void(cim::Instance)>& take) const {
  const auto take_fitting = [&](cim::Instance each) {
    if (!query.where || cim::fulfils(each, *query.where, providers_.classes())) take(std::move(each));
  };
  if (const auto path = only_path(*providers_.classes().find(query.class_name), query.where)) {
    auto one = get(*path);
    if (!one && one.error().status != cim::Status::kNotFound) return tl::unexpected(std::move(one).error());
    if (one) take_fitting(*std::move(one));
    return {};
  }
  for (ClassProvider* provider : providers_.of_class_and_derived(query.class_name)) {
    if (auto taken = take_all_of(*provider, take_fitting); !taken) return taken;
  }
  return {};
}

Outcome<Instances> Selector::query(const cim::QueryFor& what, cim::Shape shape) const {
  const auto parsed = parsed_query(what);
  if (!parsed) return tl::unexpected(parsed.error());
  if (const auto* association = std::get_if<cim::AssociationQuery>(&*parsed)) return associated(*association, shape);
  const auto& query = std::get<cim::SelectQuery>(*parsed);
  Instances found;
  auto selected = select_each(query, [&](cim::Instance each) { found.push_back(std::move(each)); });
  if (!selected) return tl::unexpected(std::move(selected).error());
  keep(found, query.properties);
  return found;
}

Outcome<Instances> Selector::select(const cim::Selection& what, const cim::PropertyList& wanted,
                                    cim::Shape shape) const {
  struct Visitor {
    const Selector& selector;
    cim::Shape shape;
    Outcome<Instances> operator()(const cim::InstancesOf& of) const { return selector.instances_of(of); }
    Outcome<Instances> operator()(const cim::AssociatorsOf& of) const { return selector.associators_of(of, shape); }
    Outcome<Instances> operator()(const cim::ReferencesOf& of) const { return selector.references_of(of); }
    Outcome<Instances> operator()(const cim::QueryFor& of) const { return selector.query(of, shape); }
  };
  auto found = std::visit(Visitor{*this, shape}, what);
  if (found) keep(*found, wanted);
  return found;
}

}  // namespace cohort::provider
