// QEMU as a reader of disks that are not read here.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "base/file.h"
#include "base/result.h"
#include "disk/chain.h"
#include "disk/socket_folder.h"

namespace cohort::disk {

// A qemu-nbd that shows one chain, read-only, on a socket in a folder that only this user can enter. It does not
// refuse an image to which others write. It ends with this object, with the last of its connections, when `stop` is
// requested, and with this process, also if that is killed.
class QemuNbd {
 public:
  // Returns at once: the socket is there some time later, or ended() says why not.
  [[nodiscard]] static Result<std::unique_ptr<QemuNbd>> start(const Chain& chain, std::size_t connections,
                                                              const std::stop_token& stop);
  ~QemuNbd();
  QemuNbd(const QemuNbd&) = delete;
  QemuNbd& operator=(const QemuNbd&) = delete;

  [[nodiscard]] const Path& socket() const { return socket_; }
  // Its folder is not needed any more: all connections are made.
  void remove_socket() { folder_.reset(); }
  // Why it ended, kInUse with the file's name, say; nothing while it runs.
  [[nodiscard]] std::optional<Error> ended() const;

 private:
  explicit QemuNbd(const std::stop_token& stop);
  void run(const std::vector<std::string>& argv, const std::string& what);

  std::optional<SocketFolder> folder_;
  Path socket_;
  mutable std::mutex mutex_;
  std::optional<Error> error_;
  std::stop_source stop_;
  struct Forward {
    std::stop_source& stop;
    void operator()() const { stop.request_stop(); }
  };
  std::stop_callback<Forward> forward_;
  std::jthread thread_;  // the process ends with it
};

}  // namespace cohort::disk
