// The time in which the machines of a try run.
#pragma once

#include <memory>

#include "service/try_package.h"

namespace cohort::service {

class TryWatch {
 public:
  // All must outlive this object. The machines are those of the report; what is seen of them is written there.
  TryWatch(const TryRequest& request, TryReport& report, EndWatch& ends, Hypervisor& hypervisor, const Clock& clock,
           JobContext& job)
      : request_(request),
        report_(report),
        ends_(ends),
        hypervisor_(hypervisor),
        clock_(clock),
        job_(job),
        began_(clock.steady()) {}

  // From now until the try is over: see TryPackage::run.
  [[nodiscard]] Result<void> run();

 private:
  [[nodiscard]] Result<void> wait_for_agents();
  [[nodiscard]] Result<void> ask_agents();
  [[nodiscard]] Result<void> run_on();
  // Notes which machines have ended.
  [[nodiscard]] Result<void> look();
  [[nodiscard]] Result<void> check_none_ended() const;
  [[nodiscard]] bool all_ended() const;
  [[nodiscard]] bool waits_for_agents() const;
  // False if a stop was requested meanwhile.
  [[nodiscard]] bool pause() const;
  [[nodiscard]] Milliseconds passed_since(SteadyTime begin) const;
  [[nodiscard]] Error agent_timeout() const;

  const TryRequest& request_;
  TryReport& report_;
  EndWatch& ends_;
  Hypervisor& hypervisor_;
  const Clock& clock_;
  JobContext& job_;
  SteadyTime began_;
};

// "shut itself down", "crashed", "stopped for an unknown reason".
[[nodiscard]] std::string_view words_for(MachineEnd end);

}  // namespace cohort::service
