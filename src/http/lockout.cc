#include "http/lockout.h"

#include <algorithm>

namespace cohort::http {

bool Lockout::is_locked(const std::string& who) const {
  const std::lock_guard lock(mutex_);
  const auto found = failures_.find(who);
  return found != failures_.end() && found->second.count >= limits_.failures &&
         clock_.steady() - found->second.last < limits_.duration;
}

void Lockout::failed(const std::string& who) {
  const std::lock_guard lock(mutex_);
  if (failures_.size() >= limits_.remembered && !failures_.contains(who)) forget_oldest();
  Failures& failures = failures_[who];
  const SteadyTime now = clock_.steady();
  if (now - failures.last >= limits_.duration) failures.count = 0;
  ++failures.count;
  failures.last = now;
}

void Lockout::succeeded(const std::string& who) {
  const std::lock_guard lock(mutex_);
  failures_.erase(who);
}

void Lockout::forget_oldest() {
  failures_.erase(std::ranges::min_element(failures_, {}, [](const auto& each) { return each.second.last; }));
}

}  // namespace cohort::http
