#include "hypervisor/driver_kind.h"

#include <cstdlib>

namespace cohort::hypervisor {
namespace {

// The host in "driver+transport://[user@]host[:port]/path"; empty for this one.
std::string_view host_in(std::string_view uri) {
  const std::size_t scheme = uri.find("://");
  if (scheme == std::string_view::npos) return {};
  const std::string_view rest = uri.substr(scheme + 3);
  return rest.substr(0, rest.find('/'));
}

Path home() {
  const char* path = std::getenv("HOME");
  return path == nullptr ? "/" : path;
}

// A folder of the XDG Base Directory Specification.
Path xdg_folder(const char* variable, const char* below_home) {
  const char* path = std::getenv(variable);
  return path != nullptr && *path == '/' ? Path(path) : home() / below_home;
}

}  // namespace

DriverKind driver_kind(std::string_view name, std::string_view uri) {
  const std::string_view host = host_in(uri);
  const std::string_view path = uri.substr(0, uri.find('?'));
  return {std::string(name), host.empty() || host == "localhost", path.ends_with("/session")};
}

Path tpm_storage(const DriverKind& kind) {
  if (kind.is_session) return xdg_folder("XDG_CONFIG_HOME", ".config") / "libvirt/qemu/swtpm";
  return "/var/lib/libvirt/swtpm";
}

Path disk_storage(const DriverKind& kind) {
  if (kind.is_session) return xdg_folder("XDG_DATA_HOME", ".local/share") / "libvirt/images";
  return "/var/lib/libvirt/images";
}

Path process_id_folder(const DriverKind& kind) {
  if (kind.is_session) return xdg_folder("XDG_RUNTIME_DIR", ".cache") / "libvirt/qemu/run";
  return "/run/libvirt/qemu";
}

}  // namespace cohort::hypervisor
