#include "disk/qemu_nbd.h"

#include <string>
#include <utility>
#include <vector>

#include "base/process.h"
#include "disk/qemu_img.h"

namespace cohort::disk {
QemuNbd::QemuNbd(const std::stop_token& stop) : forward_(stop, Forward{stop_}) {}

Result<std::unique_ptr<QemuNbd>> QemuNbd::start(const Chain& chain, std::size_t connections,
                                                const std::stop_token& stop) {
  std::unique_ptr<QemuNbd> server(new QemuNbd(stop));
  COHORT_ASSIGN(SocketFolder folder, SocketFolder::make(SocketFolder::usual_place()));
  server->folder_.emplace(std::move(folder));
  server->socket_ = server->folder_->socket();
  std::vector<std::string> argv{"qemu-nbd",
                                "--read-only",
                                fmt::format("--shared={}", connections),
                                "--socket=" + server->socket_.native(),
                                "--image-opts",
                                image_options(chain)};
  std::string what = fmt::format("Reading \"{}\" through QEMU", chain.layers.front().path.string());
  server->thread_ = std::jthread(
      [object = server.get(), argv = std::move(argv), what = std::move(what)] { object->run(argv, what); });
  return server;
}

QemuNbd::~QemuNbd() { stop_.request_stop(); }

std::optional<Error> QemuNbd::ended() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

// The top of its thread.
void QemuNbd::run(const std::vector<std::string>& argv, const std::string& what) {
  const auto output = run_process(argv, stop_.get_token());
  Error error = output ? qemu_img_error(output->err, what) : output.error();
  const std::lock_guard lock(mutex_);
  error_ = std::move(error);
}

}  // namespace cohort::disk
