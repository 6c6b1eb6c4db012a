#include "server/config_loader.h"

#include <algorithm>
#include <array>
#include <glob.h>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "base/version.h"
#include "fmt/format.h"
#include "server/config_file.h"
#include "server/config_registry.h"
#include "server/config_text.h"

namespace larder {
namespace {

constexpr int kMaxIncludeDepth = 16;
constexpr std::string_view kCommandLine = "";  // An origin without lines to count.

// The code says that the message is complete; what is wrong with a line alone is InvalidArgument.
absl::Status Fatal(std::string_view where, std::string_view line, std::string_view reason) {
  return absl::FailedPreconditionError(
      fmt::format("\n*** FATAL CONFIG FILE ERROR (Larder {}) ***\n{}\n>>> '{}'\n{}\n",
                  kLarderVersion, where, line, reason));
}

// The first word says what is in the line even when the line must not be shown.
std::string ShownLine(std::string_view line) {
  const std::string_view name = line.substr(0, line.find_first_of(" \t"));
  const Directive* directive = FindDirective(name);
  const bool is_secret = directive != nullptr && directive->Is(kSensitive);
  if (!is_secret || name == line) return std::string(line);
  return fmt::format("{} (not shown)", name);
}

// Files that match a pattern, in order; the path itself if it has no wildcard.
std::vector<std::string> FilesMatching(const std::string& pattern) {
  if (pattern.find_first_of("*?[") == std::string::npos) return {pattern};
  std::vector<std::string> paths;
  glob_t found = {};
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  globfree(&found);
  return paths;
}

bool IsOptionName(std::string_view argument) { return argument.substr(0, 2) == "--"; }

}  // namespace

CommandLineAction ActionOfCommandLine(std::span<const std::string_view> arguments) {
  if (arguments.empty()) return CommandLineAction::kRun;
  if (arguments[0] == "-v" || arguments[0] == "--version") return CommandLineAction::kPrintVersion;
  if (arguments[0] == "-h" || arguments[0] == "--help") return CommandLineAction::kPrintHelp;
  return CommandLineAction::kRun;
}

std::string CommandLineHelp() {
  return R"(Usage: larder-server [/path/to/larder.conf] [options] [-]
       larder-server - (read the configuration from standard input)
       larder-server -v or --version
       larder-server -h or --help

Every directive of the configuration file is an option: '--name value...'.
Options override the file. A redis.conf is understood as it is.

Examples:
       larder-server (with default settings)
       larder-server --port 7777 --threads 4
       larder-server /etc/larder.conf --loglevel verbose
       larder-server --maxmemory 100mb --maxmemory-policy allkeys-lru
       echo 'maxmemory 128mb' | larder-server -
)";
}

CommandLine DivideCommandLine(std::span<const std::string_view> arguments) {
  CommandLine command_line;
  size_t at = 0;
  if (!arguments.empty() && (arguments[0].empty() || arguments[0][0] != '-')) {
    command_line.file = std::string(arguments[at++]);
  }
  // Whether the option so far may be complete: its first value is taken as it is.
  bool is_complete = true;
  for (; at < arguments.size(); ++at) {
    const std::string_view argument = arguments[at];
    const bool is_last = at + 1 == arguments.size();
    if (argument == "-" && (at == 0 || is_last)) {
      command_line.reads_standard_input = true;
    } else if (is_complete && IsOptionName(argument)) {
      // Not quoted: '--port 7000' may come as one argument, and is complete then.
      const std::string_view name = TrimConfigLine(argument.substr(2));
      const bool brings_value = name.find_first_of(" \t") != name.npos;
      const bool has_value = !is_last && !IsOptionName(arguments[at + 1]);
      // A bare --save switches snapshots off, as it always did.
      const bool is_bare_save = EqualsIgnoreCase(name, "save") && !has_value;
      is_complete = is_bare_save || brings_value;
      command_line.options.push_back(absl::StrCat(AsAbsl(name), is_bare_save ? " \"\"" : ""));
    } else {
      if (command_line.options.empty()) command_line.options.emplace_back();
      std::string& line = command_line.options.back();
      absl::StrAppend(&line, line.empty() ? "" : " ", QuoteConfigValue(argument));
      is_complete = true;
    }
  }
  return command_line;
}

absl::Status ConfigLoader::LoadFile(const std::string& path) {
  auto text = ReadConfigFile(path);
  if (!text.ok()) {
    return absl::FailedPreconditionError(absl::StrCat("Fatal error, can't open config file '", path,
                                                      "': ", text.status().message(), "\n"));
  }
  return LoadLines(*text, path);
}

absl::Status ConfigLoader::LoadText(std::string_view text, std::string_view origin) {
  return LoadLines(text, origin);
}

absl::Status ConfigLoader::LoadOptions(std::span<const std::string> lines) {
  for (const std::string& line : lines) {
    LARDER_RETURN_IF_ERROR(LoadLine(TrimConfigLine(line), {.origin = kCommandLine}));
  }
  return absl::OkStatus();
}

std::vector<ConfigWarning> ConfigLoader::TakeWarnings() {
  std::vector<ConfigWarning> warnings = std::exchange(warnings_, {});
  if (idle_names_.empty()) return warnings;
  std::sort(idle_names_.begin(), idle_names_.end());
  idle_names_.erase(std::unique(idle_names_.begin(), idle_names_.end()), idle_names_.end());
  warnings.push_back({.origin = "configuration",
                      .text = absl::StrCat("these settings are accepted and have no effect: ",
                                           absl::StrJoin(std::exchange(idle_names_, {}), ", "))});
  return warnings;
}

absl::Status ConfigLoader::LoadLines(std::string_view text, std::string_view origin) {
  for (int line = 1; !text.empty(); ++line) {
    const size_t end = text.find('\n');
    LARDER_RETURN_IF_ERROR(
        LoadLine(TrimConfigLine(text.substr(0, end)), {.origin = origin, .line = line}));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return absl::OkStatus();
}

absl::Status ConfigLoader::LoadLine(std::string_view line, Place place) {
  if (IsCommentOrBlank(line)) return absl::OkStatus();
  auto words = SplitConfigLine(line);
  absl::Status status = words
                            ? LoadWords(*words, place)
                            : absl::InvalidArgumentError("Unbalanced quotes in configuration line");
  // An included file has told its own place already.
  if (status.ok() || absl::IsFailedPrecondition(status)) return status;
  const std::string where =
      place.line == 0
          ? "Reading the command line"
          : fmt::format("Reading the configuration file {}, at line {}", place.origin, place.line);
  return Fatal(where, ShownLine(line), AsStd(status.message()));
}

absl::Status ConfigLoader::LoadWords(const std::vector<std::string>& words, Place place) {
  if (words.empty()) return absl::OkStatus();
  const Directive* directive = FindDirective(words[0]);
  if (directive == nullptr) {
    return absl::InvalidArgumentError("Bad directive or wrong number of arguments");
  }
  const std::span<const std::string> values = std::span(words).subspan(1);
  if (std::holds_alternative<IncludeValue>(directive->value)) return Include(values);
  LARDER_RETURN_IF_ERROR(SetDirective(*directive, values, ConfigSource::kFile, config_));
  if (directive->Is(kNoEffect)) WarnOf(*directive, words[0], place);
  return absl::OkStatus();
}

absl::Status ConfigLoader::Include(std::span<const std::string> words) {
  if (words.size() != 1) {
    return absl::InvalidArgumentError("Bad directive or wrong number of arguments");
  }
  if (depth_ == kMaxIncludeDepth) {
    return absl::InvalidArgumentError("files include one another too deeply");
  }
  std::string pattern = words[0];
  // Redis changes to `dir` as soon as it has read it.
  if (!config_.dir.empty() && !pattern.empty() && pattern[0] != '/') {
    pattern = absl::StrCat(config_.dir, "/", pattern);
  }
  ++depth_;
  for (const std::string& path : FilesMatching(pattern)) LARDER_RETURN_IF_ERROR(LoadFile(path));
  --depth_;
  return absl::OkStatus();
}

void ConfigLoader::WarnOf(const Directive& directive, std::string_view name, Place place) {
  const bool is_default =
      !directive.Is(kFileOnly) &&
      PrintDirective(directive, config_) == PrintDirective(directive, DefaultConfig());
  if (is_default) {
    idle_names_.push_back(ToLower(name));
    return;
  }
  const std::string_view why = directive.note.empty() ? "has no effect in Larder" : directive.note;
  warnings_.push_back({.origin = place.line == 0 ? std::string("command line")
                                                 : fmt::format("{}:{}", place.origin, place.line),
                       .text = fmt::format("'{}' {}", ToLower(name), why)});
}

}  // namespace larder
