// The shapes of --json against tests/golden/json. After a wanted change: run with COHORT_ACCEPT_GOLDEN=1, read the
// difference, and describe it in docs/json.md.
#include "cli/output/json.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "cli/testing/examples.h"
#include "cli/testing/program.h"

namespace cohort::cli {
namespace {

struct Golden {
  std::string file;  // without ".json"
  std::vector<std::string> arguments;
};

std::string read_whole(const Path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class JsonGolden : public testing::TestWithParam<Golden> {};

TEST_P(JsonGolden, DocumentIsAsAccepted) {
  Program program;
  std::vector<std::string> arguments = GetParam().arguments;
  arguments.insert(arguments.begin(), "--json");
  program.run(arguments);
  const Path path = Path(COHORT_GOLDEN_JSON) / (GetParam().file + ".json");
  if (std::getenv("COHORT_ACCEPT_GOLDEN") != nullptr) {
    std::ofstream(path) << program.out();
  }
  EXPECT_EQ(program.out(), read_whole(path));
}

INSTANTIATE_TEST_SUITE_P(
    Json, JsonGolden,
    testing::Values(
        Golden{"collection_list", {"collection", "list"}}, Golden{"collection_show", {"collection", "show", "shop"}},
        Golden{"collection_create", {"collection", "create", "shop"}},
        Golden{"snapshot_take", {"snapshot", "take", "shop"}},
        Golden{"snapshot_take_plan", {"snapshot", "take", "shop", "--dry-run"}},
        Golden{"snapshot_list", {"snapshot", "list"}}, Golden{"snapshot_delete", {"snapshot", "delete", "x"}},
        Golden{"snapshot_apply", {"snapshot", "apply", "x", "--keep-current"}},
        Golden{"snapshot_apply_plan", {"snapshot", "apply", "x", "--dry-run"}},
        Golden{"snapshot_delete_plan", {"snapshot", "delete", "x", "--dry-run"}},
        Golden{"reference_create", {"reference", "create", "shop"}}, Golden{"reference_list", {"reference", "list"}},
        Golden{"export", {"export", "x", "/d"}}, Golden{"export_plan", {"export", "x", "/d", "--dry-run"}},
        Golden{"package_list", {"package", "list", "/d"}}, Golden{"package_show", {"package", "show", "/d"}},
        Golden{"package_prune", {"package", "prune", "/d", "--keep-last", "2"}},
        Golden{"package_merge", {"package", "merge", "/d", "/e"}},
        Golden{"package_merge_plan", {"package", "merge", "/d", "/e", "--dry-run"}}, Golden{"verify", {"verify", "/d"}},
        Golden{"import", {"import", "/d"}}, Golden{"import_plan", {"import", "/d", "--dry-run"}},
        Golden{"try", {"try", "/d"}}, Golden{"try_plan", {"try", "/d", "--dry-run"}},
        Golden{"backup", {"backup", "shop", "/d"}}, Golden{"backup_plan", {"backup", "shop", "/d", "--dry-run"}},
        Golden{"job_list", {"job", "list"}}, Golden{"job_show", {"job", "show", "9"}},
        Golden{"job_cancel", {"job", "cancel", "9"}}, Golden{"vm_list", {"vm", "list"}},
        Golden{"host_check", {"host", "check"}}, Golden{"host_doctor", {"host", "doctor"}},
        Golden{"version", {"--version"}}, Golden{"usage_error", {"collection", "make"}}),
    [](const auto& golden) { return golden.param.file; });

void collect_keys(const Json& json, std::set<std::string>& keys) {
  if (json.is_object()) {
    for (const auto& item : json.items()) {
      keys.insert(item.key());
    }
  }
  if (json.is_structured()) {
    for (const auto& value : json) {
      collect_keys(value, keys);
    }
  }
}

TEST(JsonDocument, EveryFieldIsDescribed) {
  const std::string manual = read_whole(Path(COHORT_DOCS) / "json.md");
  std::set<std::string> keys;
  for (const auto& entry : std::filesystem::directory_iterator(COHORT_GOLDEN_JSON)) {
    collect_keys(Json::parse(read_whole(entry.path())), keys);
  }
  EXPECT_GT(keys.size(), 60U);
  for (const auto& key : keys) {
    EXPECT_TRUE(manual.find("\"" + key + "\"") != std::string::npos ||
                manual.find("`" + key + "`") != std::string::npos)
        << key << " is not in docs/json.md";
  }
}

TEST(Json, IsAlwaysUtf8) { EXPECT_EQ(to_text(Json{{"path", "a\xFF"}}), "{\n  \"path\": \"a\xEF\xBF\xBD\"\n}\n"); }

TEST(Json, WhatWasNotMeasuredIsNull) {
  const Json fence = to_json(FenceRecord{});
  EXPECT_EQ(fence.at("proven"), false);
  EXPECT_TRUE(fence.at("overlap_us").is_null());
  EXPECT_TRUE(fence.at("overlap_begin").is_null());
}

}  // namespace
}  // namespace cohort::cli
