#include "cli/testing/program.h"

namespace cohort::cli {

int Program::run(const std::vector<std::string>& arguments) {
  out_.str("");
  err_.str("");
  Surroundings surroundings{{out_, err_},
                            [this](const client::SessionOptions& options) {
                              ++opened;
                              opened_with = options;
                              return std::make_unique<FakeSession>(session);
                            },
                            cancellation,
                            clock,
                            [this](Milliseconds time) { clock.now += time; }};
  return cli::run(arguments, surroundings);
}

Json Program::json() const {
  auto document = Json::parse(out(), nullptr, false);
  return document.is_discarded() ? Json() : document;
}

}  // namespace cohort::cli
