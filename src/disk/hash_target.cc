#include "disk/hash_target.h"

#include <cstddef>
#include <utility>

#include "base/parallel.h"
#include "base/sha256.h"

namespace cohort::disk {

// Hashing takes the processor, syncing the disk: at the same time.
Result<std::string> hash_and_sync(const AppendFile& file, const std::stop_token& stop,
                                  const std::function<void(std::uint64_t)>& on_read) {
  auto outcomes = run_in_parallel(2, [&](std::size_t which) -> Result<std::string> {
    if (which == 0) return sha256_of_file(file.path(), stop, on_read);
    return file.sync().map([] { return std::string(); });
  });
  if (!outcomes[1]) return std::move(outcomes[1]);
  return std::move(outcomes[0]);
}

}  // namespace cohort::disk
