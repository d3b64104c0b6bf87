#include "hypervisor/libvirt_error.h"

#include <gtest/gtest.h>
#include <libvirt/virterror.h>

namespace cohort::hypervisor {
namespace {

TEST(LibvirtError, MapsWhatCallersBranchOn) {
  EXPECT_EQ(code_of(VIR_ERR_NO_DOMAIN), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(VIR_ERR_OPERATION_INVALID), ErrorCode::kInvalidState);
  EXPECT_EQ(code_of(VIR_ERR_OPERATION_TIMEOUT), ErrorCode::kTimeout);
  EXPECT_EQ(code_of(VIR_ERR_NO_SUPPORT), ErrorCode::kUnsupported);
  EXPECT_EQ(code_of(VIR_ERR_ACCESS_DENIED), ErrorCode::kPermission);
  EXPECT_EQ(code_of(VIR_ERR_INTERNAL_ERROR), ErrorCode::kHypervisor);
}

}  // namespace
}  // namespace cohort::hypervisor
