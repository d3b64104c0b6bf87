// Images that lie, and files that change while they are read.
#include <gmock/gmock.h>

#include <chrono>
#include <functional>
#include <thread>

#include "base/big_endian.h"
#include "disk/source.h"
#include "disk/test_images.h"

namespace cohort::disk {
namespace {

using testing::HasSubstr;

constexpr std::size_t kFeatures = 72;
constexpr std::size_t kL1Entries = 36;
constexpr std::size_t kL1Offset = 40;
constexpr std::uint64_t kCopied = 1UL << 63U;
constexpr std::uint64_t kCompressed = 1UL << 62U;

class SourceDamageTest : public testing::Test {
 protected:
  Path at(const std::string& name) { return folder_.path() / name; }

  // 8 MiB in clusters of 64 KiB, data in the first of them and in the last.
  void make(const std::vector<std::string>& options = {}) {
    std::vector<std::string> arguments{"create", "-q", "-f", "qcow2"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.insert(arguments.end(), {at("image"), "8M"});
    qemu_img(arguments);
    qemu_io(at("image"), "qcow2", {"write -P 1 0 64k", "write -P 2 8323072 64k"});
    bytes_ = content_of(at("image"));
    l1_ = big_endian<std::uint64_t>(bytes_, kL1Offset);
    l2_ = big_endian<std::uint64_t>(bytes_, l1_) & ~kCopied;
  }

  template <typename Number>
  void put(std::size_t offset, Number value) {
    for (std::size_t i = 0; i < sizeof value; ++i) {
      bytes_[offset + i] = static_cast<char>(value >> (8 * (sizeof value - 1 - i)));
    }
  }

  // Without the looking at tables that read_chain does.
  Chain chain() {
    write_content(at("image"), bytes_);
    const auto header = read_qcow2_header(at("image"));
    EXPECT_TRUE(header) << header.error().describe();
    Chain chain;
    chain.layers.push_back({at("image"), "qcow2", false, *header});
    return chain;
  }

  // The first error of a copy.
  static Error error_of(const Chain& chain) {
    const auto source = open_disk(chain);
    if (!source) return source.error();
    const auto cursor = (*source)->extents();
    if (!cursor) return cursor.error();
    for (;;) {
      const auto extent = (*cursor)->next();
      if (!extent) return extent.error();
      if (!*extent) return make_error(ErrorCode::kInternal, "no error");
      std::vector<std::byte> bytes((*extent)->length);
      const auto outcome = (*source)->read(**extent, 0, bytes);
      if (!outcome) return outcome.error();
    }
  }

  static void expect(const Error& error, ErrorCode code, const std::string& message) {
    EXPECT_EQ(error.code, code);
    EXPECT_THAT(error.message, HasSubstr(message));
    EXPECT_THAT(error.message, HasSubstr("image"));
  }
  void expect_corrupt(const std::string& message) { expect(error_of(chain()), ErrorCode::kCorrupt, message); }

  TemporaryFolder folder_;
  std::string bytes_;
  std::size_t l1_ = 0;
  std::size_t l2_ = 0;
};

TEST_F(SourceDamageTest, IsNotSeenWhereThereIsNone) {
  make();
  EXPECT_EQ(error_of(chain()).message, "no error");
}

TEST_F(SourceDamageTest, L1TableOutsideTheFile) {
  make();
  put<std::uint64_t>(kL1Offset, 1UL << 40U);
  expect_corrupt("L1 table of 1 entries at 1099511627776 is not within the file");
}

TEST_F(SourceDamageTest, L1TableTooSmallForTheDisk) {
  make();
  put<std::uint32_t>(kL1Entries, 0);
  expect_corrupt("too small for a disk of 8388608 bytes");
}

TEST_F(SourceDamageTest, HugeL1Table) {
  make();
  put<std::uint32_t>(kL1Entries, 4U << 20U);
  put<std::uint64_t>(24, 1UL << 50U);
  expect_corrupt("is not within the file");
}

TEST_F(SourceDamageTest, L2TableOutsideTheFile) {
  make();
  put<std::uint64_t>(l1_, 1UL << 40U);
  expect_corrupt("entry 0 of its L1 table names an L2 table at 1099511627776, past the end");
}

TEST_F(SourceDamageTest, L2TableThatTheFileEndsWithin) {
  make();
  const std::size_t last = bytes_.size() - 512;
  put<std::uint64_t>(l1_, last / 65536 * 65536);
  bytes_.resize(last);
  expect_corrupt("past the end");
}

TEST_F(SourceDamageTest, L2TableThatBeginsWithinACluster) {
  make();
  put<std::uint64_t>(l1_, l2_ + 512);
  expect_corrupt("not the start of a cluster");
}

TEST_F(SourceDamageTest, DataOutsideTheFile) {
  make();
  put<std::uint64_t>(l2_ + 40, 1UL << 40U);
  expect_corrupt(fmt::format("entry 5 of the L2 table at {} names data at 1099511627776", l2_));
}

TEST_F(SourceDamageTest, DataThatBeginsWithinACluster) {
  make();
  put<std::uint64_t>(l2_ + 40, 65536 + 512);
  expect_corrupt(fmt::format("entry 5 of the L2 table at {} names a place that is not the start", l2_));
}

TEST_F(SourceDamageTest, CompressedClusterOutsideTheFile) {
  make();
  put<std::uint64_t>(l2_ + 40, kCompressed | 1UL << 40U);
  expect_corrupt("entry 5");
}

TEST_F(SourceDamageTest, CompressedClusterThatCannotBeUnpacked) {
  make();
  const std::uint64_t data = big_endian<std::uint64_t>(bytes_, l2_) & ~kCopied;
  bytes_.replace(data, 512, 512, '\xff');
  put<std::uint64_t>(l2_ + 40, kCompressed | data);
  expect_corrupt(fmt::format("the compressed cluster at {} cannot be unpacked", data));
}

TEST_F(SourceDamageTest, ZstdClusterThatCannotBeUnpacked) {
  make({"-o", "compression_type=zstd"});
  const std::uint64_t data = big_endian<std::uint64_t>(bytes_, l2_) & ~kCopied;
  put<std::uint64_t>(l2_ + 40, kCompressed | data);
  expect_corrupt("cannot be unpacked");
}

TEST_F(SourceDamageTest, CompressedClusterThatUnpacksToLessThanACluster) {
  make();
  const std::uint64_t data = big_endian<std::uint64_t>(bytes_, l2_) & ~kCopied;
  bytes_.replace(data, 8, std::string("\x4b\x4c\x04\x00\x00\x00\x00\x00", 8));  // deflated "a"
  put<std::uint64_t>(l2_ + 40, kCompressed | data);
  expect_corrupt("cannot be unpacked");
}

TEST_F(SourceDamageTest, ZeroClusterInVersion2) {
  make({"-o", "compat=0.10"});
  put<std::uint64_t>(l2_ + 40, 1);
  expect_corrupt("has a zero cluster");
}

TEST_F(SourceDamageTest, SubclustersThatAreBothDataAndZeros) {
  make({"-o", "extended_l2=on"});
  put<std::uint64_t>(l2_ + 8, 1UL << 32U | 1);
  expect_corrupt("data and zeros at once");
}

TEST_F(SourceDamageTest, SubclustersWithoutAPlace) {
  make({"-o", "extended_l2=on"});
  put<std::uint64_t>(l2_ + 5 * 16 + 8, 1);
  expect_corrupt("no place for them");
}

TEST_F(SourceDamageTest, CompressedClusterBesideADataFile) {
  make({"-o", fmt::format("data_file={}", at("data").native())});
  put<std::uint64_t>(l2_ + 40, kCompressed | l2_);
  expect_corrupt("external data file");
}

TEST_F(SourceDamageTest, DataPastTheEndOfTheDataFile) {
  make({"-o", fmt::format("data_file={}", at("data").native())});
  std::filesystem::resize_file(at("data"), 100'000);
  expect_corrupt("past the end");
}

TEST_F(SourceDamageTest, DataFileThatIsMissing) {
  make({"-o", fmt::format("data_file={}", at("data").native())});
  std::filesystem::remove(at("data"));
  const Error error = error_of(chain());
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_THAT(error.describe(), HasSubstr("external data file of"));
}

TEST_F(SourceDamageTest, DataFileThatIsNotAFile) {
  make({"-o", fmt::format("data_file={}", at("data").native())});
  bytes_.replace(bytes_.find(at("data").native()), 4, "nbd:");
  expect(error_of(chain()), ErrorCode::kUnsupported, "not a plain file");
}

TEST_F(SourceDamageTest, DataFileWithoutAName) {
  make();
  put<std::uint64_t>(kFeatures, 4);
  expect(error_of(chain()), ErrorCode::kUnsupported, "does not name it");
}

TEST_F(SourceDamageTest, MarkOfQemuThatTheImageIsCorrupt) {
  make();
  put<std::uint64_t>(kFeatures, 2);
  static_cast<void>(chain());
  const auto chain = read_chain(at("image"), "qcow2");
  ASSERT_FALSE(chain);
  expect(chain.error(), ErrorCode::kCorrupt, "marked as corrupt");
}

TEST_F(SourceDamageTest, FormatsThatAreLeftToQemu) {
  make();
  Chain encrypted = chain();
  encrypted.layers[0].header->is_encrypted = true;
  expect(error_of(encrypted), ErrorCode::kUnsupported, "(encrypted qcow2) cannot be read without QEMU");
  Chain other = chain();
  other.layers[0].format = "vmdk";
  expect(error_of(other), ErrorCode::kUnsupported, "(vmdk) cannot be read without QEMU");
  Chain remote = chain();
  remote.goes_on = true;
  EXPECT_EQ(error_of(remote).code, ErrorCode::kUnsupported);
}

// The tables of the base are not looked at where the overlay has all.
TEST_F(SourceDamageTest, DoesNotMatterWhereAnotherImageLiesAbove) {
  make();
  put<std::uint64_t>(l1_, l2_ + 512);
  Chain both = chain();
  const Path top = at("top");
  qemu_img({"create", "-q", "-f", "qcow2", top, "8M"});
  qemu_io(top, "qcow2", {"write -P 3 0 8M"});
  both.layers.insert(both.layers.begin(), {top, "qcow2", false, *read_qcow2_header(top)});
  EXPECT_EQ(error_of(both).message, "no error");
}

// 2 PiB of which each table says that it is zeros: 4 million times the same table.
class EndlessTablesTest : public SourceDamageTest {
 protected:
  EndlessTablesTest() {
    qemu_img({"create", "-q", "-f", "qcow2", at("image"), "2P"});
    bytes_.resize(std::size_t{4} << 16U);
    std::ifstream(at("image"), std::ios::binary).read(bytes_.data(), static_cast<std::streamsize>(bytes_.size()));
    const auto entries = big_endian<std::uint32_t>(bytes_, kL1Entries);
    l1_ = big_endian<std::uint64_t>(bytes_, kL1Offset);
    l2_ = (l1_ + entries * std::uint64_t{8} + 0xFFFF) & ~std::uint64_t{0xFFFF};
    bytes_.resize(l1_ + 8);
    put<std::uint64_t>(l1_, l2_ | kCopied);
    const std::string entry = bytes_.substr(l1_);
    for (std::uint64_t i = 1; i < entries; ++i) bytes_ += entry;
    bytes_.resize(l2_);
    for (std::uint64_t i = 0; i < 8192; ++i) bytes_ += std::string(7, '\0') + '\1';
    chain_ = chain();
  }

  // Requests the stop a little later, and checks that the call ends soon then.
  void expect_cancelled(const std::function<Error(const std::stop_token&)>& call) {
    std::stop_source stop;
    const std::jthread later([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      stop.request_stop();
    });
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(call(stop.get_token()).code, ErrorCode::kCancelled);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
  }

  Chain chain_;
};

TEST_F(EndlessTablesTest, CanBeLeftWhileAChainIsOpened) {
  expect_cancelled([&](const auto& stop) { return read_chain(at("image"), "qcow2", stop).error(); });
}

TEST_F(EndlessTablesTest, CanBeLeftInTheMiddleOfAnExtent) {
  expect_cancelled([&](const auto& stop) {
    const auto source = open_disk(chain_, stop).value();
    return source->extents().value()->next().error();
  });
}

class ChangingSourceTest : public SourceDamageTest {
 protected:
  void expect_seen_when_shortened(const Chain& chain) {
    const auto source = open_disk(chain);
    ASSERT_TRUE(source) << source.error().describe();
    const auto cursor = (*source)->extents();
    auto extent = (*cursor)->next();
    ASSERT_TRUE(extent && *extent);
    std::filesystem::resize_file(at("image"), 100);
    std::vector<std::byte> bytes((*extent)->length);
    expect((*source)->read(**extent, 0, bytes).error(), ErrorCode::kCorrupt, "changed while it was read");
    for (const auto fresh = (*source)->extents(); extent && *extent;) extent = (*fresh)->next();
    ASSERT_FALSE(extent);
    expect(extent.error(), ErrorCode::kCorrupt, "changed while it was read");
  }
};

TEST_F(ChangingSourceTest, Qcow2BecomesShorter) {
  make();
  expect_seen_when_shortened(chain());
}

TEST_F(ChangingSourceTest, RawBecomesShorter) {
  write_content(at("image"), std::string(1 << 20, 'x'));
  expect_seen_when_shortened(read_chain(at("image"), "raw").value());
}

}  // namespace
}  // namespace cohort::disk
