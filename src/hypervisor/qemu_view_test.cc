#include "hypervisor/qemu_view.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <fstream>
#include <utility>

#include "base/image_lock_bytes.h"
#include "base/temporary_folder.h"
#include "base/unique_fd.h"

namespace cohort::hypervisor {
namespace {

class Locks : public testing::Test {
 protected:
  Locks() {
    for (const Layer& layer : chain_) std::ofstream(layer.path) << "x";
  }
  // As a QEMU does that writes to the image.
  static UniqueFd hold(const Path& image) {
    UniqueFd fd(::open(image.c_str(), O_RDWR | O_CLOEXEC));
    struct flock held = lock_of_byte(F_RDLCK, byte_of_holders(ImagePermission::kWrite));
    EXPECT_EQ(::fcntl(fd.get(), F_OFD_SETLK, &held), 0);
    return fd;
  }

  TemporaryFolder folder_;
  Chain chain_{{folder_.path() / "active", "qcow2"}, {folder_.path() / "below", "raw"}};
};

TEST_F(Locks, FitAChainWhoseActiveFileAloneIsWrittenTo) {
  const UniqueFd active = hold(chain_[0].path);
  EXPECT_TRUE(fits_locks(chain_));
}

TEST_F(Locks, DoNotFitAChainWhoseActiveFileNobodyWritesTo) {
  EXPECT_FALSE(fits_locks(chain_));
  EXPECT_FALSE(fits_locks({}));
}

TEST_F(Locks, DoNotFitAChainWithAFileBelowThatIsWrittenTo) {
  const UniqueFd active = hold(chain_[0].path);
  const UniqueFd below = hold(chain_[1].path);
  EXPECT_FALSE(fits_locks(chain_));
}

TEST(WordsOfMistake, NameBothFilesAndTheRemedy) {
  const std::string words = words_of_mistake("web", "vda", "/disks/old.qcow2", "/disks/new.qcow2");
  for (const char* part :
       {"\"/disks/old.qcow2\"", "\"/disks/new.qcow2\"", "disk vda of \"web\"", "virsh edit \"web\""}) {
    EXPECT_NE(words.find(part), std::string::npos) << words;
  }
}

}  // namespace
}  // namespace cohort::hypervisor
