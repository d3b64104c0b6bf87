// Answers CIM operations: finds the providers that an operation is for, asks them, and does what is the same for all
// classes: paths, defaults, property lists, derived classes, associations, queries, enumerations, rights.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cim/operation.h"
#include "cim/schema.h"
#include "provider/caller.h"
#include "provider/enumerations.h"
#include "provider/provider.h"
#include "provider/provider_set.h"

namespace cohort::provider {

// Whether an answer has room for one more object of a list, which is written in that shape. It is asked once for each
// object that is in the answer, and for the first that is not.
using Room = std::function<bool(const cim::Instance& object, cim::Shape shape)>;

// Threads: handle() from several at once, when no provider is added any more.
class Broker {
 public:
  // The schema, the clock and the state outlive the broker. `server_name` is the host of paths, and WQL's __SERVER.
  // Without a state nobody has rights for single collections.
  Broker(const cim::Schema& schema, std::string server_name, const Clock& clock, EnumerationLimits limits = {},
         service::StateStore* state = nullptr);

  // REQUIRES: the schema has the namespace and the provider's class in it.
  void add(std::string_view namespace_name, std::unique_ptr<ClassProvider> provider);

  // Always an answer; OperationFailed says what is wrong. An answer to OpenEnumeration or PullObjects has a thousand
  // objects at most; what it has no `room` for is pulled next.
  [[nodiscard]] cim::Response handle(const cim::Request& request, const Caller& caller, const Room& room = {});

  // Whether the request changes something if it is carried out; methods that everybody may call, or whoever looks, do
  // not.
  [[nodiscard]] bool is_change(const cim::Request& request) const;

 private:
  class Answering;

  std::string server_name_;
  service::StateStore* state_;
  cim::NameMap<ProviderSet> providers_;  // of each namespace
  Enumerations enumerations_;
};

}  // namespace cohort::provider
