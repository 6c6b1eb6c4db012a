#include "server/config_store.h"

#include <algorithm>
#include <array>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "base/glob.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "fmt/format.h"
#include "server/config_file.h"
#include "server/config_registry.h"

namespace larder {
namespace {

using Pairs = std::span<const std::pair<std::string_view, std::string_view>>;

absl::Status SetFailed(std::string_view argument, std::string_view reason) {
  return absl::InvalidArgumentError(
      fmt::format("CONFIG SET failed (possibly related to argument '{}') - {}", argument, reason));
}

std::string AbsolutePath(const std::string& path) {
  if (!path.empty() && path[0] == '/') return path;
  std::array<char, PATH_MAX> directory;
  if (getcwd(directory.data(), directory.size()) == nullptr) return path;
  return absl::StrCat(directory.data(), "/", path);
}

std::string ReadStandardInput() {
  std::string text;
  std::array<char, 4096> chunk;
  while (const size_t got = std::fread(chunk.data(), 1, chunk.size(), stdin)) {
    text.append(chunk.data(), got);
  }
  return text;
}

bool IsAllowed(ProtectedAction action, ConfigCaller caller) {
  return action == ProtectedAction::kYes ||
         (action == ProtectedAction::kLocal && caller == ConfigCaller::kLocal);
}

// The directives that CONFIG SET names, all checked for what does not depend on the values.
absl::StatusOr<std::vector<const Directive*>> FindAll(Pairs pairs, const Config& config,
                                                      ConfigCaller caller) {
  std::vector<const Directive*> directives;
  for (const auto& [name, value] : pairs) {
    const Directive* directive = FindDirective(name);
    if (directive == nullptr || directive->Is(kFileOnly)) {
      return absl::InvalidArgumentError(
          fmt::format("Unknown option or number of arguments for CONFIG SET - '{}'", name));
    }
    const bool stays = directive->Is(kOursToKeep) && value == PrintDirective(*directive, config);
    if (directive->Is(kImmutable) && !stays) {
      return SetFailed(name, "can't set immutable config");
    }
    if (directive->Is(kProtected) && !IsAllowed(config.enable_protected_configs, caller)) {
      return SetFailed(name, "can't set protected config");
    }
    if (std::find(directives.begin(), directives.end(), directive) != directives.end()) {
      return SetFailed(name, "duplicate parameter");
    }
    directives.push_back(directive);
  }
  return directives;
}

std::vector<ConfigHook> HooksOfChanges(const std::vector<const Directive*>& directives,
                                       const Config& old, const Config& updated) {
  std::vector<ConfigHook> hooks;
  for (const Directive* directive : directives) {
    if (directive->hook == ConfigHook::kNone) continue;
    if (PrintDirective(*directive, old) == PrintDirective(*directive, updated)) continue;
    if (std::find(hooks.begin(), hooks.end(), directive->hook) == hooks.end()) {
      hooks.push_back(directive->hook);
    }
  }
  return hooks;
}

// Collects what CONFIG GET answers, each name once whatever its case.
class Answer {
 public:
  explicit Answer(const Config& config) : config_(config) {}

  void Add(std::string_view name, const Directive& directive) {
    if (name.empty() || !seen_.insert(ToLower(name)).second) return;
    pairs_.emplace_back(name, PrintDirective(directive, config_));
  }

  std::vector<std::pair<std::string, std::string>> Take() { return std::move(pairs_); }

 private:
  const Config& config_;
  absl::flat_hash_set<std::string> seen_;
  std::vector<std::pair<std::string, std::string>> pairs_;
};

}  // namespace

ConfigStore::ConfigStore() : current_(std::make_shared<const Config>(DefaultConfig())) {}

absl::Status ConfigStore::LoadArguments(std::span<const std::string_view> arguments) {
  const CommandLine command_line = DivideCommandLine(arguments);
  ConfigLoader loader(*Snapshot());
  std::string file;
  if (command_line.file) {
    file = AbsolutePath(*command_line.file);
    LARDER_RETURN_IF_ERROR(loader.LoadFile(file));
  }
  if (command_line.reads_standard_input) {
    LARDER_RETURN_IF_ERROR(loader.LoadText(ReadStandardInput(), "(standard input)"));
  }
  LARDER_RETURN_IF_ERROR(loader.LoadOptions(command_line.options));
  Adopt(loader, std::move(file));
  return absl::OkStatus();
}

absl::Status ConfigStore::LoadFile(const std::string& path) {
  ConfigLoader loader(*Snapshot());
  std::string file = AbsolutePath(path);
  LARDER_RETURN_IF_ERROR(loader.LoadFile(file));
  Adopt(loader, std::move(file));
  return absl::OkStatus();
}

absl::Status ConfigStore::LoadText(std::string_view text, std::string_view origin) {
  ConfigLoader loader(*Snapshot());
  LARDER_RETURN_IF_ERROR(loader.LoadText(text, origin));
  Adopt(loader, "");
  return absl::OkStatus();
}

void ConfigStore::Adopt(ConfigLoader& loader, std::string file) {
  MutexLock change(change_mu_);
  std::vector<ConfigWarning> warnings = loader.TakeWarnings();
  Publish(loader.config());
  MutexLock lock(mu_);
  config_file_ = std::move(file);
  warnings_.insert(warnings_.end(), warnings.begin(), warnings.end());
}

std::vector<ConfigWarning> ConfigStore::TakeWarnings() {
  MutexLock lock(mu_);
  return std::exchange(warnings_, {});
}

void ConfigStore::RegisterApplier(ConfigHook hook, Applier applier) {
  MutexLock change(change_mu_);
  appliers_.push_back({.hook = hook, .applier = std::move(applier)});
}

std::shared_ptr<const Config> ConfigStore::Snapshot() const {
  MutexLock lock(mu_);
  return current_;
}

bool ConfigStore::IsSecret(std::string_view name) {
  const Directive* directive = FindDirective(name);
  return directive != nullptr && directive->Is(kSensitive);
}

std::string ConfigStore::config_file() const {
  MutexLock lock(mu_);
  return config_file_;
}

std::vector<std::pair<std::string, std::string>> ConfigStore::Get(
    std::span<const std::string_view> globs) const {
  const std::shared_ptr<const Config> config = Snapshot();
  Answer answer(*config);
  for (const std::string_view glob : globs) {
    if (GlobIsLiteral(glob)) {
      // A full name comes back as it was spelled.
      const Directive* directive = FindDirective(glob);
      if (directive != nullptr && !directive->Is(kFileOnly)) answer.Add(glob, *directive);
      continue;
    }
    for (const Directive& directive : AllDirectives()) {
      if (directive.Is(kFileOnly) || directive.Is(kHidden)) continue;
      for (const std::string_view name : {directive.name, directive.alias}) {
        if (GlobMatch(glob, name, GlobCase::kIgnore)) answer.Add(name, directive);
      }
    }
  }
  return answer.Take();
}

absl::Status ConfigStore::Set(Pairs pairs, ConfigCaller caller) {
  MutexLock change(change_mu_);
  const std::shared_ptr<const Config> old = Snapshot();
  LARDER_ASSIGN_OR_RETURN(const std::vector<const Directive*> directives,
                          FindAll(pairs, *old, caller));
  Config updated = *old;
  for (size_t i = 0; i < pairs.size(); ++i) {
    const std::string value(pairs[i].second);
    // A list of words can be empty; nothing else can be without a value.
    const bool no_words = value.empty() && directives[i]->Is(kWords);
    const ConfigWords words = no_words ? ConfigWords() : ConfigWords(&value, 1);
    const absl::Status status = SetDirective(*directives[i], words, ConfigSource::kSet, updated);
    if (!status.ok()) return SetFailed(ToLower(pairs[i].first), AsStd(status.message()));
  }

  ConfigHook failed = ConfigHook::kNone;
  const absl::Status applied =
      Apply(*old, updated, HooksOfChanges(directives, *old, updated), failed);
  if (!applied.ok()) {
    const auto culprit =
        std::find_if(directives.begin(), directives.end(),
                     [&](const Directive* directive) { return directive->hook == failed; });
    const auto index = static_cast<size_t>(culprit - directives.begin());
    return SetFailed(ToLower(pairs[index].first), AsStd(applied.message()));
  }
  Publish(std::move(updated));
  return absl::OkStatus();
}

bool ConfigStore::FollowMachineMemory() {
  MutexLock change(change_mu_);
  const std::shared_ptr<const Config> old = Snapshot();
  if (old->max_memory_share.empty()) return false;
  Config updated = *old;
  if (!FitMaxMemory(updated).ok() || updated.max_memory_bytes == old->max_memory_bytes) {
    return false;
  }
  Publish(std::move(updated));
  return true;
}

absl::Status ConfigStore::Rewrite(RewriteScope scope) {
  MutexLock change(change_mu_);
  const std::string path = config_file();
  if (path.empty()) {
    return absl::FailedPreconditionError("The server is running without a config file");
  }
  auto text = ReadConfigFile(path);
  if (!text.ok() && !absl::IsNotFound(text.status())) {
    return absl::UnavailableError(absl::StrCat("Rewriting config file: ", text.status().message()));
  }
  const absl::Status written =
      ReplaceConfigFile(path, RewriteConfigText(text.ok() ? *text : "", *Snapshot(), scope));
  if (written.ok()) return written;
  return absl::UnavailableError(absl::StrCat("Rewriting config file: ", written.message()));
}

void ConfigStore::Publish(Config config) {
  auto next = std::make_shared<const Config>(std::move(config));
  {
    MutexLock lock(mu_);
    current_.swap(next);
  }
  version_.fetch_add(1, std::memory_order_release);
}

absl::Status ConfigStore::Apply(const Config& old, const Config& updated,
                                std::span<const ConfigHook> hooks, ConfigHook& failed) {
  for (size_t i = 0; i < hooks.size(); ++i) {
    absl::Status status = RunAppliers(old, updated, hooks[i]);
    if (status.ok()) continue;
    failed = hooks[i];
    // What cannot be taken back either is the applier's to log; the client hears the first reason.
    for (size_t applied = i + 1; applied-- > 0;) {
      RunAppliers(updated, old, hooks[applied]).IgnoreError();
    }
    return status;
  }
  return absl::OkStatus();
}

absl::Status ConfigStore::RunAppliers(const Config& old, const Config& updated, ConfigHook hook) {
  for (const HookedApplier& hooked : appliers_) {
    if (hooked.hook == hook) LARDER_RETURN_IF_ERROR(hooked.applier(old, updated));
  }
  return absl::OkStatus();
}

}  // namespace larder
