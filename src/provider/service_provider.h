// What the services have in common: one instance each, and methods that are found by name.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "provider/provider.h"
#include "provider/return_code.h"

namespace cohort::provider {

// Told why a call was answered with a code that says little: for the log.
using OnRefusal = std::function<void(const MethodCall& call, const Error& why)>;

// What every service of this host is told when it is made.
struct ServiceSurroundings {
  std::string host_name;
  OnRefusal on_refusal;  // called from any thread; may be empty
};

class ServiceProvider : public ClassProvider {
 public:
  [[nodiscard]] std::string_view class_name() const override { return class_name_; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;
  [[nodiscard]] Right right_for(std::string_view method) const override;
  // A failure of the method is answered with the family's code for it, and told to on_refusal.
  [[nodiscard]] Result<cim::MethodResult> invoke(const MethodCall& call) override;

 protected:
  using Run = std::function<Result<cim::MethodResult>(const MethodCall& call)>;

  ServiceProvider(std::string class_name, std::string title, CodeFamily family,
                  const ServiceSurroundings& surroundings);

  // Methods that the class declares and that are not offered are "not supported".
  void offer(std::string method, Right right, Run run);

 private:
  struct Method {
    std::string name;
    Right right;
    Run run;
  };

  std::string class_name_;
  std::string title_;
  CodeFamily family_;
  ServiceSurroundings surroundings_;
  std::vector<Method> methods_;
};

}  // namespace cohort::provider
