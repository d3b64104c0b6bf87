#include "daemon/users.h"

#include <fmt/format.h>
#include <sys/file.h>

#include <fcntl.h>
#include <cerrno>
#include <cstdio>

namespace cohort::daemon {
namespace {

constexpr std::uint64_t kLimit = std::uint64_t{1} << 20U;  // bytes of the file
constexpr mode_t kFolderMode = 0755;

Path with_ending(const Path& path, std::string_view ending) { return Path(path.string() + std::string(ending)); }

// Two who change the file at once do it one after the other; the lock ends with the process.
Result<UniqueFd> lock(const Path& passwords) {
  const Path path = with_ending(passwords, ".lock");
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.is_open() || ::flock(fd.get(), LOCK_EX) != 0) {
    return Failure{system_error(errno, fmt::format("The password file cannot be locked with \"{}\".", path.string()))};
  }
  return fd;
}

// Empty if there is no file. One that the daemon could not read is not changed.
Result<std::string> read_checked(const Path& passwords) {
  const auto checked = http::PasswordFile::read(passwords);
  if (!checked && checked.error().code == ErrorCode::kNotFound) return std::string();
  if (!checked) return Failure{checked.error()};
  return read_file(passwords, kLimit);
}

bool is_of(std::string_view line, std::string_view name) {
  const std::size_t colon = line.find(':');
  return colon != std::string_view::npos && http::is_same_user(line.substr(0, colon), name);
}

// The content without the user's line; nothing if there is none.
std::optional<std::string> without_user(std::string_view content, std::string_view name) {
  std::string kept;
  bool is_found = false;
  while (!content.empty()) {
    const auto end = content.find('\n');
    const std::string_view line = content.substr(0, end);
    content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
    if (is_of(line, name)) {
      is_found = true;
    } else {
      kept += fmt::format("{}\n", line);
    }
  }
  if (!is_found) return std::nullopt;
  return kept;
}

Result<void> replace(const Path& passwords, std::string_view content) {
  const Path made = with_ending(passwords, ".new");
  COHORT_TRY(remove_file(made));
  COHORT_TRY(create_file(made, content));
  if (std::rename(made.c_str(), passwords.c_str()) != 0) {
    return Failure{system_error(errno, fmt::format("\"{}\" cannot be put in place.", passwords.string()))};
  }
  return sync_directory(passwords.parent_path());
}

Result<void> add_line(const Path& passwords, std::string_view name, const std::string& line, IfThere if_there) {
  COHORT_TRY(make_directories(passwords.parent_path(), kFolderMode));
  COHORT_ASSIGN(const UniqueFd held, lock(passwords));
  COHORT_ASSIGN(std::string content, read_checked(passwords));
  auto others = without_user(content, name);
  if (others && if_there == IfThere::kRefuse) {
    return fail(ErrorCode::kAlreadyExists, "There is a user \"{}\" already; --replace changes role and password.",
                name);
  }
  if (others) content = *std::move(others);
  if (!content.empty() && content.back() != '\n') content += '\n';
  return replace(passwords, content + line + "\n");
}

}  // namespace

Result<void> add_user(const Path& passwords, std::string_view name, http::Role role, std::string_view password,
                      IfThere if_there, const http::HashCost& cost) {
  COHORT_ASSIGN(const std::string line, http::password_line(name, role, password, cost));
  return add_line(passwords, name, line, if_there);
}

Result<void> add_user(const Path& passwords, std::string_view name, http::Role role, http::Means means,
                      IfThere if_there) {
  COHORT_ASSIGN(const std::string line, http::line_without_password(name, role, means));
  return add_line(passwords, name, line, if_there);
}

Result<void> remove_user(const Path& passwords, std::string_view name) {
  COHORT_ASSIGN(const UniqueFd held, lock(passwords));
  COHORT_ASSIGN(const std::string content, read_checked(passwords));
  const auto others = without_user(content, name);
  if (!others) {
    return fail(ErrorCode::kNotFound, "There is no user \"{}\" in \"{}\".", name, passwords.string());
  }
  return replace(passwords, *others);
}

Result<http::Role> role_from(std::string_view name) {
  if (name == "none") return http::Role::kNone;
  if (name == "reader") return http::Role::kReader;
  if (name == "operator") return http::Role::kOperator;
  if (name == "administrator") return http::Role::kAdministrator;
  return fail(ErrorCode::kInvalidArgument, "\"{}\" is no role: there are none, reader, operator and administrator.",
              name);
}

Result<http::Means> means_from(std::string_view name) {
  if (name == "password") return http::Means::kPassword;
  if (name == "negotiate") return http::Means::kNegotiate;
  if (name == "certificate") return http::Means::kCertificate;
  if (name == "pam") return http::Means::kPam;
  return fail(ErrorCode::kInvalidArgument,
              "\"{}\" is not how a user can log in: there are password, negotiate, certificate and pam.", name);
}

}  // namespace cohort::daemon
