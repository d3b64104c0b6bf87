#include "provider/broker.h"

#include <algorithm>
#include <utility>

#include "cim/typed.h"
#include "provider/class_operations.h"
#include "provider/listing.h"
#include "provider/selection.h"

namespace cohort::provider {
namespace {

// Of an enumeration, read for one answer: clients ask for any number.
constexpr std::uint32_t kMostAtOnce = 1000;

constexpr const char* kQueryLanguages[] = {"WQL", "DMTF:CQL", "DMTF:FQL", "CQL"};

bool is_known_language(const std::string& language) {
  return std::ranges::any_of(kQueryLanguages, [&](const char* known) { return cim::same_name(known, language); });
}

bool is_static(const cim::Method& method) { return cim::has_qualifier(method.qualifiers, "Static"); }

// An array without elements comes back as NULL from clients that were told that it is.
bool is_same(const cim::Value& now, const cim::Value& given) {
  const auto is_nothing = [](const cim::Value& value) {
    return value.is_null() || (value.is_array() && value.elements().empty());
  };
  return now == given || (is_nothing(now) && is_nothing(given));
}

// As an association's source or a query's object: what is being looked for, without whatever else.
Outcome<void> check_language(const cim::Selection& what) {
  const auto* query = std::get_if<cim::QueryFor>(&what);
  if (query == nullptr || is_known_language(query->language)) return {};
  return failed(cim::Status::kQueryLanguageNotSupported, "The query language \"{}\" is not supported; WQL is.",
                query->language);
}

Outcome<std::vector<cim::NamedValue>> typed_out(const cim::Method& method, const cim::MethodResult& result,
                                                const cim::ClassStore& classes) {
  std::vector<cim::NamedValue> out;
  for (const auto& each : result.out) {
    const auto* parameter = cim::find_named(method.parameters, each.name);
    if (parameter == nullptr) {
      return failed(cim::Status::kFailed, "{} has no parameter \"{}\".", method.name, each.name);
    }
    auto value = cim::typed(each.value, *parameter, classes, method.name + "." + parameter->name);
    if (!value) return failed(value.error());
    out.push_back({parameter->name, *std::move(value)});
  }
  return out;
}

}  // namespace

// One request in its namespace.
class Broker::Answering {
 public:
  Answering(Broker& broker, const ProviderSet& providers, const cim::Request& request, const Caller& caller,
            const Access& access, const Room& room)
      : broker_(broker),
        providers_(providers),
        selector_(broker.providers_, request.namespace_name, broker.server_name_, access),
        caller_(caller),
        access_(access),
        room_(room) {}

  Outcome<cim::Response> operator()(const cim::GetInstance& get) const {
    auto found = selector_.get(get.path);
    if (!found) return tl::unexpected(std::move(found).error());
    cim::keep_properties(*found, get.properties);
    cim::Objects one;
    one.instances.push_back(*std::move(found));
    return one;
  }

  Outcome<cim::Response> operator()(const cim::CreateInstance& create) const {
    return failed(cim::Status::kNotSupported, "Instances of {} are made by the methods of services.",
                  create.instance.class_name);
  }

  Outcome<cim::Response> operator()(const cim::DeleteInstance& remove) const {
    return failed(cim::Status::kNotSupported, "Instances of {} are removed by the methods of services.",
                  remove.path.class_name);
  }

  Outcome<cim::Response> operator()(const cim::ModifyInstance& modify) const {
    auto found = selector_.get(modify.instance.path);
    if (!found) return tl::unexpected(std::move(found).error());
    if (auto allowed = check_right(Right::kAdminister, "change instances", {found->path}); !allowed) {
      return tl::unexpected(std::move(allowed).error());
    }
    auto changed = changes(*found, modify);
    if (!changed) return tl::unexpected(std::move(changed).error());
    if (changed->properties.empty()) return cim::Done{};
    const auto done = providers_.find(found->class_name)->modify(*changed, caller_);
    if (!done) return failed(done.error());
    return cim::Done{};
  }

  Outcome<cim::Response> operator()(const cim::ListObjects& list) const {
    return listed(list.what, list.properties, list.shape);
  }

  Outcome<cim::Response> operator()(const cim::OpenEnumeration& open) const {
    if (!open.filter.empty()) {
      return failed(cim::Status::kFilteredEnumerationNotSupported, "Use OpenQueryInstances with a WQL query.");
    }
    const auto longest = broker_.enumerations_.longest_idle();
    if (!open.may_be_cut && open.timeout > longest) {
      return failed(cim::Status::kInvalidOperationTimeout,
                    "Between pulls an enumeration is kept for {} seconds at most.", longest.count());
    }
    if (auto checked = check_language(open.what); !checked) return tl::unexpected(std::move(checked).error());
    auto listing = selector_.list(open.what, open.properties, open.shape);
    if (!listing) return tl::unexpected(std::move(listing).error());
    const auto opened = broker_.enumerations_.open(*std::move(listing), open.timeout, caller_);
    if (!opened) return failed(cim::Status::kServerLimitsExceeded, "{}", opened.error().message);
    auto first = next_of(opened->context, open.max_objects);
    if (!first) {
      static_cast<void>(broker_.enumerations_.close(opened->context, caller_));
      return tl::unexpected(std::move(first).error());
    }
    first->idle = opened->idle;
    return *std::move(first);
  }

  Outcome<cim::Response> operator()(const cim::PullObjects& pull) const {
    auto next = next_of(pull.context, pull.max_objects, pull.shape);
    if (!next) return tl::unexpected(std::move(next).error());
    return *std::move(next);
  }

  Outcome<cim::Response> operator()(const cim::CloseEnumeration& close) const {
    const auto closed = broker_.enumerations_.close(close.context, caller_);
    if (!closed) return failed(cim::Status::kInvalidEnumerationContext, "{}", closed.error().message);
    return cim::Done{};
  }

  Outcome<cim::Response> operator()(const cim::InvokeMethod& invoke) const {
    const cim::Class* of = providers_.classes().find(invoke.path.class_name);
    if (of == nullptr) return failed(cim::Status::kInvalidClass, "There is no class {}.", invoke.path.class_name);
    const cim::Method* method = cim::find_named(of->methods, invoke.method);
    if (method == nullptr) {
      return failed(cim::Status::kMethodNotFound, "{} has no method {}.", of->name, invoke.method);
    }
    auto object = object_of(invoke, *method);
    if (!object) return tl::unexpected(std::move(object).error());
    ClassProvider* provider = providers_.find(object->class_name);
    if (provider == nullptr) {
      return failed(cim::Status::kMethodNotAvailable, "{} of {} is not available here.", method->name, of->name);
    }
    const Right needed = provider->right_for(method->name);
    if (auto allowed = check_right(needed, "call " + method->name, concerned(*object, invoke.parameters)); !allowed) {
      return tl::unexpected(std::move(allowed).error());
    }
    const auto result = provider->invoke({caller_, access_, *std::move(object), method->name, invoke.parameters});
    if (!result) return failed(result.error());
    auto out = typed_out(*method, *result, providers_.classes());
    if (!out) return tl::unexpected(std::move(out).error());
    return cim::MethodResult{result->return_value, *std::move(out)};
  }

  template <typename ClassOperation>
  Outcome<cim::Response> operator()(const ClassOperation& operation) const {
    return answer(operation, providers_.classes());
  }

 private:
  // Over all of the objects, or over all collections. What is hidden is answered as what is not there.
  [[nodiscard]] Outcome<void> check_right(Right needed, const std::string& what,
                                          const std::vector<cim::ObjectPath>& objects) const {
    if (caller_.may(needed)) return {};
    bool is_allowed = !objects.empty();
    for (const auto& each : objects) {
      const auto over = access_.over(each);
      if (!over) return failed(over.error());
      is_allowed = is_allowed && *over >= needed;
    }
    if (is_allowed) return {};
    return failed(cim::Status::kAccessDenied, "{} may not {}: that needs the role \"{}\" for {}.", caller_.name, what,
                  role_of(needed), objects.empty() ? "all collections" : "the collection, or for all");
  }

  // What belongs to a collection among the object of a call and what its parameters refer to.
  [[nodiscard]] static std::vector<cim::ObjectPath> concerned(const cim::ObjectPath& object,
                                                              const std::vector<cim::NamedValue>& parameters) {
    std::vector<cim::ObjectPath> found;
    if (!Access::is_everybodys(object.class_name)) found.push_back(object);
    for (const auto& parameter : parameters) {
      if (const auto* path = parameter.value.reference()) found.push_back(*path);
      for (const auto& element : parameter.value.elements()) {
        const auto* path = std::get_if<cim::Shared<cim::ObjectPath>>(&element);
        if (path != nullptr) found.push_back(**path);
      }
    }
    return found;
  }

  // A listing while it is read. It goes back as it was, unless its new place is kept; nothing is lost of a batch that
  // fails half way.
  class Borrowed {
   public:
    Borrowed(Enumerations& enumerations, const std::string& context, Listing listing)
        : enumerations_(enumerations), context_(context), listing_(std::move(listing)), mark_(listing_.names.mark()) {}
    Borrowed(const Borrowed&) = delete;
    Borrowed& operator=(const Borrowed&) = delete;
    ~Borrowed() {
      listing_.names.go_back(std::move(mark_));
      enumerations_.put_back(context_, std::move(listing_));
    }
    [[nodiscard]] Listing& listing() { return listing_; }
    void keep_place() { mark_ = listing_.names.mark(); }

   private:
    Enumerations& enumerations_;
    const std::string& context_;
    Listing listing_;
    NameList::Mark mark_;
  };

  // The objects of an enumeration that come next.
  [[nodiscard]] Outcome<cim::Objects> next_of(const std::string& context, std::uint32_t max_objects,
                                              std::optional<cim::Shape> shape = {}) const {
    Enumerations& enumerations = broker_.enumerations_;
    auto listing = enumerations.take(context, caller_);
    if (!listing) {
      const bool is_busy = listing.error().code == ErrorCode::kInUse;
      return failed(is_busy ? cim::Status::kServerLimitsExceeded : cim::Status::kInvalidEnumerationContext, "{}",
                    listing.error().message);
    }
    Borrowed borrowed(enumerations, context, *std::move(listing));
    if (shape && *shape != borrowed.listing().reading.shape) {
      return failed(cim::Status::kInvalidEnumerationContext, "The enumeration \"{}\" is pulled with another operation.",
                    context);
    }
    auto objects = read(borrowed.listing(), std::min(max_objects, kMostAtOnce));
    if (!objects) return objects;
    borrowed.keep_place();
    // With no object wanted, the client comes back to learn that there is none.
    objects->is_end_of_sequence = max_objects > 0 && borrowed.listing().names.is_empty();
    if (objects->is_end_of_sequence) {
      static_cast<void>(enumerations.close(context, caller_));
    } else {
      objects->context = context;
    }
    return objects;
  }

  [[nodiscard]] Outcome<cim::Objects> read(Listing& listing, std::uint32_t most) const {
    const std::string& in = listing.reading.namespace_name;
    const Selector selector(broker_.providers_, in, broker_.server_name_, access_);
    ListingReader reader(selector, listing.reading);
    cim::Objects objects;
    objects.shape = listing.reading.shape;
    for (; objects.instances.size() < most && !listing.names.is_empty(); listing.names.pop()) {
      auto one = reader.read(listing.names.front());
      if (!one) return tl::unexpected(std::move(one).error());
      if (!*one) continue;
      if (room_ && !room_(**one, objects.shape)) break;
      objects.instances.push_back(**std::move(one));
    }
    return objects;
  }

  [[nodiscard]] Outcome<cim::Objects> listed(const cim::Selection& what, const cim::PropertyList& wanted,
                                             cim::Shape shape) const {
    if (auto checked = check_language(what); !checked) return tl::unexpected(std::move(checked).error());
    auto found = selector_.select(what, wanted, shape);
    if (!found) return tl::unexpected(std::move(found).error());
    cim::Objects objects;
    objects.instances = *std::move(found);
    objects.shape = shape;
    return objects;
  }

  // The properties that a request changes, with the instance's path. Those that may not be written may be given if they
  // stay as they are: clients send back the whole of what they have read.
  [[nodiscard]] Outcome<cim::Instance> changes(const cim::Instance& now, const cim::ModifyInstance& modify) const {
    const cim::Class& of = *providers_.classes().find(now.class_name);
    auto given = cim::typed(modify.instance, providers_.classes());
    if (!given) return failed(given.error());
    for (const auto& name : modify.properties.value_or(std::vector<std::string>())) {
      if (cim::find_named(of.properties, name) == nullptr) {
        return failed(cim::Status::kNoSuchProperty, "{} has no property \"{}\".", of.name, name);
      }
    }
    cim::keep_properties(*given, modify.properties);
    cim::Instance changed;
    changed.class_name = now.class_name;
    changed.path = now.path;
    for (auto& property : given->properties) {
      if (is_same(now.at(property.name), property.value)) continue;
      const auto* declared = cim::find_named(of.properties, property.name);
      if (declared == nullptr || !cim::has_qualifier(declared->qualifiers, "Write")) {
        return failed(cim::Status::kNotSupported, "{}.{} cannot be changed.", of.name, property.name);
      }
      changed.properties.push_back(std::move(property));
    }
    return changed;
  }

  // What a method is called on, with all its keys.
  [[nodiscard]] Outcome<cim::ObjectPath> object_of(const cim::InvokeMethod& invoke, const cim::Method& method) const {
    if (invoke.path.is_class() && is_static(method)) return invoke.path;
    // Services are the only instances of their classes, and clients know it.
    auto found = selector_.get(invoke.path);
    if (!found) return tl::unexpected(std::move(found).error());
    return std::move(found->path);
  }

  Broker& broker_;
  const ProviderSet& providers_;
  Selector selector_;
  const Caller& caller_;
  const Access& access_;
  const Room& room_;
};

Broker::Broker(const cim::Schema& schema, std::string server_name, const Clock& clock, EnumerationLimits limits,
               service::StateStore* state)
    : server_name_(std::move(server_name)), state_(state), enumerations_(clock, limits) {
  for (const auto name : schema.namespaces()) providers_.emplace(std::string(name), ProviderSet(*schema.find(name)));
}

void Broker::add(std::string_view namespace_name, std::unique_ptr<ClassProvider> provider) {
  providers_.find(namespace_name)->second.add(std::move(provider));
}

cim::Response Broker::handle(const cim::Request& request, const Caller& caller, const Room& room) {
  const auto providers = providers_.find(request.namespace_name);
  if (providers == providers_.end()) {
    return cim::OperationFailed{
        cim::Status::kInvalidNamespace, fmt::format("There is no namespace \"{}\".", request.namespace_name), {}};
  }
  const auto access = Access::of(caller, state_);
  if (!access) return failed(access.error()).value();
  auto answered = std::visit(Answering(*this, providers->second, request, caller, *access, room), request.operation);
  if (!answered) return std::move(answered).error();
  return *std::move(answered);
}

bool Broker::is_change(const cim::Request& request) const {
  const auto* invoke = std::get_if<cim::InvokeMethod>(&request.operation);
  if (invoke == nullptr) {
    return std::holds_alternative<cim::CreateInstance>(request.operation) ||
           std::holds_alternative<cim::ModifyInstance>(request.operation) ||
           std::holds_alternative<cim::DeleteInstance>(request.operation);
  }
  const auto providers = providers_.find(request.namespace_name);
  const ClassProvider* provider =
      providers == providers_.end() ? nullptr : providers->second.find(invoke->path.class_name);
  return provider == nullptr || provider->right_for(invoke->method) > Right::kLook;
}

}  // namespace cohort::provider
