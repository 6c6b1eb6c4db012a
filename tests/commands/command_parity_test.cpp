// Every row that Larder shares with Redis says what Redis says: this walks the whole command table
// beside a real redis-server's COMMAND, and lists every difference.

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "commands/command_reply.h"
#include "commands/command_table.h"
#include "gtest/gtest.h"
#include "protocol/output_buffer.h"
#include "tests/support/resp_client.h"
#include "tests/support/server_process.h"

namespace larder {
namespace {

// One command as COMMAND INFO (RESP2) tells it, each part as text that can be compared and read.
struct Described {
  std::string arity;
  std::string flags;
  std::string keys;  // First, last, step.
  std::string acl;
  std::string tips;
  std::string key_specs;
};

std::string Text(const RespValue& value) {
  if (value.type == ':') return std::to_string(value.integer);
  if (value.type != '*') return value.text;
  std::string text = "(";
  for (const RespValue& element : value.elements) {
    if (text.size() > 1) text += ' ';
    text += Text(element);
  }
  return text + ")";
}

std::string SortedText(const RespValue& set) {
  std::set<std::string> members;
  for (const RespValue& element : set.elements) members.insert(Text(element));
  std::string text;
  for (const std::string& member : members) text += (text.empty() ? "" : " ") + member;
  return text;
}

// A key specification is a map, in RESP2 a flat array, whose flags are a set.
std::string KeySpecsText(const RespValue& specs) {
  std::string text;
  for (const RespValue& spec : specs.elements) {
    std::map<std::string, std::string> parts;
    for (size_t i = 0; i + 1 < spec.elements.size(); i += 2) {
      const RespValue& value = spec.elements[i + 1];
      const std::string& name = spec.elements[i].text;
      parts[name] = name == "flags" ? SortedText(value) : Text(value);
    }
    text += "{";
    for (const auto& [name, value] : parts) text += name + "=" + value + "; ";
    text += "}";
  }
  return text;
}

void Describe(const RespValue& info, std::map<std::string, Described>& all) {
  ASSERT_EQ(info.elements.size(), 10u);
  const std::vector<RespValue>& parts = info.elements;
  all[parts[0].text] = {.arity = Text(parts[1]),
                        .flags = SortedText(parts[2]),
                        .keys = Text(parts[3]) + " " + Text(parts[4]) + " " + Text(parts[5]),
                        .acl = SortedText(parts[6]),
                        .tips = SortedText(parts[7]),
                        .key_specs = KeySpecsText(parts[8])};
  for (const RespValue& subcommand : parts[9].elements) Describe(subcommand, all);
}

std::map<std::string, Described> LarderCommands() {
  std::map<std::string, Described> all;
  const CommandTable table(AllCommandFamilies());
  for (const Command* command : table.commands()) {
    OutputBuffer out;
    ReplyWriter reply(out, RespVersion::kResp2);
    WriteCommandInfo(reply, *command);
    RespValue info;
    ParseReply(out.ToString(), &info);
    Describe(info, all);
  }
  return all;
}

std::map<std::string, Described> RedisCommands() {
  std::map<std::string, Described> all;
  const ServerProcess redis = ServerProcess::StartRedis();
  RespClient client(redis.port());
  for (const RespValue& info : client.Call({"COMMAND"}).elements) Describe(info, all);
  return all;
}

TEST(CommandParityTest, SharedCommandsAreDescribedAsRedisDescribesThem) {
  // Redis 7.2 gave them an option (WITHSCORE), and so another arity.
  const std::set<std::string> take_more = {"zrank", "zrevrank"};
  const std::map<std::string, Described> redis = RedisCommands();
  std::string differences;
  size_t compared = 0;
  for (const auto& [name, ours] : LarderCommands()) {
    const auto found = redis.find(name);
    if (found == redis.end()) continue;
    ++compared;
    const Described& theirs = found->second;
    const auto compare = [&, &command = name](const std::string& part, const std::string& larder,
                                              const std::string& expected) {
      if (larder == expected) return;
      differences += command + ": " + part + " is [" + larder + "], Redis has [" + expected + "]\n";
    };
    if (!take_more.contains(name)) compare("arity", ours.arity, theirs.arity);
    compare("flags", ours.flags, theirs.flags);
    compare("first, last, step", ours.keys, theirs.keys);
    compare("ACL categories", ours.acl, theirs.acl);
    compare("tips", ours.tips, theirs.tips);
    compare("key specifications", ours.key_specs, theirs.key_specs);
  }
  EXPECT_EQ(differences, "");
  EXPECT_GT(compared, 0u);
}

// A container that Larder has answers all the subcommands that Redis's has, but for these.
TEST(CommandParityTest, ContainersHaveAllSubcommandsOfRedis) {
  const std::set<std::string> not_yet = {};
  const std::map<std::string, Described> larder = LarderCommands();
  std::string missing;
  for (const auto& [name, described] : RedisCommands()) {
    const size_t bar = name.find('|');
    if (bar == name.npos || !larder.contains(name.substr(0, bar))) continue;
    if (!larder.contains(name) && !not_yet.contains(name)) missing += name + "\n";
  }
  EXPECT_EQ(missing, "");
}

}  // namespace
}  // namespace larder
