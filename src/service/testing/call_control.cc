#include "service/testing/call_control.h"

#include <algorithm>
#include <iterator>

namespace cohort::service {
namespace {

// They would be tried for many seconds with a machine that cannot be resumed or thawed, but not with one that is gone.
bool is_tried_stubbornly(const std::string& call) { return call.starts_with("resume") || call.starts_with("thaw"); }

}  // namespace

void CallControl::fail_next(const std::string& name, ErrorCode code) {
  const std::lock_guard lock(mutex_);
  failures_.push_back({name, code, 1});
}

void CallControl::fail_always(const std::string& name, ErrorCode code) {
  const std::lock_guard lock(mutex_);
  failures_.push_back({name, code, -1});
}

void CallControl::before(const std::string& name, std::function<void()> action) {
  const std::lock_guard lock(mutex_);
  actions_.emplace_back(name, std::move(action));
}

void CallControl::fail_at(std::size_t number, bool has_effect) {
  const std::lock_guard lock(mutex_);
  (has_effect ? fail_after_ : fail_before_) = number;
}

void CallControl::die_at(std::size_t number) {
  const std::lock_guard lock(mutex_);
  die_at_ = number;
}

void CallControl::die() {
  const std::lock_guard lock(mutex_);
  is_dead_ = true;
}

void CallControl::clear() {
  const std::lock_guard lock(mutex_);
  calls_.clear();
  failures_.clear();
  actions_.clear();
  fail_before_ = fail_after_ = die_at_ = 0;
  is_dead_ = false;
}

std::vector<std::string> CallControl::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

std::optional<std::size_t> CallControl::first(const std::string& name) const {
  const auto all = calls();
  const auto found = std::ranges::find_if(all, [&](const std::string& call) { return call.starts_with(name); });
  if (found == all.end()) return std::nullopt;
  return static_cast<std::size_t>(std::distance(all.begin(), found));
}

std::optional<std::size_t> CallControl::last(const std::string& name) const {
  const auto all = calls();
  for (std::size_t i = all.size(); i > 0; --i) {
    if (all[i - 1].starts_with(name)) return i - 1;
  }
  return std::nullopt;
}

std::size_t CallControl::count(const std::string& name) const {
  const auto all = calls();
  return static_cast<std::size_t>(
      std::ranges::count_if(all, [&](const std::string& call) { return call.starts_with(name); }));
}

bool CallControl::is_dead() const {
  const std::lock_guard lock(mutex_);
  return is_dead_;
}

Result<std::size_t> CallControl::enter(const std::string& name) {
  if (const auto action = take_action(name)) action();
  const std::lock_guard lock(mutex_);
  if (is_dead_) {
    return fail(is_tried_stubbornly(name) ? ErrorCode::kNotFound : ErrorCode::kInternal, "The process is dead.");
  }
  calls_.push_back(name);
  const std::size_t number = calls_.size();
  COHORT_TRY(injected(name));
  if (number == fail_before_) return fail(ErrorCode::kIo, "Injected: {} (call {}) failed.", name, number);
  return number;
}

Result<void> CallControl::leave(std::size_t number) {
  const std::lock_guard lock(mutex_);
  if (number == die_at_) is_dead_ = true;
  if (is_dead_) return fail(ErrorCode::kInternal, "The process is dead.");
  if (number == fail_after_) return fail(ErrorCode::kIo, "Injected: the answer of call {} was lost.", number);
  return {};
}

std::function<void()> CallControl::take_action(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find_if(actions_, [&](const auto& action) { return name.starts_with(action.first); });
  if (found == actions_.end()) return {};
  auto action = std::move(found->second);
  actions_.erase(found);
  return action;
}

Result<void> CallControl::injected(const std::string& name) {
  const auto found = std::ranges::find_if(failures_, [&](const Injected& f) { return name.starts_with(f.name); });
  if (found == failures_.end()) return {};
  const ErrorCode code = found->code;
  if (found->left > 0 && --found->left == 0) failures_.erase(found);
  return fail(code, "Injected: {} failed.", name);
}

}  // namespace cohort::service
