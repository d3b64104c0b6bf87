#include "disk/shares_storage.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <algorithm>

#include "base/unique_fd.h"
#include "disk/chain.h"
#include "disk/clonable.h"

namespace cohort::disk {
namespace {

// What QEMU has to read, or is in a file beside the image, is copied.
bool is_read_here(const ChainLayer& layer) {
  return layer.format == "raw" || (layer.format == "qcow2" && layer.header && !layer.header->has_data_file);
}

bool can_share(const ChainLayer& layer, const Path& folder) {
  if (!is_read_here(layer)) return false;
  const auto source = open_readonly(layer.path);
  const UniqueFd target(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!source || !target.is_open()) return false;
  file_clone_range range{source->get(), 0, kCloneBytes, 0};
  return ::ioctl(target.get(), FICLONERANGE, &range) == 0;
}

}  // namespace

bool shares_storage(const Path& source, const std::string& source_format, const Path& folder) {
  const auto chain = read_chain(source, source_format);
  if (!chain || chain->goes_on) return false;
  return std::ranges::all_of(chain->layers, [&](const ChainLayer& layer) { return can_share(layer, folder); });
}

}  // namespace cohort::disk
