// What is true of every export that is refused.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "service/testing/package_lab.h"

namespace cohort::service {

// Fails with that code and those words, before anything was made or copied.
inline void expect_refused_export(PackageLab& lab, const ExportRequest& request, ErrorCode code,
                                  const std::string& words) {
  const auto before = PackageLab::names_in(lab.folder.path());
  const auto exported = lab.run_export(request);
  ASSERT_FALSE(exported);
  EXPECT_EQ(exported.error().code, code) << exported.error().describe();
  EXPECT_THAT(exported.error().describe(), ::testing::HasSubstr(words));
  EXPECT_EQ(PackageLab::names_in(lab.folder.path()), before);
  EXPECT_EQ(lab.control.count("copy"), 0U);
  EXPECT_THAT(lab.left_open(), ::testing::IsEmpty());
}

}  // namespace cohort::service
