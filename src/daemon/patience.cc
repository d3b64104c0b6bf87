#include "daemon/patience.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <thread>
#include <utility>

namespace cohort::daemon {
namespace {

constexpr std::size_t kLargestShare = 4;

}  // namespace

// Of the thread that asks and the one that waits: hence shared.
struct Patience::Question {
  std::string caller;
  std::function<cim::Response()> ask;
  std::mutex mutex;
  std::condition_variable answered;
  std::optional<cim::Response> answer;
  std::jthread thread;

  void run() {
    cim::Response found = cim::OperationFailed{cim::Status::kFailed, "This is a defect of the server.", {}};
    try {
      found = ask();
    } catch (const std::exception& error) {
      std::get<cim::OperationFailed>(found).description += std::string(" (") + error.what() + ")";
    } catch (...) {  // NOLINT(bugprone-empty-catch): that is the answer
    }
    const std::scoped_lock lock(mutex);
    answer = std::move(found);
    answered.notify_all();
  }

  [[nodiscard]] bool is_answered() {
    const std::scoped_lock lock(mutex);
    return answer.has_value();
  }
};

Patience::~Patience() = default;

void Patience::forget_answered() {
  std::erase_if(late_, [](const auto& each) { return each->is_answered(); });
}

std::size_t Patience::late() {
  const std::scoped_lock lock(mutex_);
  forget_answered();
  return late_.size();
}

const char* Patience::reason_to_refuse(const std::string& caller) {
  const std::scoped_lock lock(mutex_);
  forget_answered();
  if (late_.size() >= most_late_) {
    return "Too many earlier questions have not been answered yet: the hypervisor may hang.";
  }
  const auto own =
      static_cast<std::size_t>(std::ranges::count_if(late_, [&](const auto& each) { return each->caller == caller; }));
  if (own < std::max<std::size_t>(most_late_ / kLargestShare, 1)) return nullptr;
  return "Too many of your earlier questions, which you did not wait for, have not been answered yet: wait longer for "
         "each (OperationTimeout).";
}

std::optional<cim::Response> Patience::answer(const std::string& caller, std::chrono::microseconds limit,
                                              std::function<cim::Response()> ask) {
  if (const char* const reason = reason_to_refuse(caller)) {
    return cim::OperationFailed{cim::Status::kServerLimitsExceeded, reason, {}};
  }
  const auto question = std::make_shared<Question>();
  question->caller = caller;
  question->ask = std::move(ask);
  question->thread = std::jthread([&asked = *question] { asked.run(); });
  {
    std::unique_lock lock(question->mutex);
    if (question->answered.wait_for(lock, limit, [&] { return question->answer.has_value(); })) {
      return std::exchange(question->answer, cim::Response(cim::Done{}));
    }
  }
  const std::scoped_lock lock(mutex_);
  late_.push_back(question);
  return std::nullopt;
}

}  // namespace cohort::daemon
