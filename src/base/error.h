// What went wrong, for the operator and for the program.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cohort {

// The codes a caller may branch on. Each maps to one exit code (cli/exit_code.h).
enum class ErrorCode {
  kInvalidArgument,  // the request itself is wrong; nothing was changed
  kNotFound,         // the named thing does not exist
  kAlreadyExists,    // the name, id or path is taken
  kInvalidState,     // the thing exists, but cannot do this now
  kInUse,            // somebody else holds it; try again later
  kUnsupported,      // this host, driver or format cannot do it
  kTimeout,          // a deadline passed; what was begun has been undone
  kCancelled,        // the user asked to stop; what was begun has been undone
  kPermission,       // the operating system refused
  kNoSpace,          // a file system is full, or would be
  kIo,               // reading or writing failed
  kCorrupt,          // data is not what it should be
  kHypervisor,       // libvirt or QEMU reported a failure
  kInternal,         // a defect of this program
};

// The stable name of a code, as shown in --json and kept in the store ("no_space").
[[nodiscard]] std::string_view to_string(ErrorCode code);
// The code of that name; kInternal for a name that is not known.
[[nodiscard]] ErrorCode error_code_from(std::string_view name);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  // One sentence for the operator: what failed, on which machine or file, and what to do.
  std::string message;
  // The cause in the words of the library or system call that failed; may be empty.
  std::string cause;
  // What was being done, innermost first.
  std::vector<std::string> context;

  // The same error with one more frame of context.
  [[nodiscard]] Error with_context(std::string frame) &&;
  // "message (cause) [while …]" on one line.
  [[nodiscard]] std::string describe() const;
};

template <typename... Args>
[[nodiscard]] Error make_error(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return Error{code, fmt::format(format, std::forward<Args>(args)...), {}, {}};
}

// An error for a failed system call; code, cause and the remedy behind the message follow from `error_number` (errno):
// ENOENT kNotFound, EEXIST kAlreadyExists, EACCES/EPERM kPermission, ENOSPC/EDQUOT kNoSpace, else kIo.
[[nodiscard]] Error system_error(int error_number, std::string message);

}  // namespace cohort
