#include "server/config_store.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/config_registry.h"

namespace larder {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;

std::string SetError(ConfigStore& store, const Pairs& pairs,
                     ConfigCaller caller = ConfigCaller::kRemote) {
  return std::string(AsStd(store.Set(pairs, caller).message()));
}

auto Get(const ConfigStore& store, const std::vector<std::string_view>& globs) {
  return store.Get(globs);
}

TEST(ConfigStoreTest, SetIsSeenBySnapshotsAndVersion) {
  ConfigStore store;
  const auto before = store.Snapshot();
  const uint64_t version = store.version();
  EXPECT_EQ(SetError(store, {{"hz", "20"}, {"MaxMemory", "1mb"}}), "");
  EXPECT_GT(store.version(), version);
  EXPECT_EQ(before->hz, 10);
  EXPECT_EQ(store.Snapshot()->hz, 20);
  EXPECT_EQ(store.Snapshot()->max_memory_bytes, kMiB);
}

struct SetErrorCase {
  Pairs pairs;
  std::string error;
};

// So that everything that CONFIG GET * gives can be set back.
TEST(ConfigStoreTest, ThreadsMayBeSetToWhatTheyAre) {
  ConfigStore store;
  const std::string threads = Get(store, {"threads"}).at(0).second;
  EXPECT_EQ(SetError(store, {{"threads", threads}}), "");
  EXPECT_EQ(
      SetError(store, {{"threads", threads + "1"}}),
      "CONFIG SET failed (possibly related to argument 'threads') - can't set immutable config");
}

// Redis 7.0.15's texts and their order of precedence.
TEST(ConfigStoreTest, SetIsAllOrNothing) {
  const std::string unknown = "Unknown option or number of arguments for CONFIG SET - 'nosuch'";
  const std::string immutable =
      "CONFIG SET failed (possibly related to argument 'databases') - can't set immutable config";
  const std::string not_a_number =
      "CONFIG SET failed (possibly related to argument 'hz') - argument couldn't be parsed into an "
      "integer";
  const std::vector<SetErrorCase> rows = {
      {{{"nosuch", "1"}}, unknown},
      {{{"timeout", "7"}, {"nosuch", "1"}}, unknown},
      {{{"databases", "5"}, {"nosuch", "1"}}, immutable},
      {{{"nosuch", "1"}, {"databases", "5"}}, unknown},
      {{{"hz", "abc"}, {"nosuch", "1"}}, unknown},
      {{{"hz", "abc"}, {"databases", "1"}}, immutable},
      {{{"timeout", "7"}, {"hz", "abc"}}, not_a_number},
      {{{"hz", "abc"}, {"timeout", "abc"}}, not_a_number},
      {{{"HZ", "abc"}}, not_a_number},
      {{{"hz", "20"}, {"hz", "30"}},
       "CONFIG SET failed (possibly related to argument 'hz') - duplicate parameter"},
      {{{"hz", "20"}, {"HZ", "30"}},
       "CONFIG SET failed (possibly related to argument 'HZ') - duplicate parameter"},
      {{{"DATABASES", "20"}},
       "CONFIG SET failed (possibly related to argument 'DATABASES') - can't set immutable config"},
      {{{"hz", "20"}, {"dir", "/tmp"}},
       "CONFIG SET failed (possibly related to argument 'dir') - can't set protected config"},
      {{{"timeout", "7"}, {"slave-read-only", "maybe"}},
       "CONFIG SET failed (possibly related to argument 'slave-read-only') - argument must be "
       "'yes' or 'no'"},
      {{{"user", "x"}}, "Unknown option or number of arguments for CONFIG SET - 'user'"},
  };
  for (const SetErrorCase& row : rows) {
    ConfigStore store;
    EXPECT_EQ(SetError(store, row.pairs), row.error);
    EXPECT_EQ(*store.Snapshot(), DefaultConfig());
  }
}

TEST(ConfigStoreTest, ProtectedSettingsAreOpenedByTheFile) {
  const std::string folder = std::filesystem::canonical(testing::TempDir()).string();
  ConfigStore store;
  ASSERT_TRUE(store.LoadText("enable-protected-configs local\n", "x").ok());
  EXPECT_THAT(SetError(store, {{"dir", folder}}, ConfigCaller::kRemote), HasSubstr("protected"));
  EXPECT_EQ(SetError(store, {{"dir", folder}}, ConfigCaller::kLocal), "");
  EXPECT_EQ(store.Snapshot()->dir, folder);
}

TEST(ConfigStoreTest, RunsTheAppliersOfWhatChangedOnce) {
  ConfigStore store;
  std::vector<std::string> calls;
  store.RegisterApplier(ConfigHook::kMaxMemory, [&](const Config& old, const Config& updated) {
    calls.push_back(std::to_string(old.max_memory_bytes) + ">" +
                    std::to_string(updated.max_memory_bytes));
    return absl::OkStatus();
  });
  EXPECT_EQ(SetError(store, {{"maxmemory", "5"}, {"maxmemory-policy", "allkeys-lru"}}), "");
  EXPECT_EQ(SetError(store, {{"maxmemory", "5"}, {"timeout", "9"}}), "");
  EXPECT_THAT(calls, ElementsAre("0>5"));
}

TEST(ConfigStoreTest, AFailedApplierTakesEverythingBack) {
  ConfigStore store;
  std::vector<int64_t> applied;
  store.RegisterApplier(ConfigHook::kTimer, [&](const Config&, const Config& updated) {
    applied.push_back(updated.hz);
    return absl::OkStatus();
  });
  store.RegisterApplier(ConfigHook::kListen, [](const Config& old, const Config& updated) {
    return updated.port > old.port ? absl::UnavailableError("Unable to listen on this port.")
                                   : absl::OkStatus();
  });
  EXPECT_EQ(SetError(store, {{"hz", "20"}, {"timeout", "3"}, {"port", "7777"}}),
            "CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this "
            "port.");
  EXPECT_THAT(applied, ElementsAre(20, 10));
  EXPECT_EQ(*store.Snapshot(), DefaultConfig());
}

TEST(ConfigStoreTest, GetTakesGlobsAndAnswersEachNameOnce) {
  ConfigStore store;
  EXPECT_THAT(Get(store, {"hz"}), ElementsAre(Pair("hz", "10")));
  EXPECT_THAT(Get(store, {"HZ"}), ElementsAre(Pair("HZ", "10")));
  EXPECT_THAT(Get(store, {"H[z]"}), ElementsAre(Pair("hz", "10")));
  EXPECT_THAT(Get(store, {"hz", "h*z", "HZ"}), ElementsAre(Pair("hz", "10")));
  EXPECT_THAT(Get(store, {"slave-prio*"}), ElementsAre(Pair("slave-priority", "100")));
  EXPECT_THAT(Get(store, {"replica-priority", "slave-priority"}),
              ElementsAre(Pair("replica-priority", "100"), Pair("slave-priority", "100")));
  EXPECT_THAT(Get(store, {"nosuch", "include", "user"}), IsEmpty());
}

TEST(ConfigStoreTest, HiddenSettingsAnswerToTheirNameOnly) {
  ConfigStore store;
  EXPECT_THAT(Get(store, {"key-load-delay"}), ElementsAre(Pair("key-load-delay", "0")));
  EXPECT_THAT(Get(store, {"*key-load*"}), IsEmpty());
}

// What the test suite of Redis does to every server.
TEST(ConfigStoreTest, EveryNameThatGetReturnsCanBeSetToItsOwnValue) {
  ConfigStore store;
  for (const auto& [name, value] : Get(store, {"*"})) {
    EXPECT_THAT(SetError(store, {{name, value}}),
                AnyOf("", HasSubstr("immutable"), HasSubstr("protected")))
        << name;
  }
  EXPECT_EQ(store.Snapshot()->port, 6379);
}

TEST(ConfigStoreTest, SettingsWithoutEffectAreKept) {
  ConfigStore store;
  EXPECT_EQ(SetError(store, {{"repl-backlog-size", "16kb"}, {"masterauth", "x"}}), "");
  EXPECT_THAT(Get(store, {"repl-backlog-size", "masterauth"}),
              ElementsAre(Pair("repl-backlog-size", "16384"), Pair("masterauth", "x")));
}

TEST(ConfigStoreTest, ArgumentsOverrideTheFile) {
  ConfigStore store;
  const std::string path = testing::TempDir() + "larder_store_arguments.conf";
  std::ofstream(path) << "port 7000\nhz 20\n";
  const std::vector<std::string_view> arguments = {path, "--port", "7001", "--save", "60", "1"};
  ASSERT_TRUE(store.LoadArguments(arguments).ok());
  EXPECT_EQ(store.Snapshot()->port, 7001);
  EXPECT_EQ(store.Snapshot()->hz, 20);
  EXPECT_EQ(store.Snapshot()->save_points, (std::vector<SavePoint>{{60, 1}}));
  EXPECT_EQ(store.config_file(), path);
  EXPECT_EQ(store.TakeWarnings().size(), 1u);  // Of save.
  std::filesystem::remove(path);
}

TEST(ConfigStoreTest, AFailedLoadChangesNothing) {
  ConfigStore store;
  EXPECT_FALSE(store.LoadText("port 7000\nnosuch\n", "x").ok());
  EXPECT_EQ(*store.Snapshot(), DefaultConfig());
}

TEST(ConfigStoreTest, RewriteNeedsAFile) {
  ConfigStore store;
  EXPECT_EQ(AsStd(store.Rewrite().message()), "The server is running without a config file");
}

TEST(ConfigStoreTest, WhatIsRewrittenLoadsAsItWas) {
  const std::string path = testing::TempDir() + "larder_store_rewrite.conf";
  std::ofstream(path) << "# keep me\nport 7000\nsave 900 1\n";
  ConfigStore store;
  ASSERT_TRUE(store.LoadFile(path).ok());
  EXPECT_EQ(SetError(store, {{"requirepass", "a b"},
                             {"bind", "127.0.0.1 -::1"},
                             {"save", "1 2 3 4"},
                             {"notify-keyspace-events", "AKE"},
                             {"maxmemory-clients", "5%"},
                             {"latency-tracking-info-percentiles", ""},
                             {"client-output-buffer-limit", "pubsub 1mb 1 1"},
                             {"shutdown-on-sigterm", "nosave now"},
                             {"min-replicas-to-write", "1"}}),
            "");
  ASSERT_TRUE(store.Rewrite().ok());
  ConfigStore again;
  ASSERT_TRUE(again.LoadFile(path).ok());
  EXPECT_EQ(*again.Snapshot(), *store.Snapshot());
  std::filesystem::remove(path);
}

TEST(ConfigStoreTest, AShareOfTheMachineIsShownInBytesAndKeptAsAShare) {
  const std::string path = testing::TempDir() + "larder_store_share.conf";
  std::ofstream(path) << "maxmemory 50%\n";
  ConfigStore store;
  ASSERT_TRUE(store.LoadFile(path).ok());
  const int64_t half = store.Snapshot()->max_memory_bytes;
  EXPECT_GT(half, 0);
  EXPECT_EQ(half, FindMachineMemory().bytes / 100 * 50);
  EXPECT_EQ(
      Get(store, {"maxmemory"}),
      (std::vector<std::pair<std::string, std::string>>{{"maxmemory", std::to_string(half)}}));
  ASSERT_EQ(SetError(store, {{"maxmemory", "AUTO"}}), "");
  EXPECT_GT(store.Snapshot()->max_memory_bytes, half);
  EXPECT_FALSE(store.FollowMachineMemory());  // Nothing has changed.
  ASSERT_TRUE(store.Rewrite().ok());
  std::string line;
  std::getline(std::ifstream(path) >> std::ws, line);
  EXPECT_EQ(line, "maxmemory auto");
  // An amount ends it.
  ASSERT_EQ(SetError(store, {{"maxmemory", "1gb"}}), "");
  ASSERT_TRUE(store.Rewrite().ok());
  std::getline(std::ifstream(path) >> std::ws, line);
  EXPECT_EQ(line, "maxmemory 1gb");
  std::filesystem::remove(path);
}

TEST(ConfigStoreTest, ReadersSeeWholeConfigurationsWhileOthersChangeIt) {
  ConfigStore store;
  std::atomic<bool> stop = false;
  std::thread reader([&] {
    while (!stop.load()) {
      const auto config = store.Snapshot();
      ASSERT_EQ(config->lfu_log_factor, config->max_memory_samples * 2);
    }
  });
  for (int i = 5; i < 500; ++i) {
    const std::string samples = std::to_string(i);
    const std::string factor = std::to_string(2 * i);
    ASSERT_EQ(SetError(store, {{"maxmemory-samples", samples}, {"lfu-log-factor", factor}}), "");
  }
  stop = true;
  reader.join();
}

}  // namespace
}  // namespace larder
