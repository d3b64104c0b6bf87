// The same work for several things at once.
#pragma once

#include <cstddef>
#include <thread>
#include <utility>
#include <vector>

namespace cohort {

// Calls work(0) … work(count - 1), each on a thread of its own, and returns the results in that order when all have
// returned. For a handful of blocking calls, one for each member. `work` must not throw.
template <typename Work>
[[nodiscard]] auto run_in_parallel(std::size_t count, const Work& work) {
  using Outcome = decltype(work(std::size_t{0}));
  std::vector<Outcome> outcomes(count);
  {
    std::vector<std::jthread> threads;
    threads.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      threads.emplace_back([&outcomes, &work, i] { outcomes[i] = work(i); });
    }
  }
  return outcomes;
}

}  // namespace cohort
