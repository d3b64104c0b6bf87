// Whether everything here and QEMU agree on random chains of images.
#include <gtest/gtest.h>

#include "disk/changed_since.h"
#include "disk/compressed_copy.h"
#include "disk/content_hash.h"
#include "disk/copy_image.h"
#include "disk/memory_bytes.h"
#include "disk/random_images.h"

namespace cohort::disk {
namespace {

// What content_hash.h says, of a whole disk in memory.
std::string content_hash_of(const std::string& disk) {
  ContentHash hash = ContentHash::of_all(disk.size(), {}).value();
  for (std::size_t offset = 0; offset < disk.size(); offset += kBlockBytes) {
    const std::string block = disk.substr(offset, kBlockBytes);
    EXPECT_TRUE(hash.add(offset, digest_of_block(std::as_bytes(std::span(block)))));
  }
  return hash.finish().value().content_hash;
}

// One random chain, and every way in which it can be copied.
class Agreement {
 public:
  Agreement(const Path& folder, unsigned seed) : folder_(folder), images_(folder, seed), random_(seed + 1) {}

  [[nodiscard]] const std::string& story() const { return images_.story(); }

  void check() {
    const auto chain = read_chain(images_.top(), images_.format());
    if (images_.is_marked_corrupt()) {
      ASSERT_FALSE(chain);
      EXPECT_EQ(chain.error().code, ErrorCode::kCorrupt) << chain.error().describe();
    }
    if (images_.is_spoilt()) return;
    ASSERT_TRUE(chain) << chain.error().describe();
    const auto source = open_disk(*chain);
    ASSERT_TRUE(source) << source.error().describe();
    const auto by_qemu =
        run_process({"qemu-img", "convert", "-f", images_.format(), "-O", "raw", images_.top(), at("expected")});
    ASSERT_TRUE(by_qemu);
    if (by_qemu->exit_status != 0) return expect_spoilt(**source);
    expect_same_bytes(**source);
    // Each costs two processes of QEMU: not all of them every time.
    if (random_.percent(50)) expect_image(copy_disk(request(**source), {}, {}));
    if (random_.percent(50)) expect_image(copy_compressed(request(**source), {}, {}));
    const Difference difference = since_some_layer(*chain);
    if (random_.percent(50)) expect_image(copy_difference(request(**source), difference, {}, {}));
    if (random_.percent(50)) expect_image(copy_compressed(request(**source), difference, {}, {}));
    if (random_.percent(20)) expect_same_through_qemu();
  }

 private:
  [[nodiscard]] Path at(const std::string& name) const { return folder_ / name; }
  CopyRequest request(const DiskSource& source) { return {source, at("copy"), "qcow2", {buffers_, limiter_}}; }

  // QEMU 7.2 sometimes puts data over a compressed cluster that it wrote before, and then cannot unpack that either.
  void expect_spoilt(const DiskSource& source) {
    const auto copied = copy_disk(request(source), {}, {});
    ASSERT_FALSE(copied) << "QEMU cannot read what we can";
    EXPECT_EQ(copied.error().code, ErrorCode::kCorrupt);
  }

  void expect_same_bytes(const DiskSource& source) {
    const auto copied = copy_disk({source, at("raw"), "raw", {buffers_, limiter_}, true}, {}, {});
    ASSERT_TRUE(copied) << copied.error().describe();
    const std::string expected = content_of(at("expected"));
    EXPECT_TRUE(content_of(at("raw")) == expected);
    content_hash_ = content_hash_of(expected);
    EXPECT_EQ(copied->content_hash, content_hash_);
  }

  void expect_image(const Result<CopiedImage>& copied) {
    ASSERT_TRUE(copied) << copied.error().describe();
    EXPECT_EQ(copied->sha256, sha256_of_file(at("copy")).value());
    qemu_img({"check", "-q", "-f", "qcow2", at("copy")});
    EXPECT_TRUE(are_identical(at("expected"), "raw", at("copy"), "qcow2"));
    std::filesystem::remove(at("copy"));
  }

  Difference since_some_layer(const Chain& chain) {
    const std::size_t layer = random_.between(0, chain.layers.size() - 1);
    const ChainLayer& parent = chain.layers[layer];
    const std::uint64_t size = parent.header ? parent.header->disk_size() : std::filesystem::file_size(parent.path);
    return {{parent.path, parent.format, size}, [&chain, layer] { return changed_since(chain, layer); }};
  }

  void expect_same_through_qemu() {
    const CopyImageRequest copy{images_.top(), images_.format(), at("copy"), "raw", {buffers_, limiter_}};
    const auto copied = copy_image_through_qemu(copy, {}, {});
    ASSERT_TRUE(copied) << copied.error().describe();
    EXPECT_EQ(copied->content_hash, content_hash_);
    std::filesystem::remove(at("copy"));
  }

  Path folder_;
  RandomChain images_;
  RandomNumbers random_;
  BufferPool buffers_;
  RateLimiter limiter_;
  std::string content_hash_;
};

TEST(AgreementTest, WithQemuOnRandomChains) {
  for_random_seeds(15, 2000, [](unsigned seed) {
    const TemporaryFolder folder;
    Agreement agreement(folder.path(), seed);
    SCOPED_TRACE(agreement.story());
    agreement.check();
  });
}

}  // namespace
}  // namespace cohort::disk
