#include "cli/exit_code.h"

#include <algorithm>

namespace cohort::cli {

const std::array<ExitCodeRow, 14>& exit_codes() {
  static constexpr std::array<ExitCodeRow, 14> kTable{{
      {ErrorCode::kInternal, 1, "A defect of this program."},
      {ErrorCode::kInvalidArgument, 2, "The request itself is wrong; nothing was changed."},
      {ErrorCode::kNotFound, 3, "The named thing does not exist."},
      {ErrorCode::kAlreadyExists, 4, "The name, id or path is taken."},
      {ErrorCode::kInvalidState, 5, "The thing exists, but cannot do this now."},
      {ErrorCode::kInUse, 6, "Somebody else holds it; try again later."},
      {ErrorCode::kUnsupported, 7, "This host, driver or format cannot do it."},
      {ErrorCode::kTimeout, 8, "A deadline passed; what was begun has been undone."},
      {ErrorCode::kPermission, 9, "The operating system refused."},
      {ErrorCode::kNoSpace, 10, "A file system is full, or would be."},
      {ErrorCode::kIo, 11, "Reading or writing failed."},
      {ErrorCode::kCorrupt, 12, "Data is not what it should be; also verify of a package that is not whole."},
      {ErrorCode::kHypervisor, 13, "libvirt or QEMU reported a failure."},
      {ErrorCode::kCancelled, 130, "The user asked to stop; what was begun has been undone."},
  }};
  return kTable;
}

int exit_code(ErrorCode code) {
  const auto& table = exit_codes();
  const auto row = std::find_if(table.begin(), table.end(), [code](const auto& r) { return r.code == code; });
  return row == table.end() ? 1 : row->exit_code;
}

}  // namespace cohort::cli
