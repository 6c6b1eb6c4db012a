// The configuration of a running server: reads it from command line and files, answers CONFIG GET,
// SET and REWRITE, and hands out snapshots.
//
// Concurrency: every call is safe from any thread. One mutex serialises changes and is held while
// appliers run, which therefore may not call back into Set() or Rewrite(); another, the last in the
// lock order, covers what readers copy, so that Snapshot() and Get() never wait for an applier.
// A thread that reads settings all the time keeps a snapshot and asks for a new one only when
// version() has moved:
//
//   if (store.version() != cached_version_) {
//     cached_version_ = store.version();
//     config_ = store.Snapshot();
//   }
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "base/mutex.h"
#include "commands/services.h"
#include "server/config.h"
#include "server/config_hook.h"
#include "server/config_loader.h"

namespace larder {

class ConfigStore {
 public:
  // Makes `updated` true. Called with the configuration before and after; after a failure, once
  // more with the two exchanged. The message of an error is shown to the client.
  using Applier = std::function<absl::Status(const Config& old, const Config& updated)>;

  // All settings at their defaults.
  ConfigStore();

  ConfigStore(const ConfigStore&) = delete;
  ConfigStore& operator=(const ConfigStore&) = delete;

  // The arguments as main() has them, without the program's name:
  //
  //   [file] [--name value...]... [-]     file first; "-" reads standard input after it
  //
  // What comes later overrides what comes before. On failure, the message is complete, in Redis's
  // wording, several lines long and ends in a newline; nothing has changed.
  absl::Status LoadArguments(std::span<const std::string_view> arguments);

  // As if `path` were the only argument. REWRITE will write to this file.
  absl::Status LoadFile(const std::string& path);

  // As if `text` were a file's. REWRITE is not possible.
  absl::Status LoadText(std::string_view text, std::string_view origin);

  // What the loading so far has to say to the log.
  std::vector<ConfigWarning> TakeWarnings();

  // The applier is called for changes by Set() only; at start the server reads the snapshot.
  void RegisterApplier(ConfigHook hook, Applier applier);

  std::shared_ptr<const Config> Snapshot() const;

  // Grows with each change of the configuration, after the new snapshot is there.
  uint64_t version() const { return version_.load(std::memory_order_acquire); }

  // CONFIG GET: name and value of what matches any of the globs, each once.
  std::vector<std::pair<std::string, std::string>> Get(
      std::span<const std::string_view> globs) const;

  // CONFIG SET: all or nothing. The message of an error is Redis's, without the leading "ERR ".
  absl::Status Set(std::span<const std::pair<std::string_view, std::string_view>> pairs,
                   ConfigCaller caller = ConfigCaller::kRemote);

  // A maxmemory that is a share of what this process may use follows that, for it may have changed:
  // reads a few files of the system. Whether there is a new configuration.
  bool FollowMachineMemory();

  // CONFIG REWRITE: brings the file up to date, keeping its comments, order and unknown lines. The
  // message of an error is as in Set().
  absl::Status Rewrite(RewriteScope scope = RewriteScope::kChanged);

  // Whether the value of the setting `name` is not for logs.
  static bool IsSecret(std::string_view name);

  // The file that was loaded, absolute; empty when there is none.
  std::string config_file() const;

 private:
  struct HookedApplier {
    ConfigHook hook;
    Applier applier;
  };

  void Adopt(ConfigLoader& loader, std::string file);
  void Publish(Config config) ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_mu_);
  // Runs the appliers of `hooks` in order. On failure takes back what was applied and sets
  // `failed`.
  absl::Status Apply(const Config& old, const Config& updated, std::span<const ConfigHook> hooks,
                     ConfigHook& failed) ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_mu_);
  absl::Status RunAppliers(const Config& old, const Config& updated, ConfigHook hook)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_mu_);

  Mutex change_mu_ ABSL_ACQUIRED_BEFORE(mu_);
  std::vector<HookedApplier> appliers_ ABSL_GUARDED_BY(change_mu_);

  mutable Mutex mu_;
  std::shared_ptr<const Config> current_ ABSL_GUARDED_BY(mu_);
  std::string config_file_ ABSL_GUARDED_BY(mu_);
  std::vector<ConfigWarning> warnings_ ABSL_GUARDED_BY(mu_);
  std::atomic<uint64_t> version_{1};  // Written under change_mu_, after current_.
};

}  // namespace larder
