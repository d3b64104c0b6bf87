// A program that has an image open for writing, for tests.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include "base/file.h"

namespace cohort::disk {

// qemu-io holds the image open for writing, as a running machine does, until its input ends.
class OpenImage {
 public:
  OpenImage(const Path& image, const std::string& format)
      : pipe_(::popen(("qemu-io -f " + format + " '" + image.native() + "' >/dev/null 2>&1").c_str(), "w")) {
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
  }
  OpenImage(const OpenImage&) = delete;
  OpenImage& operator=(const OpenImage&) = delete;
  ~OpenImage() { ::pclose(pipe_); }

 private:
  FILE* pipe_;
};

}  // namespace cohort::disk
