#include "provider/enumerations.h"

#include <algorithm>
#include <utility>

#include "base/id.h"

namespace cohort::provider {

namespace {

// One caller may not have more than this part of what all may have.
constexpr std::size_t kLargestShare = 4;

}  // namespace

Enumerations::Enumerations(const Clock& clock, EnumerationLimits limits) : clock_(clock), limits_(limits) {}

void Enumerations::forget_expired() {
  const SteadyTime now = clock_.steady();
  std::erase_if(contexts_,
                [&](const auto& each) { return each.second.listing && now - each.second.used > each.second.idle; });
}

Result<void> Enumerations::check_bytes(std::size_t more, std::size_t most, std::string_view whose,
                                       const std::function<bool(const Context&)>& counts) const {
  std::size_t held = 0;
  for (const auto& [name, each] : contexts_) held += counts(each) ? each.bytes : 0;
  if (held + more <= most) return {};
  return fail(ErrorCode::kInUse,
              "{} take {} KiB, and this one would take {} more than there is room for: pull them to their end, close "
              "them, or ask for fewer objects.",
              whose, held >> 10U, (held + more - most + 1023) >> 10U);
}

Result<void> Enumerations::make_room(std::size_t bytes, const Caller& caller) {
  forget_expired();
  const auto own =
      std::ranges::count_if(contexts_, [&](const auto& each) { return each.second.caller == caller.name; });
  if (static_cast<std::size_t>(own) >= limits_.contexts_of_one_caller) {
    return fail(ErrorCode::kInUse, "{} has {} enumerations open; close some of them.", caller.name, own);
  }
  COHORT_TRY(check_bytes(bytes, limits_.bytes, "The enumerations that are open", [](const Context&) { return true; }));
  const std::string whose = fmt::format("The enumerations of {}", caller.name);
  COHORT_TRY(check_bytes(bytes, limits_.bytes / kLargestShare, whose,
                         [&](const Context& each) { return each.caller == caller.name; }));
  if (contexts_.size() < limits_.contexts) return {};
  const auto last_use = [](const auto& each) { return each.second.listing ? each.second.used : SteadyTime::max(); };
  contexts_.erase(std::ranges::min_element(contexts_, {}, last_use));
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
