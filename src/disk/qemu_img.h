// Running qemu-img, and what its complaints mean.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/process.h"
#include "base/result.h"

namespace cohort::disk {

// Runs "qemu-img" with these arguments. An exit status other than 0 is an error: `what` ("Copying \"/x\"") begins its
// sentence, qemu-img's words are its cause.
[[nodiscard]] Result<std::string> run_qemu_img(const std::vector<std::string>& arguments, const std::string& what,
                                               std::stop_token stop = {},
                                               const std::function<void(std::string_view)>& on_output = {});

// The error that qemu-img's words on its standard error (under LC_ALL=C) stand for.
[[nodiscard]] Error qemu_img_error(std::string_view words, const std::string& what);

}  // namespace cohort::disk
