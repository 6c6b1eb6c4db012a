// Configuration files on disk: reading them and bringing them up to date.
//
// Concurrency: every function is safe from any thread.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "commands/services.h"
#include "server/config.h"

namespace larder {

// The whole file. The message of an error is the system's alone.
absl::StatusOr<std::string> ReadConfigFile(const std::string& path);

// `text` changed so that it gives `config`, much as Redis changes it: lines that say what is so
// stay as they are, one that says otherwise keeps its place and gets the new value, further ones
// for the same go; comments and what is no setting stay; what is missing and not at its default
// comes at the end under a heading (kAll: also what is at its default).
std::string RewriteConfigText(std::string_view text, const Config& config,
                              RewriteScope scope = RewriteScope::kChanged);

// Puts `text` in the place of the file, all or nothing even across a crash. Keeps the mode. The
// message of an error is the system's alone.
absl::Status ReplaceConfigFile(const std::string& path, std::string_view text);

}  // namespace larder
