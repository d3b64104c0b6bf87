#include "disk/qcow2_header.h"

#include <gmock/gmock.h>

#include "disk/test_images.h"

namespace cohort::disk {
namespace {

using testing::HasSubstr;

class Qcow2HeaderTest : public testing::Test {
 protected:
  // A header made by qemu-img with these options.
  std::string made(const std::vector<std::string>& options) {
    const Path path = folder_.path() / "image.qcow2";
    std::vector<std::string> arguments{"create", "-q", "-f", "qcow2"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.insert(arguments.end(), {path, "10M"});
    qemu_img(arguments);
    return content_of(path);
  }

  TemporaryFolder folder_;
};

void put32(std::string& bytes, std::size_t offset, std::uint32_t value) {
  for (unsigned i = 0; i < 4; ++i) bytes[offset + i] = static_cast<char>(value >> (24U - 8U * i));
}

TEST_F(Qcow2HeaderTest, ReadsVersionSizeAndClusters) {
  const auto header = parse_qcow2_header(made({"-o", "cluster_size=4k"}));
  ASSERT_TRUE(header) << header.error().describe();
  EXPECT_EQ(header->version, 3U);
  EXPECT_EQ(header->cluster_bits, 12U);
  EXPECT_EQ(header->virtual_size, 10U << 20U);
  EXPECT_FALSE(header->is_encrypted);
  EXPECT_FALSE(header->has_data_file);
  EXPECT_FALSE(header->has_extended_l2);
  EXPECT_FALSE(header->backing_file);
}

TEST_F(Qcow2HeaderTest, ReadsVersion2WithBackingFile) {
  const auto header = parse_qcow2_header(made({"-o", "compat=0.10", "-u", "-b", "/ä b,c:d", "-F", "raw"}));
  ASSERT_TRUE(header) << header.error().describe();
  EXPECT_EQ(header->version, 2U);
  EXPECT_EQ(header->backing_file, "/ä b,c:d");
  EXPECT_EQ(header->backing_format, "raw");
}

TEST_F(Qcow2HeaderTest, SeesAnExternalDataFile) {
  const std::string data = folder_.path() / "data";
  EXPECT_TRUE(parse_qcow2_header(made({"-o", "data_file=" + data}))->has_data_file);
}

// Patched: qemu-img cannot make a LUKS image in a dependable time on a busy host.
TEST_F(Qcow2HeaderTest, SeesEncryption) {
  std::string bytes = made({});
  for (const std::uint32_t method : {1U, 2U}) {
    put32(bytes, 32, method);
    const auto header = parse_qcow2_header(bytes);
    EXPECT_TRUE(header && header->is_encrypted);
  }
}

TEST_F(Qcow2HeaderTest, SeesExtendedL2) {
  EXPECT_TRUE(parse_qcow2_header(made({"-o", "extended_l2=on"}))->has_extended_l2);
}

TEST_F(Qcow2HeaderTest, CountsInternalSnapshots) {
  made({});
  qemu_img({"snapshot", "-c", "one", folder_.path() / "image.qcow2"});
  EXPECT_EQ(read_qcow2_header(folder_.path() / "image.qcow2")->internal_snapshots, 1U);
}

TEST_F(Qcow2HeaderTest, RefusesWhatIsNoQcow2) {
  for (const std::string& text : {std::string(), std::string("QFI"), std::string(4096, '\0')}) {
    const auto header = parse_qcow2_header(text);
    ASSERT_FALSE(header);
    EXPECT_EQ(header.error().code, ErrorCode::kCorrupt);
  }
}

TEST_F(Qcow2HeaderTest, RefusesEveryCutWithinTheFixedFields) {
  const std::string bytes = made({});
  for (std::size_t length = 0; length < 104; ++length) {
    EXPECT_FALSE(parse_qcow2_header(bytes.substr(0, length))) << length;
  }
}

struct Damage {
  std::string name;
  std::size_t offset;
  std::uint32_t value;
  ErrorCode code;
  std::string message;
};

class DamagedHeaderTest : public Qcow2HeaderTest, public testing::WithParamInterface<Damage> {};

TEST_P(DamagedHeaderTest, IsRefusedAndNamed) {
  std::string bytes = made({"-u", "-b", "base", "-F", "qcow2"});
  put32(bytes, GetParam().offset, GetParam().value);
  const auto header = parse_qcow2_header(bytes);
  ASSERT_FALSE(header);
  EXPECT_EQ(header.error().code, GetParam().code);
  EXPECT_THAT(header.error().message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(All, DamagedHeaderTest,
                         testing::Values(Damage{"Version", 4, 4, ErrorCode::kUnsupported, "version 4"},
                                         Damage{"SmallClusters", 20, 8, ErrorCode::kCorrupt, "cluster size"},
                                         Damage{"LargeClusters", 20, 22, ErrorCode::kCorrupt, "cluster size"},
                                         Damage{"NegativeSize", 24, 0x80000000, ErrorCode::kCorrupt, "virtual size"},
                                         Damage{"L1Entries", 36, 0xffffffff, ErrorCode::kCorrupt, "L1 table"},
                                         Damage{"L1Unaligned", 44, 0x30001, ErrorCode::kCorrupt, "L1 table"},
                                         Damage{"L1FarAway", 40, 0xf0000000, ErrorCode::kCorrupt, "L1 table"},
                                         Damage{"BackingName", 16, 1024, ErrorCode::kCorrupt, "backing file"},
                                         Damage{"BackingPlace", 8, 0xffffffff, ErrorCode::kCorrupt, "backing file"},
                                         Damage{"BackingOutside", 12, 65535, ErrorCode::kCorrupt, "backing file"},
                                         Damage{"UnknownFeature", 76, 0x20, ErrorCode::kUnsupported, "features"},
                                         Damage{"HeaderTooShort", 100, 96, ErrorCode::kCorrupt, "header length"},
                                         Damage{"HeaderTooLong", 100, 0xfffffff8, ErrorCode::kCorrupt, "header length"},
                                         Damage{"Extension", 108 + 8, 0xffffffff, ErrorCode::kCorrupt, "extension"}),
                         [](const auto& test) { return test.param.name; });

TEST_F(Qcow2HeaderTest, NamesTheFileItCannotRead) {
  const auto header = read_qcow2_header(folder_.path() / "absent");
  ASSERT_FALSE(header);
  EXPECT_EQ(header.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(header.error().describe(), HasSubstr("absent"));
}

}  // namespace
}  // namespace cohort::disk
