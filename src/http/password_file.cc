#include "http/password_file.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <strings.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "http/base64.h"

namespace cohort::http {
namespace {

constexpr std::uint64_t kLimit = std::uint64_t{1} << 20U;        // bytes of the file
constexpr std::uint64_t kMemoryLimit = std::uint64_t{1} << 28U;  // bytes, for a hash
constexpr std::size_t kHashBytes = 32, kSaltBytes = 16;
constexpr std::array<std::pair<std::string_view, Role>, 4> kRoles = {{{"none", Role::kNone},
                                                                      {"reader", Role::kReader},
                                                                      {"operator", Role::kOperator},
                                                                      {"administrator", Role::kAdministrator}}};

std::optional<std::string> scrypt(std::string_view password, std::string_view salt, const HashCost& cost) {
  std::array<unsigned char, kHashBytes> hash{};
  // NOLINTNEXTLINE(*-reinterpret-cast): OpenSSL's bytes
  const auto* salt_bytes = reinterpret_cast<const unsigned char*>(salt.data());
  const int done = ::EVP_PBE_scrypt(password.data(), password.size(), salt_bytes, salt.size(), cost.n, cost.r, cost.p,
                                    kMemoryLimit, hash.data(), hash.size());
  if (done != 1) return std::nullopt;
  return std::string(hash.begin(), hash.end());
}

// Without a password OpenSSL looks at the numbers alone, which takes no time: there may be thousands of users.
bool is_possible(const HashCost& cost) {
  return ::EVP_PBE_scrypt(nullptr, 0, nullptr, 0, cost.n, cost.r, cost.p, kMemoryLimit, nullptr, 0) == 1;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), value);
  if (error != std::errc() || end != text.end()) return std::nullopt;
  return value;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t end = text.find(separator); end != std::string_view::npos; end = text.find(separator)) {
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.push_back(text);
  return parts;
}

// The third part of a line.
constexpr std::array<std::pair<std::string_view, Means>, 4> kMeans = {{{"scrypt", Means::kPassword},
                                                                       {"negotiate", Means::kNegotiate},
                                                                       {"certificate", Means::kCertificate},
                                                                       {"pam", Means::kPam}}};

Result<void> check_name(std::string_view name) {
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7F; };
  if (!name.empty() && name.front() != '#' && name.find(':') == std::string_view::npos &&
      std::ranges::none_of(name, is_control)) {
    return {};
  }
  return fail(ErrorCode::kInvalidArgument,
              "\"{}\" cannot be the name of a user: it must not be empty, begin with # or have a colon in it.", name);
}

// REQUIRES: the table has it.
std::string_view word_of(const auto& words, auto value) {
  return std::ranges::find_if(words, [value](const auto& each) { return each.second == value; })->first;
}

Result<void> check_private(const Path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return Failure{system_error(errno, fmt::format("The password file \"{}\" cannot be read.", path.string()))};
  }
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) == 0) return {};
  return fail(ErrorCode::kPermission, "The password file \"{0}\" is open to others; run: chmod 600 \"{0}\"",
              path.string());
}

}  // namespace

bool is_same_user(std::string_view a, std::string_view b) {
  const bool has_domain = a.find('\\') != std::string_view::npos;
  return has_domain ? a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0 : a == b;
}

Result<PasswordFile::User> PasswordFile::read_line(std::string_view line) {
  const auto parts = split(line, ':');
  if (parts.size() < 3 || parts[0].empty()) {
    return fail(ErrorCode::kCorrupt, "is neither name:role:scrypt:N:r:p:salt:hash nor name:role:negotiate or the like");
  }
  const auto* const role = std::ranges::find(kRoles, parts[1], &std::pair<std::string_view, Role>::first);
  if (role == kRoles.end()) {
    return fail(ErrorCode::kCorrupt,
                "has the role \"{}\", which is not one of none, reader, operator and administrator", parts[1]);
  }
  const auto* const means = std::ranges::find(kMeans, parts[2], &std::pair<std::string_view, Means>::first);
  if (means == kMeans.end()) {
    return fail(ErrorCode::kCorrupt, "says \"{}\" where scrypt, negotiate, certificate or pam is expected", parts[2]);
  }
  User user{std::string(parts[0]), role->second, means->second};
  if (user.means == Means::kPassword) return read_hash(std::move(user), parts);
  if (parts.size() > 3) return fail(ErrorCode::kCorrupt, "goes on behind \"{}\"", parts[2]);
  return user;
}

Result<PasswordFile::User> PasswordFile::read_hash(User user, const std::vector<std::string_view>& parts) {
  if (parts.size() != 8) return fail(ErrorCode::kCorrupt, "is not name:role:scrypt:N:r:p:salt:hash");
  const auto n = number(parts[3]), r = number(parts[4]), p = number(parts[5]);
  const auto salt = from_base64(parts[6]), hash = from_base64(parts[7]);
  if (!n || !r || !p || !salt || !hash || hash->size() != kHashBytes) {
    return fail(ErrorCode::kCorrupt, "has a hash that cannot be read");
  }
  user.cost = {*n, *r, *p};
  if (!is_possible(user.cost)) {
    return fail(ErrorCode::kCorrupt, "has a hash that would cost too much, or is none");
  }
  user.salt = *salt;
  user.hash = *hash;
  return user;
}

Result<PasswordFile> PasswordFile::read(const Path& path) {
  COHORT_TRY(check_private(path));
  COHORT_ASSIGN(const std::string content, read_file(path, kLimit));
  PasswordFile file;
  std::size_t line_number = 0;
  for (const std::string_view line : split(content, '\n')) {
    ++line_number;
    if (line.empty() || line.front() == '#') continue;
    auto user = read_line(line);
    if (!user) {
      return fail(ErrorCode::kCorrupt, "Line {} of the password file \"{}\" {}.", line_number, path.string(),
                  user.error().message);
    }
    if (std::ranges::any_of(file.users_, [&](const User& each) { return is_same_user(each.name, user->name); })) {
      return fail(ErrorCode::kCorrupt, "Line {} of the password file \"{}\" names \"{}\" again.", line_number,
                  path.string(), user->name);
    }
    file.users_.push_back(*std::move(user));
  }
  return file;
}

std::optional<Role> PasswordFile::check(std::string_view name, std::string_view password) const {
  const auto is_it = [name](const User& each) { return each.means == Means::kPassword && each.name == name; };
  const auto user = std::ranges::find_if(users_, is_it);
  if (user == users_.end()) {
    const auto other = std::ranges::find(users_, Means::kPassword, &User::means);
    static_cast<void>(
        scrypt(password, std::string(kSaltBytes, '\0'), other == users_.end() ? HashCost{} : other->cost));
    return std::nullopt;
  }
  const auto hash = scrypt(password, user->salt, user->cost);
  if (!hash || ::CRYPTO_memcmp(hash->data(), user->hash.data(), kHashBytes) != 0) return std::nullopt;
  return user->role;
}

std::optional<Role> PasswordFile::role_of(std::string_view name, Means means) const {
  const auto user = std::ranges::find_if(
      users_, [&](const User& each) { return each.means == means && is_same_user(name, each.name); });
  return user == users_.end() ? std::nullopt : std::optional(user->role);
}

Result<std::string> password_line(std::string_view name, Role role, std::string_view password, const HashCost& cost) {
  COHORT_TRY(check_name(name));
  if (password.empty()) return fail(ErrorCode::kInvalidArgument, "The password of \"{}\" is empty.", name);
  std::array<unsigned char, kSaltBytes> salt_bytes{};
  if (::RAND_bytes(salt_bytes.data(), kSaltBytes) != 1) return fail(ErrorCode::kInternal, "There is no randomness.");
  const std::string salt(salt_bytes.begin(), salt_bytes.end());
  const auto hash = scrypt(password, salt, cost);
  if (!hash)
    return fail(ErrorCode::kInvalidArgument, "A hash with N={} r={} p={} is not possible.", cost.n, cost.r, cost.p);
  return fmt::format("{}:{}:scrypt:{}:{}:{}:{}:{}", name, word_of(kRoles, role), cost.n, cost.r, cost.p,
                     to_base64(salt), to_base64(*hash));
}

Result<std::string> line_without_password(std::string_view name, Role role, Means means) {
  COHORT_TRY(check_name(name));
  return fmt::format("{}:{}:{}", name, word_of(kRoles, role), word_of(kMeans, means));
}

}  // namespace cohort::http
