#include "provider/enumerations.h"

#include <algorithm>
#include <iterator>

#include "base/id.h"

namespace cohort::provider {

Enumerations::Enumerations(const Clock& clock, EnumerationLimits limits) : clock_(clock), limits_(limits) {}

void Enumerations::forget_expired() {
  const SteadyTime now = clock_.steady();
  std::erase_if(contexts_, [&](const auto& each) { return now - each.second.used > each.second.idle; });
}

Result<void> Enumerations::make_room(const Caller& caller) {
  forget_expired();
  const auto own =
      std::ranges::count_if(contexts_, [&](const auto& each) { return each.second.caller == caller.name; });
  if (static_cast<std::size_t>(own) >= limits_.contexts_of_one_caller) {
    return fail(ErrorCode::kInUse, "{} has {} enumerations open; close some of them.", caller.name, own);
  }
  if (contexts_.size() < limits_.contexts) return {};
  contexts_.erase(std::ranges::min_element(contexts_, {}, [](const auto& each) { return each.second.used; }));
  return {};
}

Enumerations::Contexts::iterator Enumerations::keep(Context context) {
  context.used = clock_.steady();
  return contexts_.emplace("uuid:" + Uuid::generate().str(), std::move(context)).first;
}

cim::Objects Enumerations::take(Contexts::iterator from, std::uint32_t max_objects) {
  Context& context = from->second;
  context.used = clock_.steady();
  const auto count = std::min<std::size_t>(max_objects, context.rest.size());
  cim::Objects taken;
  taken.shape = context.shape;
  const auto end = context.rest.begin() + static_cast<std::ptrdiff_t>(count);
  taken.instances.assign(std::make_move_iterator(context.rest.begin()), std::make_move_iterator(end));
  context.rest.erase(context.rest.begin(), end);
  // With no object wanted, the client comes back to learn that there is none.
  taken.is_end_of_sequence = max_objects > 0 && context.rest.empty();
  if (taken.is_end_of_sequence) {
    contexts_.erase(from);
  } else {
    taken.context = from->first;
  }
  return taken;
}

Result<cim::Objects> Enumerations::open(cim::Objects all, std::uint32_t max_objects,
                                        std::optional<std::chrono::seconds> idle, const Caller& caller) {
  const std::scoped_lock lock(mutex_);
  COHORT_TRY(make_room(caller));
  const bool is_for_ever = idle && *idle == std::chrono::seconds(0);
  Context context{caller.name, all.shape, {}, std::min(idle.value_or(limits_.idle), limits_.longest_idle), {}};
  if (is_for_ever) context.idle = limits_.longest_idle;
  context.rest.assign(std::make_move_iterator(all.instances.begin()), std::make_move_iterator(all.instances.end()));
  return take(keep(std::move(context)), max_objects);
}

Result<Enumerations::Contexts::iterator> Enumerations::find(const std::string& context, const Caller& caller) {
  forget_expired();
  const auto found = contexts_.find(context);
  if (found == contexts_.end() || found->second.caller != caller.name) {
    return fail(ErrorCode::kNotFound, "There is no enumeration \"{}\"; it may have ended or expired.", context);
  }
  return found;
}

Result<cim::Objects> Enumerations::pull(const std::string& context, std::uint32_t max_objects, const Caller& caller) {
  const std::scoped_lock lock(mutex_);
  COHORT_ASSIGN(const auto found, find(context, caller));
  return take(found, max_objects);
}

Result<void> Enumerations::close(const std::string& context, const Caller& caller) {
  const std::scoped_lock lock(mutex_);
  COHORT_ASSIGN(const auto found, find(context, caller));
  contexts_.erase(found);
  return {};
}

std::string Enumerations::give_back(const cim::Objects& objects, std::vector<cim::Instance> rest,
                                    const Caller& caller) {
  const std::scoped_lock lock(mutex_);
  auto found = contexts_.find(objects.context);
  if (found == contexts_.end()) found = keep({caller.name, objects.shape, {}, limits_.idle, {}});
  auto& kept = found->second.rest;
  kept.insert(kept.begin(), std::make_move_iterator(rest.begin()), std::make_move_iterator(rest.end()));
  return found->first;
}

std::size_t Enumerations::size() const {
  const std::scoped_lock lock(mutex_);
  return contexts_.size();
}

}  // namespace cohort::provider
