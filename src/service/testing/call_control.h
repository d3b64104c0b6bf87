// Stands between the operations and the fakes of their ports: records every call, makes chosen ones fail, lets a test
// act in the middle of an operation, and plays the death of the process.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace cohort::service {

// Calls are named by the function and what it works on: "suspend web", "add_undo_step". Where a call is chosen by name,
// the beginning of it is enough. Numbers count from 1, from the last clear().
//
// Threads: safe to call from several at once.
class CallControl {
 public:
  // The effect of a call of a port, unless it is to fail.
  template <typename Effect>
  auto call(const std::string& name, const Effect& effect) -> decltype(effect()) {
    COHORT_ASSIGN(const std::size_t number, enter(name));
    auto outcome = effect();
    COHORT_TRY(leave(number));
    return outcome;
  }

  // The next such call fails, or all of them do; nothing is changed by it.
  void fail_next(const std::string& name, ErrorCode code);
  void fail_always(const std::string& name, ErrorCode code);
  // The call of this number fails; with `has_effect` it has done its work, and only the answer is lost.
  void fail_at(std::size_t number, bool has_effect);
  // The process dies when the effect of this call has come about: all later calls fail and change nothing.
  void die_at(std::size_t number);
  void die();
  // Called once, before the next such call.
  void before(const std::string& name, std::function<void()> action);

  // From now on all works again; what was recorded is forgotten.
  void clear();

  [[nodiscard]] std::vector<std::string> calls() const;
  // The position of the first such call; nothing if there was none.
  [[nodiscard]] std::optional<std::size_t> first(const std::string& name) const;
  [[nodiscard]] std::optional<std::size_t> last(const std::string& name) const;
  [[nodiscard]] std::size_t count(const std::string& name) const;
  [[nodiscard]] bool is_dead() const;

 private:
  struct Injected {
    std::string name;
    ErrorCode code;
    int left;  // below 0: for good
  };

  [[nodiscard]] Result<std::size_t> enter(const std::string& name);
  [[nodiscard]] Result<void> leave(std::size_t number);
  [[nodiscard]] std::function<void()> take_action(const std::string& name);
  [[nodiscard]] Result<void> injected(const std::string& name);

  mutable std::mutex mutex_;
  std::vector<std::string> calls_;
  std::vector<Injected> failures_;
  std::vector<std::pair<std::string, std::function<void()>>> actions_;
  std::size_t fail_before_ = 0;
  std::size_t fail_after_ = 0;
  std::size_t die_at_ = 0;
  bool is_dead_ = false;
};

}  // namespace cohort::service
