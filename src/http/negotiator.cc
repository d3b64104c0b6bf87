#include "http/negotiator.h"

#include <fmt/format.h>

#include <utility>

#include "http/ntlm_message.h"

namespace cohort::http {

class Negotiator::Ongoing final : public Negotiation {
 public:
  Ongoing(Negotiator& negotiator, const Peer& peer)
      : negotiator_(negotiator),
        peer_(peer),
        began_(negotiator.clock_.steady()),
        context_(negotiator.provider_->begin(peer)) {}

  std::optional<Step> accept(std::string_view token) override {
    ++steps_;
    const bool is_late = negotiator_.clock_.steady() - began_ > negotiator_.limits_.time;
    if (is_late || steps_ > negotiator_.limits_.steps) return refuse("", "It took too many steps, or too long.");
    // Of a name that is tried all that is known is what the client says; it counts for that client's address alone.
    const auto tried = ntlm_user(token);
    const std::string who = fmt::format("{} {}", peer_.address, tried.value_or(""));
    if (tried && negotiator_.lockout_.is_locked(who)) return refuse(*tried, "It has to wait after wrong passwords.");
    auto step = context_->accept(token);
    if (!step) {
      if (tried) negotiator_.lockout_.failed(who);
      return refuse(tried.value_or(""), step.error().describe());
    }
    if (!step->is_complete) return Step{std::move(step->token), false};
    if (tried) negotiator_.lockout_.succeeded(who);
    if (!identity()) return refuse(context_->name(), "There is no such user.");
    return Step{std::move(step->token), true};
  }

  std::optional<Identity> identity() override {
    if (context_->has_expired()) return std::nullopt;
    const auto role = negotiator_.owner_.role_of(context_->name());
    if (!role) return std::nullopt;
    return identify(context_->name(), *role);
  }

  Result<std::string> unseal(std::string_view token) override {
    auto text = context_->unseal(token);
    if (!text) negotiator_.owner_.on_refused(peer_, context_->name(), text.error().describe());
    return text;
  }

  Result<Sealed> seal(std::string_view text) override { return context_->seal(text); }

 private:
  std::optional<Step> refuse(std::string_view name, const std::string& why) {
    negotiator_.owner_.on_refused(peer_, name, why);
    return std::nullopt;
  }

  Negotiator& negotiator_;
  const Peer peer_;
  const SteadyTime began_;
  const std::unique_ptr<SecurityContext> context_;
  unsigned steps_ = 0;
};

Negotiator::Negotiator(std::unique_ptr<SecurityProvider> provider, Owner owner, const Clock& clock,
                       Lockout::Limits lockout, Limits limits)
    : provider_(std::move(provider)),
      owner_(std::move(owner)),
      clock_(clock),
      limits_(limits),
      lockout_(clock, lockout) {}

std::unique_ptr<Negotiation> Negotiator::begin(const Peer& peer) { return std::make_unique<Ongoing>(*this, peer); }

}  // namespace cohort::http
