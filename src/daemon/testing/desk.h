// A CimServer over a broker with one class, for tests of the handlers.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "cim/schema.h"
#include "daemon/cim_server.h"
#include "daemon/testing/recording_log.h"
#include "http/authenticator.h"

namespace cohort::daemon {

// Makes identities, which nothing but an authenticator can.
class Doorkeeper final : public http::Authenticator {
 public:
  [[nodiscard]] std::variant<http::Identity, http::Challenge> authenticate(std::string_view /*authorization*/,
                                                                           const http::Peer& /*peer*/) override {
    return identify(name, role);
  }
  [[nodiscard]] http::Identity identity() { return std::get<http::Identity>(authenticate({}, {})); }
  std::string name = "ann";
  http::Role role = http::Role::kAdministrator;
};

// Collections c0, c1, …, and the service that changes them.
struct Shelf {
  std::atomic<int> collections = 3;
  std::atomic<std::size_t> name_bytes = 1;         // of each collection's name
  std::atomic<std::chrono::milliseconds> delay{};  // of a list
  std::atomic<std::chrono::milliseconds> call_delay{};
  std::atomic<bool> is_found_one_by_one = false;  // each collection, with the delay of a list
  std::atomic<int> calls = 0;
  std::atomic<std::uint32_t> code = 0;  // that methods return
};

class ShelfCollections final : public provider::ClassProvider {
 public:
  explicit ShelfCollections(Shelf& shelf) : shelf_(shelf) {}
  [[nodiscard]] std::string_view class_name() const override { return "Msvm_VirtualSystemCollection"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override {
    std::this_thread::sleep_for(shelf_.delay.load());
    std::vector<cim::Instance> all;
    for (int number = 0; number < shelf_.collections; ++number) {
      cim::Instance one;
      one.class_name = class_name();
      one.set("CollectionID", cim::Value("c" + std::to_string(number)));
      one.set("ElementName", cim::Value(std::string(shelf_.name_bytes, 'n')));
      all.push_back(std::move(one));
    }
    return all;
  }
  [[nodiscard]] bool finds_one() const override { return shelf_.is_found_one_by_one; }

 private:
  Shelf& shelf_;
};

class ShelfService final : public provider::ClassProvider {
 public:
  explicit ShelfService(Shelf& shelf) : shelf_(shelf) {}
  [[nodiscard]] std::string_view class_name() const override { return "Msvm_CollectionManagementService"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override {
    cim::Instance one;
    one.class_name = class_name();
    one.set("SystemCreationClassName", cim::Value("Msvm_ComputerSystem"));
    one.set("SystemName", cim::Value("host"));
    one.set("CreationClassName", cim::Value(class_name()));
    one.set("Name", cim::Value("cms"));
    return std::vector{one};
  }
  [[nodiscard]] provider::Right right_for(std::string_view /*method*/) const override {
    return provider::Right::kAdminister;
  }
  [[nodiscard]] Result<cim::MethodResult> invoke(const provider::MethodCall& /*call*/) override {
    std::this_thread::sleep_for(shelf_.call_delay.load());
    ++shelf_.calls;
    return cim::MethodResult{cim::Value(shelf_.code.load()), {}};
  }

 private:
  Shelf& shelf_;
};

class Desk {
 public:
  explicit Desk(CimServer::Limits limits = {}) : server(broker, rights, metrics, log, limits) {
    broker.add(cim::kVirtualizationNamespace, std::make_unique<ShelfCollections>(shelf));
    broker.add(cim::kVirtualizationNamespace, std::make_unique<ShelfService>(shelf));
  }

  [[nodiscard]] static const cim::Schema& schema() {
    static const cim::Schema built = *cim::Schema::built_in();
    return built;
  }

  Shelf shelf;
  SystemClock clock;
  RecordingLog log;
  Metrics metrics;
  Rights rights;
  provider::Broker broker{schema(), "host", clock, {}};
  CimServer server;
  Doorkeeper doorkeeper;
};

}  // namespace cohort::daemon
