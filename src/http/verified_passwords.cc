#include "http/verified_passwords.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <cstdlib>

namespace cohort::http {
namespace {

constexpr std::size_t kKeyBytes = 32;

std::string random_key() {
  std::array<unsigned char, kKeyBytes> key{};
  if (::RAND_bytes(key.data(), kKeyBytes) != 1) std::abort();  // a key that can be guessed is worse than none
  return {key.begin(), key.end()};
}

}  // namespace

VerifiedPasswords::VerifiedPasswords(const Clock& clock, std::chrono::seconds lifetime, std::size_t limit)
    : clock_(clock), lifetime_(lifetime), limit_(limit), key_(random_key()) {}

std::optional<Role> VerifiedPasswords::role_of(std::string_view name, std::string_view password) const {
  const std::string wanted = digest(name, password);
  const std::lock_guard lock(mutex_);
  const auto found = verified_.find(wanted);
  if (found == verified_.end() || clock_.steady() >= found->second.until) return std::nullopt;
  return found->second.role;
}

void VerifiedPasswords::remember(std::string_view name, std::string_view password, Role role) {
  std::string right = digest(name, password);
  const SteadyTime now = clock_.steady();
  const std::lock_guard lock(mutex_);
  std::erase_if(verified_, [&](const auto& each) { return now >= each.second.until; });
  if (verified_.size() >= limit_) verified_.clear();
  verified_.insert_or_assign(std::move(right), Verified{role, now + lifetime_});
}

std::string VerifiedPasswords::digest(std::string_view name, std::string_view password) const {
  std::string text(name);
  text += '\0';
  text += password;
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned length = 0;
  // NOLINTNEXTLINE(*-reinterpret-cast): OpenSSL's bytes
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  ::HMAC(::EVP_sha256(), key_.data(), static_cast<int>(key_.size()), bytes, text.size(), hash.data(), &length);
  return {hash.begin(), hash.begin() + length};
}

}  // namespace cohort::http
