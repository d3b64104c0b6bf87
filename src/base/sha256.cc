#include "base/sha256.h"

#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <vector>

namespace cohort {

struct Sha256::Impl {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  Impl() {
    if (context == nullptr || EVP_DigestInit_ex(context, EVP_sha256(), nullptr) != 1) {
      std::abort();  // out of memory, or an OpenSSL without SHA-256
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) { EVP_DigestUpdate(impl_->context, bytes.data(), bytes.size()); }

std::string Sha256::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_DigestFinal_ex(impl_->context, digest.data(), &size);
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += fmt::format("{:02x}", digest[i]);
  }
  return text;
}

std::string Sha256::of(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

Result<std::string> sha256_of_file(const Path& path, std::stop_token stop,
                                   const std::function<void(std::uint64_t)>& on_read) {
  COHORT_ASSIGN(const UniqueFd fd, open_readonly(path));
  std::vector<char> buffer(1U << 20U);
  Sha256 hash;
  while (true) {
    if (stop.stop_requested()) {
      return fail(ErrorCode::kCancelled, "Cancelled while reading \"{}\".", path.string());
    }
    const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Failure{system_error(errno, fmt::format("\"{}\" cannot be read.", path.string()))};
    if (count == 0) return hash.finish();
    hash.update({buffer.data(), static_cast<std::size_t>(count)});
    if (on_read) on_read(static_cast<std::uint64_t>(count));
  }
}

}  // namespace cohort
