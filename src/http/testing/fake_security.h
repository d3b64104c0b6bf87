// A security context that negotiates in the clear: what tests say is its name, and it seals by turning bits.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "http/security_context.h"

namespace cohort::http {

// A token "one more" asks for another step, "user NAME" completes, and anything else is refused.
class FakeContext final : public SecurityContext {
 public:
  explicit FakeContext(bool& has_ended) : has_expired_(has_ended) {}

  Result<Step> accept(std::string_view token) override {
    if (token == "one more") return Step{"go on", false};
    if (!token.starts_with("user ")) return fail(ErrorCode::kPermission, "No.");
    name_ = token.substr(std::string_view("user ").size());
    return Step{"welcome", true};
  }
  std::string name() const override { return name_; }
  bool has_expired() const override { return has_expired_; }

  // A token is "#", and the text turned.
  Result<std::string> unseal(std::string_view token) override {
    if (!token.starts_with('#')) return fail(ErrorCode::kPermission, "Tampered.");
    return turned(token.substr(1));
  }
  Result<Sealed> seal(std::string_view text) override { return Sealed{"#", turned(text)}; }

  static std::string turned(std::string_view text) {
    std::string made(text);
    for (char& c : made) c = static_cast<char>(c ^ 0x55);
    return made;
  }

 private:
  bool& has_expired_;
  std::string name_;
};

class FakeSecurity final : public SecurityProvider {
 public:
  explicit FakeSecurity(bool& has_expired) : has_expired_(has_expired) {}
  std::unique_ptr<SecurityContext> begin(const Peer& /*peer*/) override {
    return std::make_unique<FakeContext>(has_expired_);
  }
  const std::vector<std::string>& schemes() const override { return schemes_; }

 private:
  bool& has_expired_;
  const std::vector<std::string> schemes_{"Negotiate"};
};

}  // namespace cohort::http
