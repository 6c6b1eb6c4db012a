// The server's log, in Redis's format and with its levels, through spdlog.
//
//   Log(LogLevel::kNotice, "Ready to accept connections");
//
// Concurrency: safe from any thread once InitLogging has returned.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "server/config.h"

namespace larder {

// To standard output or config.log_file, and to syslog if asked. Fails if the file cannot be
// opened.
absl::Status InitLogging(const Config& config);
void SetLogLevel(LogLevel level);
bool LogEnabled(LogLevel level);
void Log(LogLevel level, std::string_view message);

}  // namespace larder
