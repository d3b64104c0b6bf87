#include "base/user_name.h"

#include <pwd.h>

#include <array>

namespace cohort {
namespace {

constexpr std::size_t kLongestEntry = std::size_t{16} << 10U;  // bytes

}  // namespace

std::string user_name(uid_t user) {
  std::array<char, kLongestEntry> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const int error = ::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found);
  return error == 0 && found != nullptr ? std::string(found->pw_name) : std::to_string(user);
}

}  // namespace cohort
