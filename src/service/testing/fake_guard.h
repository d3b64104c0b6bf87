// A guard that only records what is asked of it.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "service/ports/guard.h"
#include "service/testing/call_control.h"

namespace cohort::service {

class FakeGuard final : public Guard {
 public:
  explicit FakeGuard(CallControl& control) : control_(control) {}

  [[nodiscard]] Result<std::unique_ptr<ArmedGuard>> arm(const std::vector<MachineId>& machines,
                                                        Milliseconds deadline) override {
    return control_.call("arm", [&]() -> Result<std::unique_ptr<ArmedGuard>> {
      watched_ = machines;
      deadline_ = deadline;
      return std::make_unique<Armed>(*this);
    });
  }

  // What disarm() will say.
  void act() { has_acted_ = true; }
  // Of the last call of arm().
  [[nodiscard]] const std::vector<MachineId>& watched() const { return watched_; }
  [[nodiscard]] Milliseconds deadline() const { return deadline_; }
  // Guards that were given up armed: they take this for the death of the process.
  [[nodiscard]] int left_armed() const { return left_armed_; }

 private:
  class Armed final : public ArmedGuard {
   public:
    explicit Armed(FakeGuard& guard) : guard_(guard) {}
    ~Armed() override { guard_.left_armed_ += is_armed_ ? 1 : 0; }
    Armed(const Armed&) = delete;
    Armed& operator=(const Armed&) = delete;

    [[nodiscard]] Result<void> raise() override {
      return guard_.control_.call("raise", []() -> Result<void> { return {}; });
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
  };

  CallControl& control_;
  std::vector<MachineId> watched_;
  Milliseconds deadline_{0};
  std::atomic<bool> has_acted_{false};
  int left_armed_ = 0;
};

}  // namespace cohort::service
