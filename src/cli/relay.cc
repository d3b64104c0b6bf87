#include "cli/relay.h"

#include <fcntl.h>

#include <ostream>
#include <utility>

#include "base/unique_fd.h"
#include "cli/exit_code.h"
#include "cli/output/report.h"

namespace cohort::cli {
namespace {

constexpr int kInterrupted = 130;  // as shells have it for SIGINT

}  // namespace

std::optional<int> Relay::carry_out(const client::SessionOptions& options, const std::vector<std::string>& arguments,
                                    const Console& console) {
  auto channel = client::RelayChannel::connect(client::state_folder(options));
  if (!channel) return std::nullopt;
  const UniqueFd folder(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  const client::RelayedCommand command{arguments, console.err_is_terminal, console.width};
  // A daemon that ends at this moment has heard of nothing.
  if (!channel->send(client::FrameKind::kCommand, client::to_content(command), folder.get())) return std::nullopt;
  {
    const std::scoped_lock lock(mutex_);
    channel_ = std::move(channel);
  }
  const int status = follow(*channel_, console);
  const std::scoped_lock lock(mutex_);
  channel_.reset();
  return status;
}

int Relay::follow(const client::RelayChannel& channel, const Console& console) {
  while (true) {
    const auto frame = channel.receive();
    if (!frame || !*frame) break;
    const std::string& content = (*frame)->content;
    if ((*frame)->kind == client::FrameKind::kOut) console.out << content << std::flush;
    if ((*frame)->kind == client::FrameKind::kErr) console.err << content << std::flush;
    if ((*frame)->kind == client::FrameKind::kUnheard) return kInterrupted;
    if ((*frame)->kind == client::FrameKind::kStatus && content.size() == 1) {
      return static_cast<unsigned char>(content.front());
    }
  }
  console.err << report_error(make_error(ErrorCode::kIo,
                                         "The service has ended before it had carried out the command. What was begun "
                                         "is taken back when it is started again, or by the next command."),
                              Detail::kUsual);
  return exit_code(ErrorCode::kIo);
}

bool Relay::interrupt() {
  const std::scoped_lock lock(mutex_);
  return channel_ && channel_->send(client::FrameKind::kInterrupt, {}).has_value();
}

}  // namespace cohort::cli
