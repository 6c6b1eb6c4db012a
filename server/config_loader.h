// Reads a whole configuration: the command line, the file and standard input that it names, and
// what they include.
//
// Concurrency: every function is safe from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/config.h"

namespace larder {

struct Directive;

// What the command line asks for.
enum class CommandLineAction : uint8_t { kRun, kPrintVersion, kPrintHelp };

// kRun, unless the first argument is -v, --version, -h or --help.
CommandLineAction ActionOfCommandLine(std::span<const std::string_view> arguments);
std::string CommandLineHelp();

// The parts of a command line (without the program's name) as redis-server divides it:
//
//   [file] [--name value...]... [-]
//
// An option takes all words up to the next that starts with "--"; its first value may start so too.
struct CommandLine {
  std::optional<std::string> file;
  bool reads_standard_input = false;
  std::vector<std::string> options;  // A line of a file for each.
};
CommandLine DivideCommandLine(std::span<const std::string_view> arguments);

// A line that was accepted although it does not do what Redis would.
struct ConfigWarning {
  // "/etc/larder.conf:12" or "command line"; "configuration" if it is about several lines.
  std::string origin;
  std::string text;  // Names the directive.
};

// Applies text, line by line, to a configuration. Errors are complete, in Redis's wording, several
// lines long and end in a newline; the configuration is then in between and to be thrown away.
class ConfigLoader {
 public:
  explicit ConfigLoader(Config config) : config_(std::move(config)) {}

  absl::Status LoadFile(const std::string& path);
  absl::Status LoadText(std::string_view text, std::string_view origin);
  absl::Status LoadOptions(std::span<const std::string> lines);

  // The result. TakeWarnings() sums up what was set in vain.
  const Config& config() const { return config_; }
  std::vector<ConfigWarning> TakeWarnings();

 private:
  // Where a line stands. A line number of zero is none.
  struct Place {
    std::string_view origin;
    int line = 0;
  };

  absl::Status LoadLines(std::string_view text, std::string_view origin);
  absl::Status LoadLine(std::string_view line, Place place);
  absl::Status LoadWords(const std::vector<std::string>& words, Place place);
  absl::Status Include(std::span<const std::string> words);
  void WarnOf(const Directive& directive, std::string_view name, Place place);

  Config config_;
  std::vector<ConfigWarning> warnings_;
  std::vector<std::string> idle_names_;  // Set to their default, without effect anyway.
  int depth_ = 0;                        // Of includes.
};

}  // namespace larder
