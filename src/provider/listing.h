// A list that is read a batch at a time: what names its objects, and how each is read when its turn comes.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cim/operation.h"
#include "cim/wql.h"
#include "provider/name_list.h"
#include "provider/selection.h"

namespace cohort::provider {

struct Reading {
  std::string namespace_name;
  cim::Shape shape = cim::Shape::kInstancesWithPaths;
  cim::PropertyList wanted = {};
  bool are_paths_enough = false;
  std::string cut_to = {};                   // the class whose properties alone are there; empty: all are
  std::optional<cim::Condition> where = {};  // what no longer fulfils it when it is read is left out
  cim::PropertyList selected = {};           // by a query; `wanted` chooses among them
};

// Of objects that their provider finds one by one only the paths are kept; associations, which are little but two
// paths, are kept whole in the same form.
struct Listing {
  Reading reading;
  NameList names;
  std::size_t request_bytes = 0;  // what is kept of the client's request

  [[nodiscard]] std::size_t bytes() const { return names.bytes() + request_bytes; }
};

// Reads one batch. Where a provider has to list all to find one, it does so once.
// Threads: one.
class ListingReader {
 public:
  // Both outlive the reader; the selector is one of the listing's namespace.
  ListingReader(const Selector& selector, const Reading& reading) : selector_(selector), reading_(reading) {}

  // The object of a name in the listing; nothing if it is gone, hidden by now, or no longer what was asked for.
  [[nodiscard]] Outcome<std::optional<cim::Instance>> read(std::string_view name);

 private:
  [[nodiscard]] Outcome<std::optional<cim::Instance>> find(const cim::ObjectPath& path);
  // In another namespace: the end of an association.
  [[nodiscard]] Outcome<std::optional<cim::Instance>> find_elsewhere(const cim::ObjectPath& path) const;
  [[nodiscard]] Result<std::optional<cim::Instance>> find_at(ClassProvider& provider, const cim::ObjectPath& path);
  [[nodiscard]] Outcome<std::optional<cim::Instance>> shown(const cim::Instance& given) const;
  // Nothing if the caller may not see it by now.
  [[nodiscard]] Outcome<std::optional<cim::Instance>> seen(cim::Instance instance) const;

  const Selector& selector_;
  const Reading& reading_;
  std::map<const ClassProvider*, std::vector<cim::Instance>> listed_;
};

}  // namespace cohort::provider
