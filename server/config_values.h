// The directives whose value is more than a number, a word or a choice: how each is checked and
// printed. The rows of config_directives.cpp refer to these.
//
// A parser leaves `config` half changed when it fails; whoever calls it works on a copy. A printer
// gives what CONFIG GET shows, which the parser takes back. Words that a line or CONFIG SET gives
// as one are divided before.
//
// Concurrency: every function is safe from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "server/config.h"

namespace larder {

// Lines of a file add to one another where one line cannot say all; CONFIG SET replaces.
enum class ConfigSource : uint8_t { kFile, kSet };

using ConfigWords = std::span<const std::string>;

absl::Status ParseBind(Config& config, ConfigWords words, ConfigSource source);
std::string PrintBind(const Config& config);

absl::Status ParseSave(Config& config, ConfigWords words, ConfigSource source);
std::string PrintSave(const Config& config);
std::vector<std::string> SaveLines(const Config& config);

// CONFIG SET takes several rules with a ';' between them.
absl::Status ParseStampedeRules(Config& config, ConfigWords words, ConfigSource source);
std::string PrintStampedeRules(const Config& config);
std::vector<std::string> StampedeRuleLines(const Config& config);

absl::Status ParseOutputLimits(Config& config, ConfigWords words, ConfigSource source);
std::string PrintOutputLimits(const Config& config);
std::vector<std::string> OutputLimitLines(const Config& config);

absl::Status ParseMaxMemory(Config& config, ConfigWords words, ConfigSource source);
std::string PrintMaxMemory(const Config& config);  // In bytes, whatever they are a share of.
std::vector<std::string> MaxMemoryLines(const Config& config);
// Takes a share of what this process may use now. REQUIRES: the configuration has one.
absl::Status FitMaxMemory(Config& config);

absl::Status ParseNotifyEvents(Config& config, ConfigWords words, ConfigSource source);
std::string PrintNotifyEvents(const Config& config);

absl::Status ParseOomScoreValues(Config& config, ConfigWords words, ConfigSource source);
std::string PrintOomScoreValues(const Config& config);

absl::Status ParsePercentiles(Config& config, ConfigWords words, ConfigSource source);
std::string PrintPercentiles(const Config& config);

absl::Status ParseShutdownOnSigterm(Config& config, ConfigWords words, ConfigSource source);
std::string PrintShutdownOnSigterm(const Config& config);
absl::Status ParseShutdownOnSigint(Config& config, ConfigWords words, ConfigSource source);
std::string PrintShutdownOnSigint(const Config& config);

absl::Status ParseDirectory(Config& config, ConfigWords words, ConfigSource source);
std::string PrintDirectory(const Config& config);

absl::Status ParseHz(Config& config, ConfigWords words, ConfigSource source);
std::string PrintHz(const Config& config);

absl::Status ParseThreads(Config& config, ConfigWords words, ConfigSource source);
std::string PrintThreads(const Config& config);

absl::Status ParseReplicaOf(Config& config, ConfigWords words, ConfigSource source);
std::string PrintReplicaOf(const Config& config);
std::vector<std::string> ReplicaOfLines(const Config& config);

// Only in files: they have no value that could be shown.
absl::Status ParseRenameCommand(Config& config, ConfigWords words, ConfigSource source);
absl::Status ParseLoadModule(Config& config, ConfigWords words, ConfigSource source);
absl::Status ParseUser(Config& config, ConfigWords words, ConfigSource source);

// What a text must be; OK or the reason why it is not.
absl::Status CheckDumpFileName(std::string_view text);
absl::Status CheckAppendFileName(std::string_view text);
absl::Status CheckAppendDirName(std::string_view text);
absl::Status CheckProcTitleTemplate(std::string_view text);
absl::Status CheckHostname(std::string_view text);
absl::Status CheckDelimiter(std::string_view text);

// The cores of this machine that the process may use.
int64_t AvailableCores();

}  // namespace larder
