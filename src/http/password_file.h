// The users, one line each:
//
//   name:role:scrypt:N:r:p:salt:hash     authenticates with a password
//   name:role:negotiate                  by Kerberos (ann@EXAMPLE.ORG) or NTLM (EXAMPLE\ann)
//   name:role:certificate                with a certificate that has this name
//   name:role:pam                        with the password of this system's user of that name
//
// role is none, reader, operator or administrator; the hash is scrypt's (RFC 7914), 32 bytes, base64 as the salt. Lines
// that are empty or begin with # do not count.
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

// How a user shows who it is. What one user is let in by lets in no other of that name.
enum class Means { kPassword, kNegotiate, kCertificate, kPam };

// Whether both name the same user. Case does not count in names with a domain in front (NTLM's).
[[nodiscard]] bool is_same_user(std::string_view a, std::string_view b);

class PasswordFile {
 public:
  // Fails with kPermission if others may read or write it, kCorrupt with the number of the line that is wrong, and
  // what read_file fails with.
  [[nodiscard]] static Result<PasswordFile> read(const Path& path);

  // The user's role, if the password is right. Takes as long for a user that does not exist.
  [[nodiscard]] std::optional<Role> check(std::string_view name, std::string_view password) const;
  // The role of a user that was authenticated elsewhere, by these means.
  [[nodiscard]] std::optional<Role> role_of(std::string_view name, Means means) const;

 private:
  struct User {
    std::string name;
    Role role;
    Means means;
    HashCost cost = {};
    std::string salt = {}, hash = {};
  };

  [[nodiscard]] static Result<User> read_line(std::string_view line);
  [[nodiscard]] static Result<User> read_hash(User user, const std::vector<std::string_view>& parts);

  std::vector<User> users_;
};

// A new line for the file, with a salt of its own. Fails with kInvalidArgument for a name that is empty, has a colon or
// a control character or begins with #, and for an empty password.
[[nodiscard]] Result<std::string> password_line(std::string_view name, Role role, std::string_view password,
                                                const HashCost& cost = {});
// The same for a user without a password.
[[nodiscard]] Result<std::string> line_without_password(std::string_view name, Role role, Means means);

}  // namespace cohort::http
