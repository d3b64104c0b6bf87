// Lines of text over a stream socket.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace cohort::hypervisor {

class LineChannel {
 public:
  explicit LineChannel(UniqueFd socket) : socket_(std::move(socket)) {}

  enum class Event {
    kLine,
    kTimeout,
    kEnd,  // the other side has closed, or died
  };
  struct Heard {
    Event event = Event::kEnd;
    std::string line;  // without its newline
  };

  // Waits until `until`, or for ever.
  [[nodiscard]] Heard hear(std::optional<SteadyTime> until);
  // `text` ends with a newline. kIo if the other side is gone; no SIGPIPE is raised.
  [[nodiscard]] Result<void> say(std::string_view text) const;

 private:
  [[nodiscard]] std::optional<std::string> take_line();

  UniqueFd socket_;
  std::string buffer_;
};

}  // namespace cohort::hypervisor
