// The Unix socket on which a daemon carries out command lines for the command: frames, and the folder that goes along.
//
// A frame is one byte (its kind), its length in four (little endian), and its content. The command sends one kCommand,
// with a descriptor of its working folder, and kInterrupt as often as its user wants it to stop. It is answered with
// kOut and kErr, which are to be written as they are, and one kStatus (one byte), the last; with kUnheard where there
// was no job that could stop: then the command may simply end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace cohort::client {

enum class FrameKind : char { kCommand = 'c', kInterrupt = 'i', kOut = 'o', kErr = 'e', kStatus = 's', kUnheard = 'u' };

struct Frame {
  FrameKind kind = FrameKind::kCommand;
  std::string content;
};

struct RelayedCommand {
  std::vector<std::string> arguments;  // without the program's name
  bool err_is_terminal = false;
  std::size_t width = 80;
};
[[nodiscard]] std::string to_content(const RelayedCommand& command);
// kInvalidArgument if it is none.
[[nodiscard]] Result<RelayedCommand> parse_command(std::string_view content);

// One end of a connection.
// Threads: one may send while another receives.
class RelayChannel {
 public:
  static constexpr std::size_t kLongestFrame = std::size_t{1} << 20U;

  explicit RelayChannel(UniqueFd socket) : socket_(std::move(socket)) {}
  // To the daemon that has the state in this folder; nothing if there is none.
  [[nodiscard]] static std::optional<RelayChannel> connect(const Path& state_folder);
  // Waits for connections in the state's folder. REQUIRES: this process holds the state's lock, so that a socket that
  // is there belongs to nobody.
  [[nodiscard]] static Result<UniqueFd> listen(const Path& state_folder);

  [[nodiscard]] int descriptor() const { return socket_.get(); }
  // kIo when the other end is gone. A descriptor may go along with a frame.
  [[nodiscard]] Result<void> send(FrameKind kind, std::string_view content, int descriptor = -1) const;
  // Nothing at the end. kIo, kInvalidArgument (too long). A descriptor that came along is in `descriptor`.
  [[nodiscard]] Result<std::optional<Frame>> receive(UniqueFd* descriptor = nullptr) const;

 private:
  UniqueFd socket_;
};

}  // namespace cohort::client
