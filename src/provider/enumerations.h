// Lists that clients pull a batch at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cim/operation.h"
#include "provider/caller.h"

namespace cohort::provider {

struct EnumerationLimits {
  std::size_t contexts = 500;                // at a time; the one that was idle longest makes room for a new one
  std::size_t contexts_of_one_caller = 100;  // more fail with kInUse
  std::chrono::seconds idle{120};            // unless the client asks for another time
  std::chrono::seconds longest_idle{900};    // of those that clients may ask for
};

// A context belongs to the caller who opened it: nobody else can pull from it or close it.
// Threads: safe to call from several at once.
class Enumerations {
 public:
  Enumerations(const Clock& clock, EnumerationLimits limits);

  // Up to `max_objects` of the list; the rest stays for pull() under the context that the answer names.
  [[nodiscard]] Result<cim::Objects> open(cim::Objects all, std::uint32_t max_objects,
                                          std::optional<std::chrono::seconds> idle, const Caller& caller);
  // kNotFound: there is no such context of this caller, or it has expired.
  [[nodiscard]] Result<cim::Objects> pull(const std::string& context, std::uint32_t max_objects, const Caller& caller);
  [[nodiscard]] Result<void> close(const std::string& context, const Caller& caller);
  // See Broker::give_back.
  [[nodiscard]] std::string give_back(const cim::Objects& objects, std::vector<cim::Instance> rest,
                                      const Caller& caller);
  [[nodiscard]] std::size_t size() const;

 private:
  struct Context {
    std::string caller;
    cim::Shape shape = cim::Shape::kInstances;
    std::deque<cim::Instance> rest;
    std::chrono::seconds idle{};
    SteadyTime used;
  };
  using Contexts = std::map<std::string, Context>;

  void forget_expired();
  [[nodiscard]] Result<void> make_room(const Caller& caller);
  [[nodiscard]] Result<Contexts::iterator> find(const std::string& context, const Caller& caller);
  [[nodiscard]] cim::Objects take(Contexts::iterator from, std::uint32_t max_objects);
  Contexts::iterator keep(Context context);

  const Clock& clock_;
  const EnumerationLimits limits_;
  mutable std::mutex mutex_;
  Contexts contexts_;
};

}  // namespace cohort::provider
