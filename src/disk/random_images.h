// Random chains of images for tests, made by the real qemu-img and qemu-io; the same seed gives the same chain.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "disk/test_images.h"

namespace cohort::disk {

class RandomNumbers {
 public:
  explicit RandomNumbers(unsigned seed) : engine_(seed) {}
  std::uint64_t between(std::uint64_t least, std::uint64_t most) { return least + engine_() % (most - least + 1); }
  bool percent(unsigned chance) { return engine_() % 100 < chance; }

 private:
  std::mt19937_64 engine_;
};

// COHORT_SEED=n repeats one case; COHORT_SOAK=1 runs many, as `./test soak` does.
inline std::vector<unsigned> random_seeds(std::size_t count, std::size_t soak_count) {
  if (const char* seed = std::getenv("COHORT_SEED")) return {static_cast<unsigned>(std::stoul(seed))};
  std::vector<unsigned> seeds(std::getenv("COHORT_SOAK") != nullptr ? soak_count : count);
  std::random_device device;
  std::ranges::generate(seeds, [&] { return device() % 1'000'000'000; });
  return seeds;
}

// Each seed is told before it is used: a crash has to tell it, too. The first that fails is the last.
template <typename Check>
void for_random_seeds(std::size_t count, std::size_t soak_count, const Check& check) {
  for (const unsigned seed : random_seeds(count, soak_count)) {
    fmt::print(stderr, "COHORT_SEED={}\n", seed);
    SCOPED_TRACE(fmt::format("COHORT_SEED={}", seed));
    check(seed);
    if (testing::Test::HasFailure()) return;
  }
}

class RandomChain {
 public:
  RandomChain(Path folder, unsigned seed) : folder_(std::move(folder)), random_(seed) {
    write_content(folder_ / "text", text());
    const std::uint64_t depth = random_.between(1, 4);
    for (std::uint64_t i = 0; i < depth && !is_spoilt_; ++i) add_layer(i == 0 && random_.percent(30));
  }

  [[nodiscard]] const Path& top() const { return top_; }
  [[nodiscard]] const std::string& format() const { return format_; }
  // QEMU 7.2 has damaged the top image itself (with data over a compressed cluster, say), and noticed.
  [[nodiscard]] bool is_spoilt() const { return is_spoilt_; }
  // It has also written so into the image; one of version 2 has no place for that.
  [[nodiscard]] bool is_marked_corrupt() const {
    constexpr std::size_t kFeatures = 79;  // the last byte of the incompatible ones
    const std::string content = content_of(top_);
    return format_ == "qcow2" && content.size() > kFeatures && content[7] == 3 && (content[kFeatures] & 2) != 0;
  }
  // What was done, for who looks for a fault.
  [[nodiscard]] const std::string& story() const { return story_; }

 private:
  struct Image {
    std::uint64_t size;  // of the disk, bytes
    std::uint64_t cluster;
    bool is_raw;
    bool is_version_2;
    bool has_data_file;
    bool has_extended_l2;
  };

  // Neither constant nor without any order: it can be packed, and no two clusters are the same.
  std::string text() {
    std::string result;
    while (result.size() < 500'000) result += fmt::format("{} line\n", random_.between(0, 99'999'999));
    return result;
  }

  void add_layer(bool is_raw) {
    Image image = choose(is_raw);
    const Path path = folder_ / fmt::format("layer{}", layers_++);
    std::vector<std::string> arguments{"create", "-q", "-f", is_raw ? "raw" : "qcow2"};
    if (!is_raw) add_options(image, path, arguments);
    arguments.insert(arguments.end(), {path, fmt::format("{}", image.size)});
    qemu_img(arguments);
    story_ += fmt::format("{}\n", fmt::join(arguments, " "));
    top_ = path;
    format_ = is_raw ? "raw" : "qcow2";
    last_size_ = image.size;
    change(image);
    if (is_spoilt_ || is_raw || image.has_data_file || !random_.percent(25)) return;
    qemu_img({"snapshot", "-c", "kept", path});
    story_ += "snapshot\n";
    change(image);
  }

  Image choose(bool is_raw) {
    Image image{};
    image.is_raw = is_raw;
    image.has_extended_l2 = random_.percent(25);
    image.cluster = std::uint64_t{1} << random_.between(image.has_extended_l2 ? 14 : 9, 21);
    image.is_version_2 = !image.has_extended_l2 && random_.percent(15);
    image.has_data_file = !is_raw && !image.is_version_2 && random_.percent(15);
    const std::uint64_t most = image.cluster < 4096 ? 2U << 20U : (random_.percent(5) ? 64U << 20U : 6U << 20U);
    image.size = random_.between(1, most / 512) * 512;
    // As large as the one below, smaller or larger.
    if (layers_ != 0 && last_size_ <= most && random_.percent(50)) image.size = last_size_;
    return image;
  }

  void add_options(const Image& image, const Path& path, std::vector<std::string>& arguments) {
    std::string options = fmt::format("cluster_size={},compat={}", image.cluster, image.is_version_2 ? "0.10" : "1.1");
    if (image.has_extended_l2) options += ",extended_l2=on";
    if (!image.is_version_2 && random_.percent(50)) options += ",compression_type=zstd";
    if (!image.is_version_2 && random_.percent(20)) options += ",lazy_refcounts=on";
    bool is_preallocated = layers_ == 1 && random_.percent(20);
    if (image.has_data_file) {
      const bool is_raw = layers_ == 1 && random_.percent(50);
      options += fmt::format(",data_file={}.data,data_file_raw={}", path.native(), is_raw ? "on" : "off");
      is_preallocated = is_preallocated || is_raw;
    }
    if (is_preallocated) options += ",preallocation=metadata";
    arguments.insert(arguments.end(), {"-o", options});
    if (layers_ > 1) arguments.insert(arguments.end(), {"-b", top_, "-F", format_});
  }

  void change(const Image& image) {
    std::vector<std::string> commands;
    for (std::uint64_t i = random_.between(0, 14); i > 0; --i) commands.push_back(command(image));
    if (commands.empty()) return;
    for (const auto& each : commands) story_ += each + "\n";
    perform(commands);
  }

  // QEMU refuses to pack a cluster that is there already; everything else has to succeed.
  void perform(const std::vector<std::string>& commands) {
    std::vector<std::string> argv{"qemu-io", "-t", "unsafe", "-f", format_};
    for (const auto& command : commands) argv.insert(argv.end(), {"-c", command});
    argv.push_back(top_.native());
    const auto output = run_process(argv);
    ASSERT_TRUE(output) << output.error().describe();
    std::istringstream lines(output->out + output->err);
    for (std::string line; std::getline(lines, line);) {
      const bool is_refused = line == "write failed: Input/output error" || line.ends_with("No medium found");
      is_spoilt_ = is_spoilt_ || line.ends_with("No medium found");
      EXPECT_TRUE(is_refused || line.find("ailed") == std::string::npos) << line << "\n" << story_;
    }
    is_spoilt_ = is_spoilt_ || is_marked_corrupt();
  }

  std::string command(const Image& image) {
    const std::uint64_t unit = random_.percent(50) ? image.cluster : 512;
    const std::uint64_t begin = random_.between(0, (image.size - 1) / unit) * unit;
    const std::uint64_t most = std::min<std::uint64_t>({image.size - begin, 3U << 20U, unit * random_.between(1, 64)});
    const std::uint64_t length = random_.between(1, most / 512) * 512;
    const std::uint64_t kind = random_.between(0, 9);
    if (kind == 0) return fmt::format("discard {} {}", begin, length);
    if (kind == 1) return fmt::format("write -z {} {}", begin, length);
    if (kind == 2) return fmt::format("write -z -u {} {}", begin, length);
    if (kind <= 5 && !image.is_raw && !image.has_data_file) return compressed_write(image);
    if (kind <= 7) return fmt::format("write -s {}/text {} {}", folder_.native(), begin, length);
    return fmt::format("write -P {} {} {}", random_.between(1, 255), begin, length);
  }

  // Only whole clusters can be written so, or what there is of the last.
  std::string compressed_write(const Image& image) {
    const std::uint64_t begin = random_.between(0, (image.size - 1) / image.cluster) * image.cluster;
    const std::uint64_t length = std::min(image.size - begin, image.cluster);
    if (random_.percent(30)) return fmt::format("write -c -P {} {} {}", random_.between(0, 255), begin, length);
    return fmt::format("write -c -s {}/text {} {}", folder_.native(), begin, length);
  }

  Path folder_;
  RandomNumbers random_;
  Path top_;
  std::string format_;
  std::string story_;
  bool is_spoilt_ = false;
  std::uint64_t layers_ = 0;
  std::uint64_t last_size_ = 0;
};

}  // namespace cohort::disk
