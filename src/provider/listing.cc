#include "provider/listing.h"

#include <algorithm>
#include <utility>

#include "cim/object_path.h"
#include "cim/typed.h"

namespace cohort::provider {
namespace {

// The first character of a name says what follows: the path of the object, or all of it in the form of a path.
constexpr char kPath = ':';
constexpr char kWhole = '=';
// More is no path that parse_object_path reads.
constexpr std::size_t kLongest = std::size_t{60} << 10U;

std::string name_of(const cim::ObjectPath& path) { return kPath + cim::to_text(path); }

// The element, or the only one of an array: it is made an array again when it is read.
const cim::Element* only_element(const cim::Value& value) {
  const cim::Element* element = &value.element();
  if (value.is_array()) element = value.elements().size() == 1 ? &value.elements().front() : nullptr;
  const bool is_told = element != nullptr && !cim::is_null(*element) && cim::type_of(*element) != cim::Type::kInstance;
  return is_told ? element : nullptr;
}

// All that is not as the class has it anyway; nothing if that is more than a path can hold.
std::optional<std::string> whole_in_short(const cim::Instance& whole, const cim::Class& of) {
  cim::ObjectPath path;
  path.namespace_name = whole.path.namespace_name;
  path.class_name = whole.class_name;
  for (const auto& property : whole.properties) {
    if (cim::find_named(of.properties, property.name)->default_value == property.value) continue;
    const cim::Element* element = only_element(property.value);
    if (element == nullptr || path.keys.size() == cim::kMaxKeys) return std::nullopt;
    path.keys.push_back({property.name, cim::Value(*element)});
  }
  std::string text = kWhole + cim::to_text(path);
  return text.size() > kLongest ? std::nullopt : std::optional(std::move(text));
}

std::size_t bytes_of(const cim::PropertyList& list) {
  std::size_t bytes = 0;
  for (const std::string& each : list.value_or(std::vector<std::string>())) bytes += sizeof each + each.size();
  return bytes;
}

}  // namespace

Outcome<Listing> Selector::list(const cim::Selection& what, const cim::PropertyList& wanted, cim::Shape shape) const {
  struct Visitor {
    const Selector& selector;
    Listing& listing;
    Outcome<void> operator()(const cim::InstancesOf& of) const { return selector.name_instances(of, listing); }
    Outcome<void> operator()(const cim::AssociatorsOf& of) const { return selector.name_associators(of, listing); }
    Outcome<void> operator()(const cim::ReferencesOf& of) const { return selector.name_references(of, listing); }
    Outcome<void> operator()(const cim::QueryFor& of) const { return selector.name_query(of, listing); }
  };
  Listing listing;
  listing.reading = {namespace_, shape, wanted, shape == cim::Shape::kPaths};
  listing.request_bytes = bytes_of(wanted);
  if (auto named = std::visit(Visitor{*this, listing}, what); !named) return tl::unexpected(std::move(named).error());
  listing.names.shrink();
  return listing;
}

Outcome<void> Selector::name_instances(const cim::InstancesOf& what, Listing& listing) const {
  const auto of = existing_class(what.class_name);
  if (!of) return tl::unexpected(of.error());
  for (ClassProvider* provider : providers_.of_class_and_derived(what.class_name)) {
    if (what.is_exact && !cim::same_name(provider->class_name(), what.class_name)) continue;
    Outcome<void> added;
    const auto named = provider->name_all([&](const cim::Instance& each) {
      if (added) added = add(*provider, each, listing);
    });
    if (!named) return failed(named.error());
    if (!added) return added;
  }
  if (!what.is_deep) listing.reading.cut_to = (*of)->name;
  return {};
}

Outcome<void> Selector::name_associators(const cim::AssociatorsOf& what, Listing& listing) const {
  const auto found = associators_of(what, cim::Shape::kPaths);
  if (!found) return tl::unexpected(found.error());
  for (const auto& each : *found) listing.names.add(name_of(each.path));
  return {};
}

Outcome<void> Selector::name_references(const cim::ReferencesOf& what, Listing& listing) const {
  const auto pairs = references_of(what);
  if (!pairs) return tl::unexpected(pairs.error());
  for (const auto& each : *pairs) add_whole(each, listing);
  return {};
}

Outcome<void> Selector::name_associated(const cim::AssociationQuery& query, Listing& listing) const {
  listing.reading.are_paths_enough = listing.reading.are_paths_enough || query.are_keys_only;
  const auto found = associated(query, cim::Shape::kPaths);
  if (!found) return tl::unexpected(found.error());
  for (const auto& each : *found) {
    if (query.is_references) {
      add_whole(each, listing);
    } else {
      listing.names.add(name_of(each.path));
    }
  }
  return {};
}

Outcome<void> Selector::name_query(const cim::QueryFor& what, Listing& listing) const {
  const auto parsed = parsed_query(what);
  if (!parsed) return tl::unexpected(parsed.error());
  listing.request_bytes += what.text.size();
  if (const auto* association = std::get_if<cim::AssociationQuery>(&*parsed)) {
    return name_associated(*association, listing);
  }
  const auto& query = std::get<cim::SelectQuery>(*parsed);
  listing.reading.where = query.where;
  listing.reading.selected = query.properties;
  if (!query.where) return name_instances({query.class_name}, listing);
  return select_each(query, [&](cim::Instance each) { add_whole(each, listing); });
}

Outcome<void> Selector::add(const ClassProvider& provider, const cim::Instance& given, Listing& listing) const {
  if (!listing.reading.are_paths_enough && !provider.finds_one()) {
    const auto whole = completed(given);
    if (!whole) return tl::unexpected(whole.error());
    const auto is_seen = is_shown(*whole);
    if (!is_seen) return tl::unexpected(is_seen.error());
    if (*is_seen) add_whole(*whole, listing);
    return {};
  }
  auto typed = cim::typed(given, providers_.classes());
  if (!typed) return failed(typed.error());
  typed->path = cim::path_of(*typed, *providers_.classes().find(typed->class_name), namespace_);
  typed->path.host = server_;
  const auto is_seen = is_shown(*typed);
  if (!is_seen) return tl::unexpected(is_seen.error());
  if (*is_seen) listing.names.add(name_of(typed->path));
  return {};
}

void Selector::add_whole(const cim::Instance& whole, Listing& listing) const {
  if (!listing.reading.are_paths_enough && !providers_.find(whole.class_name)->finds_one()) {
    const auto text = whole_in_short(whole, *providers_.classes().find(whole.class_name));
    if (text) return listing.names.add(*text);
  }
  listing.names.add(name_of(whole.path));
}

Outcome<std::optional<cim::Instance>> ListingReader::read(std::string_view name) {
  const auto parsed = cim::parse_object_path(name.substr(1));
  if (!parsed) return failed(parsed.error());
  const ProviderSet* const providers = selector_.providers_of(*parsed);
  if (providers == nullptr) return std::nullopt;
  const auto& classes = providers->classes();
  Outcome<std::optional<cim::Instance>> found;
  if (name.front() == kWhole) {
    found = shown({parsed->class_name, parsed->keys, {}});
  } else {
    const auto path = cim::typed(*parsed, classes);
    if (!path) return failed(path.error());
    if (reading_.are_paths_enough) return seen({path->class_name, path->keys, *path});
    found = providers == &selector_.providers() ? find(*path) : find_elsewhere(*path);
  }
  if (!found || !*found) return found;
  cim::Instance& instance = **found;
  if (reading_.where && !cim::fulfils(instance, *reading_.where, classes)) return std::nullopt;
  if (!reading_.cut_to.empty()) Selector::cut_to(*classes.find(reading_.cut_to), instance);
  cim::keep_properties(instance, reading_.selected);
  cim::keep_properties(instance, reading_.wanted);
  return found;
}

Outcome<std::optional<cim::Instance>> ListingReader::find(const cim::ObjectPath& path) {
  for (ClassProvider* provider : selector_.providers().of_class_and_derived(path.class_name)) {
    const auto found = find_at(*provider, path);
    if (!found) return failed(found.error());
    if (*found) return shown(**found);
  }
  return std::nullopt;
}

Outcome<std::optional<cim::Instance>> ListingReader::find_elsewhere(const cim::ObjectPath& path) const {
  auto found = selector_.get_end(path);
  if (!found && found.error().status == cim::Status::kNotFound) return std::nullopt;
  if (!found) return tl::unexpected(std::move(found).error());
  return *std::move(found);
}

Result<std::optional<cim::Instance>> ListingReader::find_at(ClassProvider& provider, const cim::ObjectPath& path) {
  if (provider.finds_one()) return provider.find(path);
  auto listed = listed_.find(&provider);
  if (listed == listed_.end()) {
    COHORT_ASSIGN(auto all, provider.instances());
    listed = listed_.emplace(&provider, std::move(all)).first;
  }
  return with_keys(listed->second, path);
}

Outcome<std::optional<cim::Instance>> ListingReader::shown(const cim::Instance& given) const {
  auto whole = selector_.completed(given);
  if (!whole) return tl::unexpected(std::move(whole).error());
  return seen(*std::move(whole));
}

Outcome<std::optional<cim::Instance>> ListingReader::seen(cim::Instance instance) const {
  const auto is_seen = selector_.is_shown(instance);
  if (!is_seen) return tl::unexpected(is_seen.error());
  return *is_seen ? std::optional(std::move(instance)) : std::nullopt;
}

}  // namespace cohort::provider
