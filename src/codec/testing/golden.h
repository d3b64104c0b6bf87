// Requests as they come over the wire, kept beside the replies that they get: tests/golden/<folder>/NAME.request.xml
// and NAME.reply.xml.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <string_view>

namespace cohort::codec {

[[nodiscard]] inline std::string content(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

[[nodiscard]] inline std::filesystem::path golden(std::string_view folder, const std::string& file) {
  return std::filesystem::path(COHORT_GOLDEN_FOLDER) / folder / file;
}

[[nodiscard]] inline std::string golden_request(std::string_view folder, std::string_view name) {
  return content(golden(folder, std::string(name) + ".request.xml"));
}

// Compares the reply to each request of the folder with the one that is kept; there have to be so many at least.
// With COHORT_ACCEPT in the environment the replies are written anew, to be read in review.
inline void expect_golden_replies(std::string_view folder, std::size_t least,
                                  const std::function<std::string(const std::string& name)>& reply_to) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(golden(folder, ""))) {
    const std::string file = entry.path().filename().string();
    const std::size_t end = file.find(".request.xml");
    if (end == std::string::npos) continue;
    ++count;
    const std::string name = file.substr(0, end);
    const std::string text = reply_to(name);
    const std::filesystem::path expected = golden(folder, name + ".reply.xml");
    if (std::getenv("COHORT_ACCEPT") != nullptr) std::ofstream(expected) << text;
    EXPECT_EQ(text, content(expected)) << name;
  }
  EXPECT_GE(count, least);
}

}  // namespace cohort::codec
