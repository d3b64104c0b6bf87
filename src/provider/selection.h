// Finds the objects that an operation selects.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cim/operation.h"
#include "cim/wql.h"
#include "provider/access.h"
#include "provider/outcome.h"
#include "provider/provider_set.h"

namespace cohort::provider {

struct Listing;

// Instances of one namespace that the caller may see, complete (every property of their class, with defaults) and with
// their paths. What is hidden from the caller is not there.
// Threads: as the providers.
class Selector {
 public:
  // The providers and the access outlive the selector. REQUIRES: there is the namespace.
  Selector(const cim::NameMap<ProviderSet>& providers, std::string namespace_name, std::string server_name,
           const Access& access)
      : all_providers_(providers),
        providers_(providers.find(namespace_name)->second),
        namespace_(std::move(namespace_name)),
        server_(std::move(server_name)),
        access_(access) {}

  // What is selected, in the shape that is wanted: of kPaths, instances may have nothing but their path.
  [[nodiscard]] Outcome<std::vector<cim::Instance>> select(const cim::Selection& what, const cim::PropertyList& wanted,
                                                           cim::Shape shape) const;

  // The same, to be read by a ListingReader: little is kept of each object.
  [[nodiscard]] Outcome<Listing> list(const cim::Selection& what, const cim::PropertyList& wanted,
                                      cim::Shape shape) const;

  // The instance of a path. kInvalidClass, kNotFound. A path that names fewer keys than there are is that of the only
  // instance that has them; one of a class without instances of its own, that of a derived class.
  [[nodiscard]] Outcome<cim::Instance> get(const cim::ObjectPath& path) const;

  [[nodiscard]] const ProviderSet& providers() const { return providers_; }
  // The namespace that an end of an association lies in; nullptr if there is none of that name.
  [[nodiscard]] const ProviderSet* providers_of(const cim::ObjectPath& end) const;
  [[nodiscard]] Outcome<cim::Instance> get_end(const cim::ObjectPath& end) const;
  // What a provider gave, with all properties of its class, and its path.
  [[nodiscard]] Outcome<cim::Instance> completed(const cim::Instance& given) const;
  [[nodiscard]] Outcome<bool> is_shown(const cim::Instance& whole) const;
  // Without the properties that only derived classes have.
  static void cut_to(const cim::Class& base, cim::Instance& instance);

 private:
  [[nodiscard]] Outcome<std::vector<cim::Instance>> instances_of(const cim::InstancesOf& what) const;
  // Through associations whose class has the qualifier; any, if it is "".
  [[nodiscard]] Outcome<std::vector<cim::Instance>> associators_of(const cim::AssociatorsOf& what, cim::Shape shape,
                                                                   const std::string& association_qualifier = {}) const;
  [[nodiscard]] Outcome<std::vector<cim::Instance>> references_of(const cim::ReferencesOf& what) const;
  [[nodiscard]] Outcome<std::vector<cim::Instance>> associated(const cim::AssociationQuery& query,
                                                               cim::Shape shape) const;
  [[nodiscard]] Outcome<std::vector<cim::Instance>> query(const cim::QueryFor& what, cim::Shape shape) const;
  // Its class, and the properties that it names, are there; it is not one for classes.
  [[nodiscard]] Outcome<cim::Query> parsed_query(const cim::QueryFor& what) const;
  // What fulfils the query's condition.
  [[nodiscard]] Outcome<void> select_each(const cim::SelectQuery& query,
                                          const std::function<void(cim::Instance)>& take) const;
  [[nodiscard]] Outcome<void> name_instances(const cim::InstancesOf& what, Listing& listing) const;
  [[nodiscard]] Outcome<void> name_associators(const cim::AssociatorsOf& what, Listing& listing) const;
  [[nodiscard]] Outcome<void> name_references(const cim::ReferencesOf& what, Listing& listing) const;
  [[nodiscard]] Outcome<void> name_associated(const cim::AssociationQuery& query, Listing& listing) const;
  [[nodiscard]] Outcome<void> name_query(const cim::QueryFor& what, Listing& listing) const;
  // As the provider gives it; and complete.
  [[nodiscard]] Outcome<void> add(const ClassProvider& provider, const cim::Instance& given, Listing& listing) const;
  void add_whole(const cim::Instance& whole, Listing& listing) const;
  // The instances of a provider, complete.
  [[nodiscard]] Outcome<void> take_all_of(ClassProvider& provider,
                                          const std::function<void(cim::Instance)>& take) const;
  [[nodiscard]] Outcome<std::vector<cim::Instance>> all_of(ClassProvider& provider) const;
  [[nodiscard]] Outcome<std::vector<cim::Instance>> pairs_of(const cim::ObjectPath& source,
                                                             const std::string& association_class) const;
  [[nodiscard]] Outcome<const cim::Class*> existing_class(const std::string& name) const;

  const cim::NameMap<ProviderSet>& all_providers_;  // of each namespace
  const ProviderSet& providers_;
  std::string namespace_;
  std::string server_;
  const Access& access_;
};

}  // namespace cohort::provider
