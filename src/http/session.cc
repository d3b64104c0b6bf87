#include "http/session.h"

#include <fmt/format.h>
#include <strings.h>

#include <array>
#include <utility>

#include "http/base64.h"

namespace cohort::http {
namespace {

constexpr std::array<std::string_view, 2> kNegotiated = {"Negotiate", "Kerberos"};

// The scheme as it is written, if it is one that is negotiated.
std::optional<std::string_view> negotiated_scheme(std::string_view authorization) {
  for (const std::string_view scheme : kNegotiated) {
    const bool is_it = authorization.size() > scheme.size() && authorization[scheme.size()] == ' ' &&
                       ::strncasecmp(authorization.data(), scheme.data(), scheme.size()) == 0;
    if (is_it) return scheme;
  }
  return std::nullopt;
}

std::string challenge_of(std::string_view scheme, std::string_view token) {
  return token.empty() ? std::string(scheme) : fmt::format("{} {}", scheme, to_base64(token));
}

// The type of what a response says, which is sealed with it.
std::string take_content_type(Response& response) {
  std::string type = "application/octet-stream";
  std::erase_if(response.headers, [&](const Header& each) {
    const bool is_type = ::strcasecmp(each.name.c_str(), "Content-Type") == 0;
    if (is_type) type = each.value;
    return is_type;
  });
  return type;
}

// What is made while it is sent is sealed piece by piece. What cannot be sealed ends without its end, as if cut off.
Chunks sealed_pieces(std::function<std::optional<std::string>(std::string_view)> seal_part, Chunks chunks) {
  return [seal_part = std::move(seal_part), chunks = std::move(chunks),
          is_at_end = false]() mutable -> std::optional<std::string> {
    if (is_at_end) return std::nullopt;
    auto text = chunks();
    if (text && text->empty()) return text;
    if (text) return seal_part(*text).value();
    is_at_end = true;
    return std::string(sealed_end());
  };
}

void set_content_type(Request& request, std::string_view type) {
  for (Header& each : request.headers) {
    if (::strcasecmp(each.name.c_str(), "Content-Type") == 0) each.value = type;
  }
}

}  // namespace

std::variant<Identity, Challenge> Session::authenticate(std::string_view authorization) {
  last_challenge_.clear();
  if (authorization.empty() && is_complete_) {
    if (auto identity = negotiation_->identity()) return *std::move(identity);
  }
  const auto scheme = negotiated_scheme(authorization);
  const bool goes_on = scheme && negotiation_ && !is_complete_;
  if (!goes_on) {
    negotiation_ = scheme ? authenticator_.negotiate(peer_) : nullptr;
    is_complete_ = has_sealed_ = false;
  }
  if (negotiation_) return step(*scheme, authorization.substr(scheme->size() + 1));
  return authenticator_.authenticate(authorization, peer_);
}

std::variant<Identity, Challenge> Session::step(std::string_view scheme, std::string_view token) {
  const auto bytes = from_base64(token);
  const auto made = bytes && !bytes->empty() ? negotiation_->accept(*bytes) : std::nullopt;
  if (made && !made->is_complete) return Challenge{{challenge_of(scheme, made->token)}};
  auto identity = made ? negotiation_->identity() : std::nullopt;
  is_complete_ = identity.has_value();
  if (identity) {
    if (!made->token.empty()) last_challenge_ = challenge_of(scheme, made->token);
    return *std::move(identity);
  }
  negotiation_ = nullptr;
  auto refused = authenticator_.authenticate("", peer_);
  if (!std::holds_alternative<Challenge>(refused)) return Challenge{{}, true};
  std::get<Challenge>(refused).ends_connection = true;
  return refused;
}

Response Session::answer(Request request, const Identity& identity, Handler& handler) {
  // A client that negotiates first sends nothing with it.
  const bool is_greeting = is_complete_ && negotiated_scheme(request.header("Authorization")) && request.body.empty();
  const std::string challenge = std::exchange(last_challenge_, {});
  Response response = is_greeting ? Response{200, {}, {}} : answer_message(std::move(request), identity, handler);
  if (!challenge.empty()) response.headers.push_back({"WWW-Authenticate", challenge});
  return response;
}

Response Session::answer_message(Request request, const Identity& identity, Handler& handler) {
  if (is_complete_ && is_sealed(request.header("Content-Type"))) {
    return answer_sealed(std::move(request), identity, handler);
  }
  if (peer_.is_exposed || has_sealed_) return {403, {}, {}};
  return handler.handle(request, identity);
}

Response Session::answer_sealed(Request request, const Identity& identity, Handler& handler) {
  const auto form = open(request);
  if (!form) {
    // Whoever sent it is not who was negotiated with, and what seals is out of step.
    negotiation_ = nullptr;
    is_complete_ = has_sealed_ = false;
    return {400, {}, {}};
  }
  has_sealed_ = true;
  return seal(*form, handler.handle(request, identity));
}

// Puts what was sealed in the place of the body.
Result<SealedForm> Session::open(Request& request) {
  COHORT_ASSIGN(const SealedBody sealed, read_sealed(request.header("Content-Type"), request.body));
  std::string text;
  for (const SealedPart& each : sealed.parts) {
    COHORT_ASSIGN(const std::string part, negotiation_->unseal(each.token));
    text += part;
  }
  set_content_type(request, std::string(sealed.parts.front().content_type));
  request.body = std::move(text);
  return sealed.form;
}

Response Session::seal(const SealedForm& form, Response response) {
  const std::string type = take_content_type(response);
  const auto seal_part = [this, form, type](std::string_view text) -> std::optional<std::string> {
    const auto sealed = negotiation_->seal(text);
    if (!sealed) return std::nullopt;
    return write_sealed_part(form, type, text.size(), *sealed);
  };
  if (auto* const chunks = std::get_if<Chunks>(&response.body)) {
    response.body = sealed_pieces(seal_part, std::move(*chunks));
  } else {
    auto& text = std::get<std::string>(response.body);
    if (text.empty()) return response;
    auto part = seal_part(text);
    if (!part) return {500, {}, {}};
    text = part->append(sealed_end());
  }
  response.headers.push_back({"Content-Type", sealed_content_type(form)});
  return response;
}

}  // namespace cohort::http
