// Settings of memory, processors, disks and network cards: each class tells of parts of a configuration.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "provider/machine_configurations.h"
#include "provider/provider.h"

namespace cohort::provider {

// The instances of one class that describe parts of a configuration, each with its InstanceID.
struct PartClass {
  std::string_view name;
  std::vector<cim::Instance> (*parts)(const MachineConfiguration& configuration);
};
[[nodiscard]] const std::vector<PartClass>& part_classes();

// "Microsoft:<UUID>\<name>": the same as long as the configuration has the part.
[[nodiscard]] std::string part_id(const MachineConfiguration& configuration, std::string_view name);
[[nodiscard]] cim::ObjectPath path_of_part(std::string_view class_name, const std::string& instance_id);
// An instance with its class, InstanceID and ElementName.
[[nodiscard]] cim::Instance part(std::string_view class_name, const std::string& instance_id,
                                 std::string_view element_name);

// Threads: as ClassProvider.
class MachinePartProvider final : public ClassProvider {
 public:
  MachinePartProvider(PartClass of, MachineConfigurations configurations)
      : class_(of), configurations_(configurations) {}

  [[nodiscard]] std::string_view class_name() const override { return class_.name; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;
  [[nodiscard]] Result<std::optional<cim::Instance>> find(const cim::ObjectPath& path) override;
  [[nodiscard]] bool finds_one() const override { return true; }
  [[nodiscard]] Result<void> name_all(const std::function<void(const cim::Instance&)>& take) override;

 private:
  PartClass class_;
  MachineConfigurations configurations_;
};

}  // namespace cohort::provider
