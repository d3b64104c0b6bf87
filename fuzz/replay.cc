// Stands for libFuzzer in builds without it: gives a fuzzer each file of a folder.
//
//   cohort_corpus_NAME_test FOLDER
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::vector<char> bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  in.exceptions(std::ios::badbit | std::ios::failbit);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::size_t replay(const std::filesystem::path& folder) {
  std::size_t files = 0;
  for (const auto& each : std::filesystem::directory_iterator(folder)) {
    const auto bytes = bytes_of(each.path());
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    ++files;
  }
  return files;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) return 2;
  const auto files = replay(argv[1]);
  std::printf("%zu files of %s\n", files, argv[1]);
  return files > 0 ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
