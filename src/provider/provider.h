// What the broker asks of a class: its instances, its methods. One file per class implements it.
//
// A provider answers for its own class alone; classes derived from it have providers of their own. It says what is so
// now, and may fail where that cannot be found out (kHypervisor, kIo, …), never with half a list.
// Threads: called from several at once.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cim/class_store.h"
#include "cim/operation.h"
#include "provider/access.h"
#include "provider/caller.h"

namespace cohort::provider {

struct MethodCall {
  const Caller& caller;
  const Access& access;    // of the caller
  cim::ObjectPath object;  // with the keys of an instance that exists
  std::string method;      // as it is declared
  // Those that were given, in their declared types, by the names as they are declared.
  std::vector<cim::NamedValue> parameters;

  // NULL for what was not given.
  [[nodiscard]] const cim::Value& parameter(std::string_view name) const;
};

class ClassProvider {
 public:
  virtual ~ClassProvider() = default;

  [[nodiscard]] virtual std::string_view class_name() const = 0;

  // Properties that are not set get the class's defaults from the broker, which also adds the path and leaves out what
  // is not wanted. Values have to be of the declared types; numbers may be of any width that holds them.
  [[nodiscard]] virtual Result<std::vector<cim::Instance>> instances() = 0;
  // The instance with these keys; nothing if there is none. To be overridden where one can be had for less than all:
  // here it is looked for among instances().
  [[nodiscard]] virtual Result<std::optional<cim::Instance>> find(const cim::ObjectPath& path);
  // Whether find() costs less than instances(). Lists that are pulled are read one by one then, each when its turn
  // comes.
  [[nodiscard]] virtual bool finds_one() const { return false; }
  // Hands over the instances one by one; those that finds_one() may have nothing but their keys. To be overridden where
  // the keys alone need less than all of the instances at a time.
  [[nodiscard]] virtual Result<void> name_all(const std::function<void(const cim::Instance&)>& take);

  // The right that a method needs: for the object it is called on, where that belongs to a collection, and for each
  // that its parameters refer to; for all collections if there is none. kNone: it looks itself at what its caller may
  // see.
  [[nodiscard]] virtual Right right_for(std::string_view method) const;
  // A return code says how it went, as Hyper-V's pages list them for that method; failures of the call itself are
  // errors (kInvalidArgument, kNotFound, kUnsupported). The broker has looked at the caller's right, object and
  // parameters' types.
  [[nodiscard]] virtual Result<cim::MethodResult> invoke(const MethodCall& call);

  // Changes the properties that are given. kUnsupported where the class allows none.
  [[nodiscard]] virtual Result<void> modify(const cim::Instance& changed, const Caller& caller);
};

// An association: its instances are pairs of paths.
class AssociationProvider : public ClassProvider {
 public:
  // The instances that refer to `end` in any role. To be overridden where these can be had for less than all.
  [[nodiscard]] virtual Result<std::vector<cim::Instance>> referring_to(const cim::ObjectPath& end);
};

// The one among the instances that has the path's keys.
[[nodiscard]] std::optional<cim::Instance> with_keys(const std::vector<cim::Instance>& instances,
                                                     const cim::ObjectPath& path);

}  // namespace cohort::provider
