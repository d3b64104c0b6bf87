#include "hypervisor/image_chain.h"

#include <gtest/gtest.h>

#include "base/temporary_folder.h"

namespace cohort::hypervisor {
namespace {

TEST(ParseImageChain, ReadsNamesFormatsAndTheSizeOfTheFirst) {
  const auto chain = parse_image_chain(
      R"([{"filename": "file:/a b:c/top", "format": "qcow2", "virtual-size": 4096},
          {"filename": "/base", "format": "raw", "virtual-size": 1024}])");
  ASSERT_TRUE(chain);
  ASSERT_EQ(chain->layers.size(), 2U);
  EXPECT_EQ(chain->layers[0].path, "/a b:c/top");
  EXPECT_EQ(chain->layers[1].format, "raw");
  EXPECT_EQ(chain->virtual_size, 4096U);
  EXPECT_FALSE(chain->is_encrypted);
}

TEST(ParseImageChain, TellsEncryptionOfAnyLayer) {
  const auto chain = parse_image_chain(
      R"([{"filename": "/t", "format": "qcow2", "virtual-size": 1},
          {"filename": "/b", "format": "qcow2", "virtual-size": 1, "encrypted": true}])");
  ASSERT_TRUE(chain);
  EXPECT_TRUE(chain->is_encrypted);
}

TEST(ParseImageChain, RefusesWhatIsNoLocalFile) {
  const auto chain = parse_image_chain(R"([{"filename": "nbd://host/disk", "format": "raw", "virtual-size": 1}])");
  ASSERT_FALSE(chain);
  EXPECT_EQ(chain.error().code, ErrorCode::kUnsupported);
}

TEST(ParseImageChain, RefusesWhatItDoesNotUnderstand) {
  for (const char* text : {"", "[]", "{}", "[1]", R"([{"filename": "/a", "format": "raw"}])", "[{"}) {
    EXPECT_FALSE(parse_image_chain(text)) << text;
  }
}

class PlaceOf : public testing::Test {
 protected:
  const DiskSnapshot disk_{"vda", {"/frozen", "raw"}, "/overlay", 0};
};

TEST_F(PlaceOf, FindsTheOverlayOnTheFrozenFile) {
  const Place top = place_of(disk_, {{"/overlay", ""}, {"/frozen", ""}});
  EXPECT_EQ(top.standing, Standing::kOnFrozen);
  EXPECT_EQ(top.overlay, 0U);
  const Place below = place_of(disk_, {{"/later", ""}, {"/overlay", ""}, {"/frozen", ""}, {"/base", ""}});
  EXPECT_EQ(below.standing, Standing::kOnFrozen);
  EXPECT_EQ(below.overlay, 1U);
}

TEST_F(PlaceOf, KnowsAChainThatStandsOnTheFrozenFileWithoutTheOverlay) {
  EXPECT_EQ(place_of(disk_, {{"/later", ""}, {"/frozen", ""}}).standing, Standing::kWithout);
}

TEST_F(PlaceOf, KnowsAChainThatAnotherHasChanged) {
  EXPECT_EQ(place_of(disk_, {}).standing, Standing::kOtherwise);
  EXPECT_EQ(place_of(disk_, {{"/other", ""}}).standing, Standing::kOtherwise);
  EXPECT_EQ(place_of(disk_, {{"/overlay", ""}}).standing, Standing::kOtherwise);
  EXPECT_EQ(place_of(disk_, {{"/overlay", ""}, {"/between", ""}, {"/frozen", ""}}).standing, Standing::kOtherwise);
}

TEST_F(PlaceOf, KnowsAFileByAnotherName) {
  const TemporaryFolder folder;
  ASSERT_TRUE(create_file(folder.path() / "frozen", ""));
  std::filesystem::create_symlink(folder.path() / "frozen", folder.path() / "link");
  const DiskSnapshot disk{"vda", {folder.path() / "link", "raw"}, "/overlay", 0};
  EXPECT_EQ(place_of(disk, {{folder.path() / "frozen", ""}}).standing, Standing::kWithout);
}

}  // namespace
}  // namespace cohort::hypervisor
