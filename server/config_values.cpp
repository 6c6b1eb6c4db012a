#include "server/config_values.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <sched.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/numbers.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "fmt/format.h"
#include "server/config_text.h"

namespace larder {
namespace {

constexpr int64_t kMaxThreads = 1024;
constexpr size_t kMaxBindAddresses = 16;
constexpr std::string_view kBadDirective = "Bad directive or wrong number of arguments";
constexpr std::string_view kWrongNumberOfArguments = "wrong number of arguments";

absl::Status Refuse(std::string_view reason) { return absl::InvalidArgumentError(AsAbsl(reason)); }

// A line can say "nothing" with no word or with an empty one.
bool IsEmptyValue(ConfigWords words) {
  return words.empty() || (words.size() == 1 && words[0].empty());
}

// One number from zero to `high`.
absl::StatusOr<int64_t> ParseCount(ConfigWords words, int64_t high) {
  if (words.size() != 1) return Refuse(kWrongNumberOfArguments);
  const auto count = ParseInt64(words[0]);
  if (!count) return Refuse("argument couldn't be parsed into an integer");
  if (*count < 0 || *count > high) {
    return Refuse(fmt::format("argument must be between 0 and {} inclusive", high));
  }
  return *count;
}

// --- maxmemory ---

// Of what the process may use. The rest is for what is not counted or comes on top: fragmentation
// (a tenth of maxmemory), buffers of clients (a sixteenth), stacks, and the kernel's own buffers of
// our sockets, which are the control group's as well.
constexpr int64_t kAutomaticPercent = 75;

// The percent that `auto` or `75%` asks for; nothing if it is an amount of bytes.
std::optional<int64_t> ParseShare(std::string_view text) {
  if (EqualsIgnoreCase(text, "auto")) return kAutomaticPercent;
  if (text.empty() || text.back() != '%') return std::nullopt;
  return ParseInt64(text.substr(0, text.size() - 1)).value_or(0);
}

// --- save ---

std::optional<SavePoint> ParseSavePoint(std::string_view seconds, std::string_view changes) {
  const auto parsed_seconds = ParseInt64(seconds);
  const auto parsed_changes = ParseInt64(changes);
  if (!parsed_seconds || *parsed_seconds < 1 || !parsed_changes || *parsed_changes < 0 ||
      *parsed_changes > INT_MAX) {
    return std::nullopt;
  }
  return SavePoint{.seconds = *parsed_seconds, .changes = *parsed_changes};
}

// --- client-output-buffer-limit ---

struct OutputClass {
  std::string_view name;
  std::string_view alias;
  std::string_view shown_as;  // CONFIG GET still says slave, CONFIG REWRITE already replica.
  OutputBufferLimit Config::* limit;
};

constexpr std::array<OutputClass, 3> kOutputClasses = {{
    {"normal", "normal", "normal", &Config::normal_output_limit},
    {"replica", "slave", "slave", &Config::replica_output_limit},
    {"pubsub", "pubsub", "pubsub", &Config::pubsub_output_limit},
}};

const OutputClass* FindOutputClass(std::string_view name) {
  for (const OutputClass& output_class : kOutputClasses) {
    if (EqualsIgnoreCase(name, output_class.name) || EqualsIgnoreCase(name, output_class.alias)) {
      return &output_class;
    }
  }
  return nullptr;
}

absl::Status ParseOutputLimit(Config& config, ConfigWords words) {
  const OutputClass* output_class = FindOutputClass(words[0]);
  if (output_class == nullptr) {
    return Refuse("Invalid client class specified in buffer limit configuration.");
  }
  const auto hard_bytes = ParseMemory(words[1]);
  const auto soft_bytes = ParseMemory(words[2]);
  const auto soft_seconds = ParseInt64(words[3]);
  if (!hard_bytes || !soft_bytes || !soft_seconds || *soft_seconds < 0 || *soft_seconds > INT_MAX) {
    return Refuse("Error in hard, soft or soft_seconds setting in buffer limit configuration.");
  }
  config.*output_class->limit = {
      .hard_bytes = *hard_bytes, .soft_bytes = *soft_bytes, .soft_seconds = *soft_seconds};
  return absl::OkStatus();
}

// --- notify-keyspace-events ---

struct EventLetter {
  char letter;
  uint32_t bit;
};

// In the order in which Redis prints them; the first ones are what A stands for.
constexpr std::array<EventLetter, 14> kEventLetters = {{
    {'g', keyspace_event::kGeneric},
    {'$', keyspace_event::kString},
    {'l', keyspace_event::kList},
    {'s', keyspace_event::kSet},
    {'h', keyspace_event::kHash},
    {'z', keyspace_event::kSortedSet},
    {'x', keyspace_event::kExpired},
    {'e', keyspace_event::kEvicted},
    {'t', keyspace_event::kStream},
    {'d', keyspace_event::kModule},
    {'n', keyspace_event::kNewKey},
    {'K', keyspace_event::kKeyspace},
    {'E', keyspace_event::kKeyevent},
    {'m', keyspace_event::kKeyMiss},
}};

std::optional<uint32_t> EventBitsOf(char letter) {
  if (letter == 'A') return keyspace_event::kAll;
  for (const EventLetter& event : kEventLetters) {
    if (event.letter == letter) return event.bit;
  }
  return std::nullopt;
}

// --- shutdown-on-sig* ---

struct ShutdownWord {
  std::string_view word;
  uint32_t bit;
};

constexpr std::array<ShutdownWord, 5> kShutdownWords = {{
    {"default", 0},
    {"save", shutdown_flag::kSave},
    {"nosave", shutdown_flag::kNoSave},
    {"now", shutdown_flag::kNow},
    {"force", shutdown_flag::kForce},
}};

absl::Status ParseShutdownFlags(ConfigWords words, uint32_t& flags) {
  flags = 0;
  for (const std::string& text : words) {
    const auto* const word = std::find_if(
        kShutdownWords.begin(), kShutdownWords.end(),
        [&](const ShutdownWord& candidate) { return EqualsIgnoreCase(text, candidate.word); });
    if (word == kShutdownWords.end()) {
      return Refuse("argument(s) must be one of the following: default, save, nosave, now, force");
    }
    flags |= word->bit;
  }
  if (words.empty()) {
    return Refuse("argument(s) must be one of the following: default, save, nosave, now, force");
  }
  if ((flags & shutdown_flag::kSave) != 0 && (flags & shutdown_flag::kNoSave) != 0) {
    return Refuse("shutdown options SAVE and NOSAVE can't be used simultaneously");
  }
  return absl::OkStatus();
}

std::string PrintShutdownFlags(uint32_t flags) {
  if (flags == 0) return "default";
  std::vector<std::string> words;
  for (const ShutdownWord& word : kShutdownWords) {
    if ((flags & word.bit) != 0) words.emplace_back(word.word);
  }
  return absl::StrJoin(words, " ");
}

// --- user ---

// Rules that take nothing away from what the default user may do anyway.
bool IsUnrestrictedRule(std::string_view rule) {
  static constexpr std::array<std::string_view, 10> kRules = {"on",
                                                              "~*",
                                                              "allkeys",
                                                              "&*",
                                                              "+@all",
                                                              "allchannels",
                                                              "allcommands",
                                                              "sanitize-payload",
                                                              "skip-sanitize-payload",
                                                              "nopass"};
  return std::any_of(kRules.begin(), kRules.end(),
                     [&](std::string_view known) { return EqualsIgnoreCase(rule, known); });
}

absl::Status ApplyDefaultUserRule(Config& config, std::string_view rule) {
  if (EqualsIgnoreCase(rule, "nopass")) config.require_pass.clear();
  if (IsUnrestrictedRule(rule)) return absl::OkStatus();
  if (rule.size() > 1 && rule[0] == '>') {
    config.require_pass = rule.substr(1);
    return absl::OkStatus();
  }
  // Redis writes the hash of the password itself when it rewrites a file that has requirepass.
  if (rule.size() == 65 && rule[0] == '#' && !config.require_pass.empty()) return absl::OkStatus();
  return Refuse(
      fmt::format("Error in user declaration 'default': Larder does not enforce the rule "
                  "'{}'; give the password with requirepass",
                  rule));
}

std::string WorkingDirectory() {
  std::array<char, PATH_MAX> path;
  return getcwd(path.data(), path.size()) == nullptr ? "." : path.data();
}

bool HasSlash(std::string_view text) { return text.find('/') != std::string_view::npos; }

}  // namespace

absl::Status ParseBind(Config& config, ConfigWords words, ConfigSource) {
  if (words.size() > kMaxBindAddresses) return Refuse("Too many bind addresses specified.");
  config.bind_addresses.clear();
  if (!IsEmptyValue(words)) config.bind_addresses.assign(words.begin(), words.end());
  return absl::OkStatus();
}

std::string PrintBind(const Config& config) { return absl::StrJoin(config.bind_addresses, " "); }

absl::Status ParseSave(Config& config, ConfigWords words, ConfigSource source) {
  std::vector<SavePoint> points;
  if (!IsEmptyValue(words)) {
    if (words.size() % 2 != 0) return Refuse("Invalid save parameters");
    for (size_t i = 0; i < words.size(); i += 2) {
      const auto point = ParseSavePoint(words[i], words[i + 1]);
      if (!point) return Refuse("Invalid save parameters");
      points.push_back(*point);
    }
  }
  // Each line of a file adds its points; an empty one drops those above it.
  if (source == ConfigSource::kSet || points.empty()) config.save_points.clear();
  config.save_points.insert(config.save_points.end(), points.begin(), points.end());
  return absl::OkStatus();
}

std::string PrintSave(const Config& config) {
  return absl::StrJoin(config.save_points, " ", [](std::string* out, const SavePoint& point) {
    absl::StrAppend(out, point.seconds, " ", point.changes);
  });
}

std::vector<std::string> SaveLines(const Config& config) {
  if (config.save_points.empty()) return {"save \"\""};
  std::vector<std::string> lines;
  for (const SavePoint& point : config.save_points) {
    lines.push_back(absl::StrCat("save ", point.seconds, " ", point.changes));
  }
  return lines;
}

absl::Status ParseStampedeRules(Config& config, ConfigWords words, ConfigSource source) {
  std::vector<StampedeRule> rules;
  if (source == ConfigSource::kFile) rules = config.stampede_rules;
  std::vector<std::string> rule_words;
  const auto end_rule = [&]() -> absl::Status {
    absl::StatusOr<StampedeRule> rule = ParseStampedeRule(rule_words);
    if (!rule.ok()) return rule.status();
    const auto of_same_glob = [&](const StampedeRule& other) { return other.glob == rule->glob; };
    if (std::any_of(rules.begin(), rules.end(), of_same_glob)) {
      return Refuse(absl::StrCat("there are two rules for '", rule->glob, "'"));
    }
    // A rule that changes goes on counting where it was.
    const auto old =
        std::find_if(config.stampede_rules.begin(), config.stampede_rules.end(), of_same_glob);
    if (old != config.stampede_rules.end()) {
      rule->figures = old->figures;
      rule->cap = old->cap;
    }
    rules.push_back(*std::move(rule));
    rule_words.clear();
    return absl::OkStatus();
  };
  if (!IsEmptyValue(words)) {
    for (std::string word : words) {
      const bool ends_rule = word.ends_with(';');
      if (ends_rule) word.pop_back();
      if (!word.empty()) rule_words.push_back(std::move(word));
      if (ends_rule) LARDER_RETURN_IF_ERROR(end_rule());
    }
    if (!rule_words.empty()) LARDER_RETURN_IF_ERROR(end_rule());
  }
  config.stampede_rules = std::move(rules);
  return absl::OkStatus();
}

std::string PrintStampedeRules(const Config& config) {
  return absl::StrJoin(config.stampede_rules, "; ", [](std::string* out, const StampedeRule& rule) {
    out->append(PrintStampedeRule(rule));
  });
}

std::vector<std::string> StampedeRuleLines(const Config& config) {
  std::vector<std::string> lines;
  for (const StampedeRule& rule : config.stampede_rules) {
    lines.push_back(absl::StrCat("stampede-rule ", PrintStampedeRule(rule)));
  }
  return lines;
}

absl::Status ParseOutputLimits(Config& config, ConfigWords words, ConfigSource) {
  if (words.size() % 4 != 0) {
    return Refuse("Wrong number of arguments in buffer limit configuration.");
  }
  for (; !words.empty(); words = words.subspan(4)) {
    LARDER_RETURN_IF_ERROR(ParseOutputLimit(config, words.first(4)));
  }
  return absl::OkStatus();
}

std::string PrintOutputLimits(const Config& config) {
  return absl::StrJoin(kOutputClasses, " ", [&](std::string* out, const OutputClass& output_class) {
    const OutputBufferLimit& limit = config.*output_class.limit;
    absl::StrAppend(out, AsAbsl(output_class.shown_as), " ", limit.hard_bytes, " ",
                    limit.soft_bytes, " ", limit.soft_seconds);
  });
}

std::vector<std::string> OutputLimitLines(const Config& config) {
  std::vector<std::string> lines;
  for (const OutputClass& output_class : kOutputClasses) {
    const OutputBufferLimit& limit = config.*output_class.limit;
    lines.push_back(fmt::format("client-output-buffer-limit {} {} {} {}", output_class.name,
                                FormatMemory(limit.hard_bytes), FormatMemory(limit.soft_bytes),
                                limit.soft_seconds));
  }
  return lines;
}

absl::Status ParseMaxMemory(Config& config, ConfigWords words, ConfigSource) {
  if (words.size() != 1) return Refuse(kWrongNumberOfArguments);
  if (const auto percent = ParseShare(words[0])) {
    if (*percent < 1 || *percent > 100) return Refuse("a share must be from 1% to 100%, or auto");
    config.max_memory_share = ToLower(words[0]);
    return FitMaxMemory(config);
  }
  const auto bytes = ParseMemory(words[0]);
  if (!bytes) return Refuse("argument must be a memory value");
  config.max_memory_bytes = *bytes;
  config.max_memory_share.clear();
  config.max_memory_source = MemorySource::kUnknown;
  return absl::OkStatus();
}

absl::Status FitMaxMemory(Config& config) {
  const MachineMemory memory = FindMachineMemory();
  if (memory.bytes == 0) return Refuse("how much memory there is cannot be told");
  config.max_memory_bytes = memory.bytes / 100 * *ParseShare(config.max_memory_share);
  config.max_memory_source = memory.source;
  return absl::OkStatus();
}

std::string PrintMaxMemory(const Config& config) { return std::to_string(config.max_memory_bytes); }

std::vector<std::string> MaxMemoryLines(const Config& config) {
  const std::string& share = config.max_memory_share;
  return {
      absl::StrCat("maxmemory ", share.empty() ? FormatMemory(config.max_memory_bytes) : share)};
}

absl::Status ParseNotifyEvents(Config& config, ConfigWords words, ConfigSource) {
  if (words.size() != 1) return Refuse(kWrongNumberOfArguments);
  config.notify_keyspace_events = 0;
  for (const char letter : words[0]) {
    const auto bits = EventBitsOf(letter);
    if (!bits) return Refuse("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
    config.notify_keyspace_events |= *bits;
  }
  return absl::OkStatus();
}

std::string PrintNotifyEvents(const Config& config) {
  uint32_t bits = config.notify_keyspace_events;
  std::string letters;
  if ((bits & keyspace_event::kAll) == keyspace_event::kAll) {
    letters = "A";
    bits &= ~keyspace_event::kAll;
  }
  for (const EventLetter& event : kEventLetters) {
    if ((bits & event.bit) != 0) letters.push_back(event.letter);
  }
  return letters;
}

absl::Status ParseOomScoreValues(Config& config, ConfigWords words, ConfigSource) {
  if (words.size() != config.oom_score_adjust_values.size()) return Refuse(kWrongNumberOfArguments);
  for (size_t i = 0; i < words.size(); ++i) {
    const auto value = ParseInt64(words[i]);
    if (!value || *value < -2000 || *value > 2000) {
      return Refuse("Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
    }
    config.oom_score_adjust_values[i] = *value;
  }
  return absl::OkStatus();
}

std::string PrintOomScoreValues(const Config& config) {
  return absl::StrJoin(config.oom_score_adjust_values, " ");
}

absl::Status ParsePercentiles(Config& config, ConfigWords words, ConfigSource) {
  config.latency_tracking_percentiles.clear();
  if (IsEmptyValue(words)) return absl::OkStatus();
  for (const std::string& word : words) {
    const auto percentile = ParseDouble(word);
    if (!percentile) return Refuse("Invalid latency-tracking-info-percentiles parameters");
    if (*percentile < 0 || *percentile > 100) {
      return Refuse("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]");
    }
    config.latency_tracking_percentiles.push_back(*percentile);
  }
  return absl::OkStatus();
}

std::string PrintPercentiles(const Config& config) {
  return absl::StrJoin(config.latency_tracking_percentiles, " ",
                       [](std::string* out, double value) {
                         std::string text = fmt::format("{:.6f}", value);
                         text.erase(text.find_last_not_of('0') + 1);
                         if (text.back() == '.') text.pop_back();
                         out->append(text);
                       });
}

absl::Status ParseShutdownOnSigterm(Config& config, ConfigWords words, ConfigSource) {
  return ParseShutdownFlags(words, config.shutdown_on_sigterm);
}

std::string PrintShutdownOnSigterm(const Config& config) {
  return PrintShutdownFlags(config.shutdown_on_sigterm);
}

absl::Status ParseShutdownOnSigint(Config& config, ConfigWords words, ConfigSource) {
  return ParseShutdownFlags(words, config.shutdown_on_sigint);
}

std::string PrintShutdownOnSigint(const Config& config) {
  return PrintShutdownFlags(config.shutdown_on_sigint);
}

// Absolute at once: the server changes to it, after which a relative path would mean another place.
absl::Status ParseDirectory(Config& config, ConfigWords words, ConfigSource) {
  if (words.size() != 1) return Refuse(kWrongNumberOfArguments);
  if (words[0].find('\0') != std::string::npos) return Refuse(std::strerror(ENOENT));
  std::string path = words[0];
  if (path.empty() || path[0] != '/') {
    path = path.empty() ? path : PrintDirectory(config) + "/" + path;
  }
  std::array<char, PATH_MAX> absolute;
  struct stat status{};
  if (realpath(path.c_str(), absolute.data()) == nullptr || stat(absolute.data(), &status) != 0) {
    return Refuse(std::strerror(errno));
  }
  if (!S_ISDIR(status.st_mode)) return Refuse(std::strerror(ENOTDIR));
  config.dir = absolute.data();
  return absl::OkStatus();
}

std::string PrintDirectory(const Config& config) {
  return config.dir.empty() ? WorkingDirectory() : config.dir;
}

// Any rate is taken and brought into the range that makes sense.
absl::Status ParseHz(Config& config, ConfigWords words, ConfigSource) {
  LARDER_ASSIGN_OR_RETURN(const int64_t hz, ParseCount(words, INT_MAX));
  config.hz = std::clamp<int64_t>(hz, 1, 500);
  return absl::OkStatus();
}

std::string PrintHz(const Config& config) { return std::to_string(config.hz); }

absl::Status ParseThreads(Config& config, ConfigWords words, ConfigSource) {
  LARDER_ASSIGN_OR_RETURN(const int64_t threads, ParseCount(words, kMaxThreads));
  config.threads = threads == 0 ? AvailableCores() : threads;
  return absl::OkStatus();
}

std::string PrintThreads(const Config& config) { return std::to_string(config.threads); }

absl::Status ParseReplicaOf(Config&, ConfigWords words, ConfigSource source) {
  if (source == ConfigSource::kSet && IsEmptyValue(words)) return absl::OkStatus();
  if (words.size() != 2) return Refuse(kWrongNumberOfArguments);
  if (EqualsIgnoreCase(words[0], "no") && EqualsIgnoreCase(words[1], "one")) {
    return absl::OkStatus();
  }
  const auto port = ParseInt64(words[1]);
  if (!port || *port < 0 || *port > 65535) return Refuse("Invalid master port");
  return Refuse("Larder cannot be a replica yet and does not start as if it were the primary");
}

std::string PrintReplicaOf(const Config&) { return ""; }

std::vector<std::string> ReplicaOfLines(const Config&) { return {"replicaof no one"}; }

absl::Status ParseRenameCommand(Config& config, ConfigWords words, ConfigSource) {
  if (words.size() != 2) return Refuse(kBadDirective);
  config.renamed_commands.push_back({.from = ToLower(words[0]), .to = ToLower(words[1])});
  return absl::OkStatus();
}

absl::Status ParseLoadModule(Config& config, ConfigWords words, ConfigSource) {
  if (words.empty()) return Refuse(kBadDirective);
  config.modules.push_back({.words = {words.begin(), words.end()}});
  return absl::OkStatus();
}

// There is one user so far. To ignore what a file says about others would let in who should stay
// out, so only what changes nothing is accepted, such as the line that Redis's own rewrite leaves.
absl::Status ParseUser(Config& config, ConfigWords words, ConfigSource) {
  if (words.empty()) return Refuse(kBadDirective);
  if (words[0] != "default") {
    return Refuse(fmt::format(
        "Error in user declaration '{}': Larder knows the user 'default' only", words[0]));
  }
  for (const std::string& rule : words.subspan(1)) {
    LARDER_RETURN_IF_ERROR(ApplyDefaultUserRule(config, rule));
  }
  return absl::OkStatus();
}

absl::Status CheckDumpFileName(std::string_view text) {
  if (HasSlash(text)) return Refuse("dbfilename can't be a path, just a filename");
  return absl::OkStatus();
}

absl::Status CheckAppendFileName(std::string_view text) {
  if (text.empty()) return Refuse("appendfilename can't be empty");
  if (HasSlash(text)) return Refuse("appendfilename can't be a path, just a filename");
  return absl::OkStatus();
}

absl::Status CheckAppendDirName(std::string_view text) {
  if (text.empty()) return Refuse("appenddirname can't be empty");
  if (HasSlash(text)) return Refuse("appenddirname can't be a path, just a dirname");
  return absl::OkStatus();
}

absl::Status CheckProcTitleTemplate(std::string_view text) {
  static constexpr std::array<std::string_view, 7> kVariables = {
      "title", "listen-addr", "server-mode", "port", "tls-port", "unixsocket", "config-file"};
  const absl::Status invalid = Refuse("template format is invalid or contains unknown variables");
  if (text.empty()) return invalid;
  for (size_t at = 0; (at = text.find('{', at)) != std::string_view::npos;) {
    if (text.substr(at, 2) == "{{") {  // An escaped brace.
      at += 2;
      continue;
    }
    const size_t end = text.find('}', at);
    if (end == std::string_view::npos) return invalid;
    const std::string name = ToLower(text.substr(at + 1, end - at - 1));
    if (std::find(kVariables.begin(), kVariables.end(), name) == kVariables.end()) return invalid;
    at = end + 1;
  }
  return absl::OkStatus();
}

absl::Status CheckHostname(std::string_view text) {
  if (text.size() >= 256) return Refuse("Hostnames must be less than 256 characters");
  const bool valid = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.';
  });
  if (valid) return absl::OkStatus();
  return Refuse("Hostnames may only contain alphanumeric characters, hyphens or dots");
}

absl::Status CheckDelimiter(std::string_view text) {
  return text.size() == 1 ? absl::OkStatus() : Refuse("argument must be a single byte");
}

int64_t AvailableCores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof(cores), &cores) == 0) return std::max(1, CPU_COUNT(&cores));
  return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace larder
