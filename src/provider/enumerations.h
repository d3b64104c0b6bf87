// Lists that clients pull a batch at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "provider/caller.h"
#include "provider/listing.h"

namespace cohort::provider {

struct EnumerationLimits {
  std::size_t contexts = 500;                  // at a time; the one that was idle longest makes room for a new one
  std::size_t contexts_of_one_caller = 100;    // more fail with kInUse
  std::size_t bytes = std::size_t{64} << 20U;  // of all listings, a quarter of one caller's; more fail with kInUse
  std::chrono::seconds idle{120};              // unless the client asks for another time
  std::chrono::seconds longest_idle{900};      // of those that clients may ask for
};

// A context belongs to the caller who opened it: nobody else can pull from it or close it. While a batch is read, its
// listing is with the reader.
// Threads: safe to call from several at once.
class Enumerations {
 public:
  Enumerations(const Clock& clock, EnumerationLimits limits);

  [[nodiscard]] std::chrono::seconds longest_idle() const { return limits_.longest_idle; }

  struct Opened {
    std::string context;          // under which the listing is kept
    std::chrono::seconds idle{};  // how long it is, between pulls
  };
  [[nodiscard]] Result<Opened> open(Listing listing, std::optional<std::chrono::seconds> idle, const Caller& caller);
  // The listing, to read a batch of it; then it has to be put back, or the context closed.
  // kNotFound: there is no such context of this caller, or it has expired. kInUse: somebody reads it.
  [[nodiscard]] Result<Listing> take(const std::string& context, const Caller& caller);
  // A context that was closed meanwhile stays closed. It does not expire while it is read.
  void put_back(const std::string& context, Listing listing);
  [[nodiscard]] Result<void> close(const std::string& context, const Caller& caller);

 private:
  struct Context {
    std::string caller;
    std::chrono::seconds idle{};
    SteadyTime used;
    std::size_t bytes = 0;           // of the listing, also while it is read
    std::optional<Listing> listing;  // nothing while it is read
  };
  using Contexts = std::map<std::string, Context>;

  void forget_expired();
  [[nodiscard]] Result<void> make_room(std::size_t bytes, const Caller& caller);
  [[nodiscard]] Result<void> check_bytes(std::size_t more, std::size_t most, std::string_view whose,
                                         const std::function<bool(const Context&)>& counts) const;
  [[nodiscard]] Result<Contexts::iterator> find(const std::string& context, const Caller& caller);

  const Clock& clock_;
  const EnumerationLimits limits_;
  mutable std::mutex mutex_;
  Contexts contexts_;
};

}  // namespace cohort::provider
