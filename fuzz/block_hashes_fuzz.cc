// Whatever the bytes are: a list of block hashes is read to an end or refused, and its blocks are in order and on the
// disk.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/sha256.h"
#include "disk/block_hashes.h"
#include "disk/block_map.h"

namespace {

constexpr std::uint64_t kDiskSize = 16 * cohort::disk::kBlockBytes;

void read_all(cohort::disk::BlockHashReader& reader) {
  std::uint64_t lowest = 0;
  while (true) {
    const auto block = reader.next();
    if (!block || !*block) return;
    const bool is_right = (*block)->offset >= lowest && (*block)->offset < kDiskSize && (*block)->sha256.size() == 64;
    if (!is_right || (*block)->offset % cohort::disk::kBlockBytes != 0) std::abort();
    lowest = (*block)->offset + cohort::disk::kBlockBytes;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const cohort::UniqueFd fd(::memfd_create("list", MFD_CLOEXEC));
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  if (!fd.is_open() || ::write(fd.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) return 0;
  auto reader = cohort::disk::BlockHashReader::open(
      {"/proc/self/fd/" + std::to_string(fd.get()), cohort::Sha256::of(bytes)}, kDiskSize);
  if (reader) read_all(*reader);
  return 0;
}
