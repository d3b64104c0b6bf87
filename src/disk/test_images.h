// Small images for tests, made by the real qemu-img and qemu-io.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "base/process.h"
#include "base/temporary_folder.h"

namespace cohort::disk {

// Runs a program that must succeed; its standard output.
inline std::string run(const std::vector<std::string>& argv) {
  auto output = run_process(argv);
  if (!output || output->exit_status != 0) {
    ADD_FAILURE() << argv[0] << " " << argv[1] << ": " << (output ? output->err : output.error().describe());
    return {};
  }
  return output->out;
}

inline void qemu_img(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "qemu-img");
  run(arguments);
}

// Runs qemu-io commands such as "write -P 7 0 1M". The name must not be odd.
inline void qemu_io(const Path& image, const std::string& format, const std::vector<std::string>& commands) {
  std::vector<std::string> argv{"qemu-io", "-t", "unsafe", "-f", format};
  for (const auto& command : commands) argv.insert(argv.end(), {"-c", command});
  argv.push_back(image.native());
  const std::string out = run(argv);
  EXPECT_EQ(out.find("failed"), std::string::npos) << out;
}

// A qcow2 image with a pattern of data, zero clusters and holes.
inline Path make_qcow2(const Path& path, const std::string& size = "8M") {
  qemu_img({"create", "-q", "-f", "qcow2", path, size});
  qemu_io(path, "qcow2", {"write -P 1 0 1M", "write -P 2 3M 300k", "write -z 5M 1M", "write -P 3 7M 64k"});
  return path;
}

inline bool are_identical(const Path& a, const std::string& a_format, const Path& b, const std::string& b_format) {
  const auto output = run_process({"qemu-img", "compare", "-f", a_format, "-F", b_format, a, b});
  return output && output->exit_status == 0;
}

// Without a fault, without clusters that nobody uses.
inline void expect_sound(const Path& qcow2) { qemu_img({"check", "-q", "-f", "qcow2", qcow2}); }

inline std::string sha256sum(const Path& path) { return run({"sha256sum", "--", path}).substr(0, 64); }

inline std::string content_of(const Path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

inline void write_content(const Path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

}  // namespace cohort::disk
