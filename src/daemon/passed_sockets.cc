#include "daemon/passed_sockets.h"

#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include <cerrno>
#include <cstdlib>
#include <string>

namespace cohort::daemon {
namespace {

void release(void* memory) { std::free(memory); }  // NOLINT(cppcoreguidelines-no-malloc): systemd's rule

// The names that came along; freed with it.
class Names {
 public:
  Names() = default;
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;
  ~Names() {
    for (char** each = names_; each != nullptr && *each != nullptr; ++each) release(*each);
    release(names_);
  }
  [[nodiscard]] char*** out() { return &names_; }
  [[nodiscard]] std::string_view at(int index) const { return names_[index]; }

 private:
  char** names_ = nullptr;
};

bool listens(int socket, int family) { return ::sd_is_socket(socket, family, SOCK_STREAM, 1) > 0; }
bool listens_at_ip(int socket) { return listens(socket, AF_INET) || listens(socket, AF_INET6); }

}  // namespace

Result<void> PassedSockets::add(std::string_view name, UniqueFd socket) {
  if (name == "command") {
    if (!listens(socket.get(), AF_UNIX)) {
      return fail(ErrorCode::kInvalidArgument, "The socket \"{}\" that was passed is no Unix socket that listens.",
                  name);
    }
    if (command.is_open()) return fail(ErrorCode::kInvalidArgument, "Two sockets \"{}\" were passed.", name);
    command = std::move(socket);
    return {};
  }
  auto* const of_kind = name == "http" ? &http : name == "https" ? &https : name == "status" ? &status : nullptr;
  if (of_kind == nullptr) {
    return fail(
        ErrorCode::kInvalidArgument,
        "A socket with the name \"{}\" was passed: FileDescriptorName= is one of http, https, status and command.",
        name);
  }
  if (!listens_at_ip(socket.get())) {
    return fail(ErrorCode::kInvalidArgument, "The socket \"{}\" that was passed is no TCP socket that listens.", name);
  }
  of_kind->push_back(std::move(socket));
  return {};
}

Result<PassedSockets> PassedSockets::take() {
  Names names;
  const int count = ::sd_listen_fds_with_names(1, names.out());
  if (count < 0) return Failure{system_error(-count, "The sockets that the service manager passed cannot be taken.")};
  PassedSockets sockets;
  for (int index = 0; index < count; ++index) {
    COHORT_TRY(sockets.add(names.at(index), UniqueFd(SD_LISTEN_FDS_START + index)));
  }
  return sockets;
}

}  // namespace cohort::daemon
