#include "server/config_loader.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/text.h"
#include "base/version.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/config_file.h"
#include "server/config_registry.h"

namespace larder {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A folder of its own for each test.
class ConfigLoaderTest : public testing::Test {
 protected:
  ConfigLoaderTest() : folder_(MakeFolder()) {}
  ~ConfigLoaderTest() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, std::string_view text) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  std::string Load(std::string_view text) {
    return std::string(AsStd(loader_.LoadText(text, "larder.conf").message()));
  }

  const std::string folder_;
  ConfigLoader loader_{DefaultConfig()};

 private:
  static std::string MakeFolder() {
    std::string name = testing::TempDir() + "larder_config_XXXXXX";
    return mkdtemp(name.data());
  }
};

std::string FatalAt(std::string_view where, std::string_view line, std::string_view reason) {
  return absl::StrCat("\n*** FATAL CONFIG FILE ERROR (Larder ", AsAbsl(kLarderVersion), ") ***\n",
                      AsAbsl(where), "\n>>> '", AsAbsl(line), "'\n", AsAbsl(reason), "\n");
}

TEST_F(ConfigLoaderTest, ABadLineIsNamedWithFileLineAndReason) {
  EXPECT_EQ(Load("# clients\n\nport 7000\nmaxclients lots\n"),
            FatalAt("Reading the configuration file larder.conf, at line 4", "maxclients lots",
                    "argument couldn't be parsed into an integer"));
}

TEST_F(ConfigLoaderTest, AFileThatNamesEverythingGivesTheSame) {
  const std::string everything = RewriteConfigText("", DefaultConfig(), RewriteScope::kAll);
  EXPECT_EQ(Load(everything), "");
  EXPECT_EQ(RewriteConfigText("", loader_.config(), RewriteScope::kAll), everything);
}

struct BadLine {
  std::string line;
  std::string reason;
};

TEST_F(ConfigLoaderTest, BadLinesGetTheReasonThatRedisGives) {
  const std::vector<BadLine> lines = {
      {"nosuch 1", "Bad directive or wrong number of arguments"},
      {"a\\b c", "Bad directive or wrong number of arguments"},
      {"maxclients", "wrong number of arguments"},
      {"maxclients 1 2", "wrong number of arguments"},
      {"port 7000 # comment", "wrong number of arguments"},
      {"port \"7000", "Unbalanced quotes in configuration line"},
      {"port \"7000\"x", "Unbalanced quotes in configuration line"},
      {"save 1 2 3", "Invalid save parameters"},
      {"notify-keyspace-events", "wrong number of arguments"},
      {"include", "Bad directive or wrong number of arguments"},
      {"include a b", "Bad directive or wrong number of arguments"},
      {"rename-command config", "Bad directive or wrong number of arguments"},
      {"loadmodule", "Bad directive or wrong number of arguments"},
      {"user", "Bad directive or wrong number of arguments"},
      {"replicaof", "wrong number of arguments"},
      {"dir", "wrong number of arguments"},
  };
  for (const BadLine& bad : lines) {
    ConfigLoader loader(DefaultConfig());
    EXPECT_EQ(AsStd(loader.LoadText(bad.line, "x.conf").message()),
              FatalAt("Reading the configuration file x.conf, at line 1", bad.line, bad.reason));
  }
}

TEST_F(ConfigLoaderTest, APasswordIsNotShownInAnError) {
  EXPECT_THAT(Load("requirepass my secret\n"), HasSubstr(">>> 'requirepass (not shown)'"));
}

TEST_F(ConfigLoaderTest, BlanksCommentsQuotesAndCaseAreAsInRedis) {
  EXPECT_EQ(Load("  \t PORT '7001'\r\n   # port 1\n\n\"maxclients\" 50\nrequirepass \"a\\x41\""),
            "");
  EXPECT_EQ(loader_.config().port, 7001);
  EXPECT_EQ(loader_.config().max_clients, 50);
  EXPECT_EQ(loader_.config().require_pass, "aA");
}

TEST_F(ConfigLoaderTest, SaveLinesAddUpAndAnEmptyOneClears) {
  EXPECT_EQ(Load("save 900 1\nsave 300 10 60 100\n"), "");
  EXPECT_EQ(loader_.config().save_points, (std::vector<SavePoint>{{900, 1}, {300, 10}, {60, 100}}));
  EXPECT_EQ(Load("save \"\"\n"), "");
  EXPECT_THAT(loader_.config().save_points, IsEmpty());
}

TEST_F(ConfigLoaderTest, StatementsAreKeptForTheirReaders) {
  EXPECT_EQ(Load("rename-command FLUSHALL \"\"\nrename-command config cfg\nloadmodule /m.so a b\n"),
            "");
  EXPECT_EQ(loader_.config().renamed_commands,
            (std::vector<CommandRename>{{"flushall", ""}, {"config", "cfg"}}));
  ASSERT_EQ(loader_.config().modules.size(), 1u);
  EXPECT_THAT(loader_.config().modules[0].words, ElementsAre("/m.so", "a", "b"));
}

TEST_F(ConfigLoaderTest, TheDefaultUserMayDoEverythingAndHaveAPassword) {
  EXPECT_EQ(Load("user default on >secret sanitize-payload ~* &* +@all\n"), "");
  EXPECT_EQ(loader_.config().require_pass, "secret");
  EXPECT_EQ(Load("user default on nopass ~* &* +@all\n"), "");
  EXPECT_EQ(loader_.config().require_pass, "");
}

TEST_F(ConfigLoaderTest, UsersThatAreNotEnforcedStopTheStart) {
  EXPECT_THAT(Load("user worker on >x ~* +@all\n"), HasSubstr("knows the user 'default' only"));
  EXPECT_THAT(Load("user default on nopass ~app:* +@all\n"), HasSubstr("the rule '~app:*'"));
  EXPECT_THAT(Load("user default off\n"), HasSubstr("the rule 'off'"));
}

TEST_F(ConfigLoaderTest, IncludesFilesInPlace) {
  const std::string path = Write("extra.conf", "timeout 5\nhz 20\n");
  EXPECT_EQ(Load(absl::StrCat("timeout 1\ninclude ", path, "\nhz 30\n")), "");
  EXPECT_EQ(loader_.config().idle_timeout_seconds, 5);
  EXPECT_EQ(loader_.config().hz, 30);
}

TEST_F(ConfigLoaderTest, IncludesWhatAPatternMatchesInOrder) {
  Write("1.conf", "timeout 1\n");
  Write("2.conf", "timeout 2\n");
  EXPECT_EQ(Load(absl::StrCat("include ", folder_, "/*.conf\n")), "");
  EXPECT_EQ(loader_.config().idle_timeout_seconds, 2);
  EXPECT_EQ(Load(absl::StrCat("include ", folder_, "/*.nosuch\n")), "");
}

TEST_F(ConfigLoaderTest, AnErrorInAnIncludedFileNamesThatFile) {
  const std::string path = Write("extra.conf", "hz 10\nhz many\n");
  EXPECT_EQ(Load(absl::StrCat("include ", path)),
            FatalAt(absl::StrCat("Reading the configuration file ", path, ", at line 2"), "hz many",
                    "argument couldn't be parsed into an integer"));
}

TEST_F(ConfigLoaderTest, AMissingFileStopsTheStart) {
  EXPECT_EQ(Load("include /nosuch.conf\n"),
            "Fatal error, can't open config file '/nosuch.conf': No such file or directory\n");
  EXPECT_FALSE(loader_.LoadFile(folder_).ok());  // A folder.
}

TEST_F(ConfigLoaderTest, AFileThatIncludesItselfIsRefused) {
  const std::string path = Write("loop.conf", "");
  Write("loop.conf", absl::StrCat("include ", path, "\n"));
  EXPECT_THAT(std::string(AsStd(loader_.LoadFile(path).message())), HasSubstr("too deeply"));
}

TEST_F(ConfigLoaderTest, ARelativeDirectoryBecomesAbsoluteAndIncludesFollowIt) {
  Write("near.conf", "hz 77\n");
  EXPECT_EQ(Load(absl::StrCat("dir ", folder_, "/.\ninclude near.conf\n")), "");
  EXPECT_EQ(loader_.config().dir, std::filesystem::canonical(folder_).string());
  EXPECT_EQ(loader_.config().hz, 77);
}

TEST_F(ConfigLoaderTest, WarnsOfWhatDoesNothingHere) {
  EXPECT_EQ(Load("port 1\nio-threads 4\nappendonly yes\nloadmodule /m.so\nslave-priority 5\n"), "");
  const auto warnings = loader_.TakeWarnings();
  ASSERT_EQ(warnings.size(), 4u);
  EXPECT_EQ(warnings[0].origin, "larder.conf:2");
  EXPECT_EQ(warnings[0].text,
            "'io-threads' has no effect in Larder; 'threads' sets how many serve");
  EXPECT_THAT(warnings[1].text, HasSubstr("'appendonly' is kept"));
  EXPECT_THAT(warnings[2].text, HasSubstr("'loadmodule'"));
  EXPECT_EQ(warnings[3].text, "'slave-priority' has no effect in Larder");
}

TEST_F(ConfigLoaderTest, NamesDefaultsWithoutEffectInOneWarning) {
  EXPECT_EQ(Load("rdbchecksum yes\njemalloc-bg-thread yes\nhz 10\n"), "");
  const auto warnings = loader_.TakeWarnings();
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings[0].text,
            "these settings are accepted and have no effect: jemalloc-bg-thread, rdbchecksum");
}

// The settings of Debian 12's /etc/redis/redis.conf, whose folders may not exist here.
TEST_F(ConfigLoaderTest, ADebianConfigurationStarts) {
  EXPECT_EQ(Load(absl::StrCat(R"(
bind 127.0.0.1 -::1
protected-mode yes
port 6379
tcp-backlog 511
timeout 0
tcp-keepalive 300
daemonize yes
pidfile /run/redis/redis-server.pid
loglevel notice
logfile /var/log/redis/redis-server.log
databases 16
always-show-logo no
set-proc-title yes
proc-title-template "{title} {listen-addr} {server-mode}"
stop-writes-on-bgsave-error yes
dbfilename dump.rdb
rdb-del-sync-files no
dir )",
                              folder_, R"(
replica-serve-stale-data yes
repl-diskless-sync-max-replicas 0
acllog-max-len 128
replica-lazy-flush no
oom-score-adj-values 0 200 800
disable-thp yes
appendonly no
appendfilename "appendonly.aof"
appenddirname "appendonlydir"
auto-aof-rewrite-min-size 64mb
slowlog-log-slower-than 10000
notify-keyspace-events ""
hash-max-listpack-entries 512
list-max-listpack-size -2
client-output-buffer-limit normal 0 0 0
client-output-buffer-limit replica 256mb 64mb 60
client-output-buffer-limit pubsub 32mb 8mb 60
jemalloc-bg-thread yes
)")),
            "");
  EXPECT_TRUE(loader_.config().daemonize);
  EXPECT_EQ(loader_.config().normal_output_limit, OutputBufferLimit{});
}

TEST(LarderConfTest, TheShippedFileLoadsWithoutAWarningAndSaysTheDefaults) {
  ConfigLoader loader(DefaultConfig());
  const absl::Status status = loader.LoadFile(absl::StrCat(LARDER_SOURCE_DIR, "/larder.conf"));
  ASSERT_TRUE(status.ok()) << AsStd(status.message());
  for (const ConfigWarning& warning : loader.TakeWarnings()) ADD_FAILURE() << warning.text;
  for (const Directive& directive : AllDirectives()) {
    if (directive.Is(kFileOnly) || directive.name == "bind") continue;
    EXPECT_EQ(PrintDirective(directive, loader.config()),
              PrintDirective(directive, DefaultConfig()))
        << directive.name;
  }
}

TEST(LarderConfTest, WhatIsCommentedOutIsValidToo) {
  std::ifstream file(std::string(LARDER_SOURCE_DIR) + "/larder.conf");
  int examples = 0;
  for (std::string line; std::getline(file, line);) {
    // "#name value" is a setting; "# Text" explains.
    if (line.size() < 2 || line[0] != '#' || line[1] < 'a' || line[1] > 'z') continue;
    ++examples;
    ConfigLoader loader(DefaultConfig());
    const absl::Status status = loader.LoadText(line.substr(1), "larder.conf");
    // The examples may name files that are not there.
    if (line.find("include") == std::string::npos && line.find("#dir ") == std::string::npos) {
      EXPECT_TRUE(status.ok()) << AsStd(status.message());
    }
  }
  EXPECT_GT(examples, 5);
}

// --- The command line ---

struct Arguments {
  std::vector<std::string_view> arguments;
  std::vector<std::string> options;
};

TEST(CommandLineTest, IsDividedAsRedisDividesIt) {
  const std::vector<Arguments> rows = {
      {{"--port", "7000"}, {"port \"7000\""}},
      {{"--port 7000"}, {"port 7000"}},
      {{"--port=7000"}, {"port=7000"}},
      {{"--maxmemory 700mb", "--maxmemory-policy volatile-lru"},
       {"maxmemory 700mb", "maxmemory-policy volatile-lru"}},
      {{"--requirepass", "--abc", "--loglevel verbose"},
       {"requirepass \"--abc\"", "loglevel verbose"}},
      {{"--save 900 1", "300", "10"}, {"save 900 1 \"300\" \"10\""}},
      {{"--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"},
       {"maxmemory \"100mb\"", "maxmemory-policy \"allkeys-lru\""}},
      {{"--save", "900", "1", "300", "10"}, {"save \"900\" \"1\" \"300\" \"10\""}},
      {{"--save", ""}, {"save \"\""}},
      {{"--save"}, {"save \"\""}},
      {{"--save", "--port", "1"}, {"save \"\"", "port \"1\""}},
      {{"--requirepass", "--abc"}, {"requirepass \"--abc\""}},
      {{"--daemonize"}, {"daemonize"}},
      {{"--port", "1", "--", "x"}, {"port \"1\"", "\"x\""}},
      {{"-x", "y"}, {"\"-x\" \"y\""}},
      {{"--requirepass", "a\"b"}, {"requirepass \"a\\\"b\""}},
  };
  for (const Arguments& row : rows) {
    const CommandLine divided = DivideCommandLine(row.arguments);
    EXPECT_EQ(divided.file, std::nullopt);
    EXPECT_FALSE(divided.reads_standard_input);
    EXPECT_EQ(divided.options, row.options) << row.arguments[0];
  }
}

TEST(CommandLineTest, AFileComesFirstAndStandardInputAtAnEnd) {
  const std::vector<std::string_view> both = {"a.conf", "--port", "1", "-"};
  CommandLine divided = DivideCommandLine(both);
  EXPECT_EQ(divided.file, "a.conf");
  EXPECT_TRUE(divided.reads_standard_input);
  EXPECT_THAT(divided.options, ElementsAre("port \"1\""));

  const std::vector<std::string_view> input = {"-", "--port", "1"};
  divided = DivideCommandLine(input);
  EXPECT_EQ(divided.file, std::nullopt);
  EXPECT_TRUE(divided.reads_standard_input);
}

TEST(CommandLineTest, VersionAndHelpAreAskedForFirst) {
  const auto action_of = [](std::string_view argument) {
    return ActionOfCommandLine(std::vector<std::string_view>{argument});
  };
  EXPECT_EQ(action_of("-v"), CommandLineAction::kPrintVersion);
  EXPECT_EQ(action_of("--version"), CommandLineAction::kPrintVersion);
  EXPECT_EQ(action_of("-h"), CommandLineAction::kPrintHelp);
  EXPECT_EQ(action_of("--help"), CommandLineAction::kPrintHelp);
  EXPECT_EQ(action_of("--port"), CommandLineAction::kRun);
  EXPECT_EQ(ActionOfCommandLine({}), CommandLineAction::kRun);
}

TEST(CommandLineTest, ABadOptionIsNamed) {
  ConfigLoader loader(DefaultConfig());
  const std::vector<std::string> options = {"maxclients \"lots\""};
  EXPECT_EQ(AsStd(loader.LoadOptions(options).message()),
            FatalAt("Reading the command line", "maxclients \"lots\"",
                    "argument couldn't be parsed into an integer"));
}

}  // namespace
}  // namespace larder
