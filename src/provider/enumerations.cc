#include "provider/enumerations.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/id.h"

namespace cohort::provider {

Enumerations::Enumerations(const Clock& clock, EnumerationLimits limits) : clock_(clock), limits_(limits) {}

void Enumerations::forget_expired() {
  const SteadyTime now = clock_.steady();
  std::erase_if(contexts_, [&](const auto& each) { return now - each.second.used > each.second.idle; });
}

Result<void> Enumerations::make_room(std::size_t bytes, const Caller& caller) {
  forget_expired();
  const auto own =
      std::ranges::count_if(contexts_, [&](const auto& each) { return each.second.caller == caller.name; });
  if (static_cast<std::size_t>(own) >= limits_.contexts_of_one_caller) {
    return fail(ErrorCode::kInUse, "{} has {} enumerations open; close some of them.", caller.name, own);
  }
  const auto held = std::accumulate(contexts_.begin(), contexts_.end(), std::size_t{0},
                                    [](std::size_t sum, const auto& each) { return sum + each.second.bytes; });
  if (held + bytes > limits_.bytes) {
    return fail(ErrorCode::kInUse,
                "The enumerations that are open take {} KiB, and this one would take {} more than there is room for: "
                "pull them to their end, close them, or ask for fewer objects.",
                held >> 10U, (held + bytes - limits_.bytes + 1023) >> 10U);
  }
  if (contexts_.size() < limits_.contexts) return {};
  contexts_.erase(std::ranges::min_element(contexts_, {}, [](const auto& each) { return each.second.used; }));
  return {};
}

Result<Enumerations::Opened> Enumerations::open(Listing listing, std::optional<std::chrono::seconds> idle,
                                                const Caller& caller) {
  const std::scoped_lock lock(mutex_);
  const std::size_t bytes = listing.bytes();
  COHORT_TRY(make_room(bytes, caller));
  const bool is_for_ever = idle && *idle == std::chrono::seconds(0);
  const auto kept = is_for_ever ? limits_.longest_idle : std::min(idle.value_or(limits_.idle), limits_.longest_idle);
  const std::string context = "uuid:" + Uuid::generate().str();
  contexts_.emplace(context, Context{caller.name, kept, clock_.steady(), bytes, std::move(listing)});
  return Opened{context, kept};
}

Result<Enumerations::Contexts::iterator> Enumerations::find(const std::string& context, const Caller& caller) {
  forget_expired();
  const auto found = contexts_.find(context);
  if (found == contexts_.end() || found->second.caller != caller.name) {
    return fail(ErrorCode::kNotFound, "There is no enumeration \"{}\"; it may have ended or expired.", context);
  }
  return found;
}

Result<Listing> Enumerations::take(const std::string& context, const Caller& caller) {
  const std::scoped_lock lock(mutex_);
  COHORT_ASSIGN(const auto found, find(context, caller));
  if (!found->second.listing) {
    return fail(ErrorCode::kInUse, "The enumeration \"{}\" is being pulled: wait for that answer.", context);
  }
  found->second.used = clock_.steady();
  return *std::exchange(found->second.listing, std::nullopt);
}

void Enumerations::put_back(const std::string& context, Listing listing) {
  const std::scoped_lock lock(mutex_);
  const auto found = contexts_.find(context);
  if (found == contexts_.end()) return;
  found->second.used = clock_.steady();
  found->second.listing = std::move(listing);
}

Result<void> Enumerations::close(const std::string& context, const Caller& caller) {
  const std::scoped_lock lock(mutex_);
  COHORT_ASSIGN(const auto found, find(context, caller));
  contexts_.erase(found);
  return {};
}

}  // namespace cohort::provider
