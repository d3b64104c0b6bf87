// A guard that only records what is asked of it.
#pragma once

#include <atomic>
#include <memory>

#include "service/ports/guard.h"
#include "service/testing/call_control.h"

namespace cohort::service {

class FakeGuard final : public Guard {
 public:
  explicit FakeGuard(CallControl& control) : control_(control) {}

  [[nodiscard]] Result<std::unique_ptr<ArmedGuard>> arm(const GuardedFence& fence) override {
    return control_.call("arm", [&]() -> Result<std::unique_ptr<ArmedGuard>> {
      fence_ = fence;
      return std::make_unique<Armed>(*this);
    });
  }

  // What disarm() will say.
  void act() { has_acted_ = true; }
  // Of the last call of arm().
  [[nodiscard]] const GuardedFence& fence() const { return fence_; }
  // Guards that were given up armed: they take this for the death of the process.
  [[nodiscard]] int left_armed() const { return left_armed_; }

 private:
  class Armed final : public ArmedGuard {
   public:
    explicit Armed(FakeGuard& guard) : guard_(guard) {}
    ~Armed() override { guard_.left_armed_ += is_armed_ || owes_thaw_ ? 1 : 0; }
    Armed(const Armed&) = delete;
    Armed& operator=(const Armed&) = delete;

    [[nodiscard]] Result<void> freeze() override {
      return guard_.control_.call("guard_freeze", [this]() -> Result<void> {
        owes_thaw_ = true;
        return {};
      });
    }
    [[nodiscard]] Result<void> raise() override {
      return guard_.control_.call("raise", [this]() -> Result<void> {
        is_raised_ = true;
        return {};
      });
    }
    [[nodiscard]] Result<void> thawed() override {
      return guard_.control_.call("guard_thawed", [this]() -> Result<void> {
        owes_thaw_ = false;
        if (!is_raised_) is_armed_ = false;
        return {};
      });
    }
    [[nodiscard]] Result<bool> disarm() override {
      return guard_.control_.call("disarm", [this]() -> Result<bool> {
        is_armed_ = false;
        return guard_.has_acted_.load();
      });
    }

   private:
    FakeGuard& guard_;
    bool is_armed_ = true;
    bool is_raised_ = false;
    bool owes_thaw_ = false;
  };

  CallControl& control_;
  GuardedFence fence_;
  std::atomic<bool> has_acted_{false};
  int left_armed_ = 0;
};

}  // namespace cohort::service
