// Finds the objects that an operation selects.
#pragma once

#include <string>
#include <vector>

#include "cim/operation.h"
#include "cim/wql.h"
#include "provider/access.h"
#include "provider/outcome.h"
#include "provider/provider_set.h"

namespace cohort::provider {

// Instances of one namespace that the caller may see, complete (every property of their class, with defaults) and with
// their paths. What is hidden from the caller is not there.
// Threads: as the providers.
class Selector {
 public:
  // The providers and the access outlive the selector.
  Selector(const ProviderSet& providers, std::string namespace_name, std::string server_name, const Access& access)
      : providers_(providers),
        namespace_(std::move(namespace_name)),
        server_(std::move(server_name)),
        access_(access) {}

  // What is selected, in the shape that is wanted: of kPaths, instances may have nothing but their path.
  [[nodiscard]] Outcome<std::vector<cim::Instance>> select(const cim::Selection& what, const cim::PropertyList& wanted,
                                                           cim::Shape shape) const;

  // The instance of a path. kInvalidClass, kNotFound. A path that names fewer keys than there are is that of the only
  // instance that has them; one of a class without instances of its own, that of a derived class.
  [[nodiscard]] Outcome<cim::Instance> get(const cim::ObjectPath& path) const;

 private:
  [[nodiscard]] Outcome<std::vector<cim::Instance>> instances_of(const cim::InstancesOf& what) const;
  // Through associations whose class has the qualifier; any, if it is "".
  [[nodiscard]] Outcome<std::vector<cim::Instance>> associators_of(const cim::AssociatorsOf& what, cim::Shape shape,
                                                                   const std::string& association_qualifier = {}) const;
  [[nodiscard]] Outcome<std::vector<cim::Instance>> references_of(const cim::ReferencesOf& what) const;
  [[nodiscard]] Outcome<std::vector<cim::Instance>> associated(const cim::AssociationQuery& query,
                                                               cim::Shape shape) const;
  [[nodiscard]] Outcome<std::vector<cim::Instance>> query(const cim::QueryFor& what, cim::Shape shape) const;
  // The instances of a provider, complete.
  [[nodiscard]] Outcome<std::vector<cim::Instance>> all_of(ClassProvider& provider) const;
  [[nodiscard]] Outcome<std::vector<cim::Instance>> pairs_of(const cim::ObjectPath& source,
                                                             const std::string& association_class) const;
  [[nodiscard]] Outcome<bool> is_shown(const cim::Instance& whole) const;
  [[nodiscard]] Outcome<cim::Instance> completed(const cim::Instance& given) const;
  [[nodiscard]] Outcome<const cim::Class*> existing_class(const std::string& name) const;

  const ProviderSet& providers_;
  std::string namespace_;
  std::string server_;
  const Access& access_;
};

}  // namespace cohort::provider
