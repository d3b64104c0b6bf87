// Runs the program in the test's process, over a FakeSession.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "cli/output/json.h"
#include "cli/run.h"
#include "cli/testing/fake_session.h"

namespace cohort::cli {

// Stands still unless it is moved.
class FakeClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override { return WallTime{}; }
  [[nodiscard]] SteadyTime steady() const override { return now; }
  SteadyTime now;
};

class Program {
 public:
  // The exit status.
  int run(const std::vector<std::string>& arguments);
  [[nodiscard]] std::string out() const { return out_.str(); }
  [[nodiscard]] std::string err() const { return err_.str(); }
  // What it printed, read again; null if it is not one JSON document.
  [[nodiscard]] Json json() const;

  SessionRecord session;
  Cancellation cancellation;
  FakeClock clock;
  client::SessionOptions opened_with;
  int opened = 0;

 private:
  std::ostringstream out_;
  std::ostringstream err_;
};

}  // namespace cohort::cli
