// The users that authenticate with a password, one line each:
//
//   name:role:scrypt:N:r:p:salt:hash
//
// role is reader, operator or administrator; the hash is scrypt's (RFC 7914), 32 bytes, base64 as the salt. Lines that
// are empty or begin with # do not count.
//
// Threads: read-only once it is read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "http/identity.h"

namespace cohort::http {

// How much work a hash is: about 128 * N * r bytes of memory, and p times the time.
struct HashCost {
  std::uint64_t n = 1U << 15U;
  std::uint64_t r = 8;
  std::uint64_t p = 1;
};

class PasswordFile {
 public:
  // Fails with kPermission if others may read or write it, kCorrupt with the number of the line that is wrong, and
  // what read_file fails with.
  [[nodiscard]] static Result<PasswordFile> read(const Path& path);

  // The user's role, if the password is right. Takes as long for a user that does not exist.
  [[nodiscard]] std::optional<Role> check(std::string_view name, std::string_view password) const;

 private:
  struct User {
    std::string name;
    Role role;
    HashCost cost;
    std::string salt, hash;
  };

  [[nodiscard]] static Result<User> read_line(std::string_view line);

  std::vector<User> users_;
};

// A new line for the file, with a salt of its own. Fails with kInvalidArgument for a name that is empty, has a colon or
// a control character or begins with #, and for an empty password.
[[nodiscard]] Result<std::string> password_line(std::string_view name, Role role, std::string_view password,
                                                const HashCost& cost = {});

}  // namespace cohort::http
