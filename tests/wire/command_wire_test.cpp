// COMMAND as clients see it. That every row is described as Redis describes it is the business of
// tests/commands/command_parity_test.cpp.
#include <cstdlib>
#include <set>

#include "tests/support/wire_case.h"
#include "tests/wire/same_as_redis.h"

namespace larder {
namespace {

class CommandWireTest : public WireTest {};

TEST_P(CommandWireTest, AnswersLikeRedis) { Run(); }

LARDER_INSTANTIATE_CASES(
    Command, CommandWireTest,
    {
        {"InfoOfAKeyedCommand",
         {{"COMMAND INFO get nosuch",
           "*2\r\n*10\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n*3\r\n"
           "+@read\r\n+@string\r\n+@fast\r\n*0\r\n*1\r\n*6\r\n$5\r\nflags\r\n*2\r\n+RO\r\n"
           "+access\r\n$12\r\nbegin_search\r\n*4\r\n$4\r\ntype\r\n$5\r\nindex\r\n$4\r\nspec\r\n"
           "*2\r\n$5\r\nindex\r\n:1\r\n$9\r\nfind_keys\r\n*4\r\n$4\r\ntype\r\n$5\r\nrange\r\n"
           "$4\r\nspec\r\n*6\r\n$7\r\nlastkey\r\n:0\r\n$7\r\nkeystep\r\n:1\r\n$5\r\nlimit\r\n:0"
           "\r\n*0\r\n$-1\r\n",
           "*2\r\n*10\r\n$3\r\nget\r\n:2\r\n~2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n~3\r\n"
           "+@read\r\n+@string\r\n+@fast\r\n~0\r\n~1\r\n%3\r\n$5\r\nflags\r\n~2\r\n+RO\r\n"
           "+access\r\n$12\r\nbegin_search\r\n%2\r\n$4\r\ntype\r\n$5\r\nindex\r\n$4\r\nspec\r\n"
           "%1\r\n$5\r\nindex\r\n:1\r\n$9\r\nfind_keys\r\n%2\r\n$4\r\ntype\r\n$5\r\nrange\r\n"
           "$4\r\nspec\r\n%3\r\n$7\r\nlastkey\r\n:0\r\n$7\r\nkeystep\r\n:1\r\n$5\r\nlimit\r\n:0"
           "\r\n~0\r\n_\r\n"}}},
        {"NamesInAnyCaseAndOfSubcommands",
         {{"COMMAND INFO memory|nosuch", "*1\r\n$-1\r\n", "*1\r\n_\r\n"},
          {"COMMAND INFO a|b|c", "*1\r\n$-1\r\n", "*1\r\n_\r\n"},
          {"COMMAND DOCS nosuch config|nosuch", "*0\r\n", "%0\r\n"}}},
        {"ListFilters",
         {{"COMMAND LIST FILTERBY MODULE x", "*0\r\n"},
          {"COMMAND LIST FILTERBY ACLCAT bogus", "*0\r\n"},
          {"COMMAND LIST FILTERBY ACLCAT @connection", "*0\r\n"},
          {"COMMAND LIST FILTERBY PATTERN *usage", Array({Bulk("memory|usage")})},
          {"COMMAND LIST FILTERBY bogus x", "-ERR syntax error\r\n"},
          {"COMMAND LIST FILTERBY PATTERN a b", "-ERR syntax error\r\n"},
          {"COMMAND LIST FILTERBY", "-ERR syntax error\r\n"},
          {"COMMAND LIST foo", "-ERR syntax error\r\n"}}},
        {"GetKeys",
         {{"COMMAND GETKEYS get a", Array({Bulk("a")})},
          {"COMMAND GETKEYS mset a b c", Array({Bulk("a"), Bulk("c")})},
          {"COMMAND GETKEYS memory usage k", Array({Bulk("k")})},
          {"COMMAND GETKEYS mset a", "-ERR Invalid number of arguments specified for command\r\n"},
          {"COMMAND GETKEYS set a", "-ERR Invalid number of arguments specified for command\r\n"},
          {"COMMAND GETKEYS nosuch a b", "-ERR Invalid command specified\r\n"},
          {"COMMAND GETKEYS memory nosuch k", "-ERR Invalid command specified\r\n"},
          {"COMMAND GETKEYS ping a", "-ERR The command has no key arguments\r\n"},
          {"COMMAND GETKEYS config get x", "-ERR The command has no key arguments\r\n"},
          {"COMMAND GETKEYS subscribe a", "-ERR The command has no key arguments\r\n"},
          {"COMMAND GETKEYS ssubscribe a", "-ERR The command has no key arguments\r\n"},
          {"COMMAND GETKEYS get",
           "-ERR wrong number of arguments for 'command|getkeys' command\r\n"}}},
        {"GetKeysAndFlags",
         {{"COMMAND GETKEYSANDFLAGS rename a b",
           "*2\r\n*2\r\n$1\r\na\r\n*3\r\n+RW\r\n+access\r\n+delete\r\n*2\r\n$1\r\nb\r\n*2\r\n+OW"
           "\r\n+update\r\n",
           "*2\r\n*2\r\n$1\r\na\r\n~3\r\n+RW\r\n+access\r\n+delete\r\n*2\r\n$1\r\nb\r\n~2\r\n+OW"
           "\r\n+update\r\n"},
          {"COMMAND GETKEYSANDFLAGS memory usage k", "*1\r\n*2\r\n$1\r\nk\r\n*1\r\n+RO\r\n",
           "*1\r\n*2\r\n$1\r\nk\r\n~1\r\n+RO\r\n"}}},
        {"GetKeysAndFlagsOfSetLooksForGet",
         {{"COMMAND GETKEYSANDFLAGS set a b", "*1\r\n*2\r\n$1\r\na\r\n*2\r\n+OW\r\n+update\r\n",
           "*1\r\n*2\r\n$1\r\na\r\n~2\r\n+OW\r\n+update\r\n"},
          {"COMMAND GETKEYSANDFLAGS set a b GET",
           "*1\r\n*2\r\n$1\r\na\r\n*3\r\n+RW\r\n+access\r\n+update\r\n",
           "*1\r\n*2\r\n$1\r\na\r\n~3\r\n+RW\r\n+access\r\n+update\r\n"}}},
        {"GetKeysAndFlagsOfBitfieldLooksForWrites",
         {{"COMMAND GETKEYSANDFLAGS bitfield a", "*1\r\n*2\r\n$1\r\na\r\n*2\r\n+RO\r\n+access\r\n",
           "*1\r\n*2\r\n$1\r\na\r\n~2\r\n+RO\r\n+access\r\n"},
          {"COMMAND GETKEYSANDFLAGS bitfield a OVERFLOW SAT GET u8 0",
           "*1\r\n*2\r\n$1\r\na\r\n*2\r\n+RO\r\n+access\r\n",
           "*1\r\n*2\r\n$1\r\na\r\n~2\r\n+RO\r\n+access\r\n"},
          {"COMMAND GETKEYSANDFLAGS bitfield a GET u8 0 SET u8 0 1",
           "*1\r\n*2\r\n$1\r\na\r\n*3\r\n+RW\r\n+access\r\n+update\r\n",
           "*1\r\n*2\r\n$1\r\na\r\n~3\r\n+RW\r\n+access\r\n+update\r\n"}}},
        {"GetKeysWantsEveryKindOfKey",
         {{"COMMAND GETKEYS pfmerge a", "-ERR Invalid arguments specified for command\r\n"},
          {"COMMAND GETKEYS zinterstore a 0 b",
           "-ERR Invalid arguments specified for command\r\n"}}},
        {"Errors",
         {{"COMMAND x", "-ERR unknown subcommand 'x'. Try COMMAND HELP.\r\n"},
          {"COMMAND COUNT a", "-ERR wrong number of arguments for 'command|count' command\r\n"},
          {"COMMAND HELP x", "-ERR wrong number of arguments for 'command|help' command\r\n"}}},
        {"DocsOfAKeyedCommand",
         {{"COMMAND DOCS strlen",
           Like("*2\r\n$6\r\nstrlen\r\n*10\r\n$7\r\nsummary\r\n<bulk>$5\r\nsince\r\n$5\r\n2.2.0"
                "\r\n$5\r\ngroup\r\n$6\r\nstring\r\n$10\r\ncomplexity\r\n$4\r\nO(1)\r\n$9\r\n"
                "arguments\r\n*1\r\n*6\r\n$4\r\nname\r\n$3\r\nkey\r\n$4\r\ntype\r\n$3\r\nkey\r\n"
                "$14\r\nkey_spec_index\r\n:0\r\n"),
           Like("%1\r\n$6\r\nstrlen\r\n%5\r\n$7\r\nsummary\r\n<bulk>$5\r\nsince\r\n$5\r\n2.2.0"
                "\r\n$5\r\ngroup\r\n$6\r\nstring\r\n$10\r\ncomplexity\r\n$4\r\nO(1)\r\n$9\r\n"
                "arguments\r\n*1\r\n%3\r\n$4\r\nname\r\n$3\r\nkey\r\n$4\r\ntype\r\n$3\r\nkey\r\n"
                "$14\r\nkey_spec_index\r\n:0\r\n")}}},
    });

TEST_F(CommandWireTest, CountListAndInfoAgree) {
  RespClient client(Larder().port());
  RespValue list = client.Call({"COMMAND", "LIST"});
  // Only here subcommands stand beside their containers.
  EXPECT_NE(
      std::erase_if(list.elements,
                    [](const RespValue& name) { return name.text.find('|') != name.text.npos; }),
      0U);
  const RespValue all = client.Call({"COMMAND"});
  EXPECT_EQ(client.Call({"COMMAND", "COUNT"}).integer, static_cast<int64_t>(list.elements.size()));
  EXPECT_EQ(all.elements.size(), list.elements.size());
  EXPECT_EQ(client.Call({"COMMAND", "INFO"}), all);
  EXPECT_EQ(client.Call({"COMMAND", "DOCS"}).elements.size(), 2 * list.elements.size());
}

TEST_F(CommandWireTest, FilterByCategoryNamesWhatInfoPutsIntoIt) {
  RespClient client(Larder().port());
  std::set<std::string> listed;
  for (const RespValue& name :
       client.Call({"COMMAND", "LIST", "FILTERBY", "ACLCAT", "CONNECTION"}).elements) {
    listed.insert(name.text);
  }
  std::set<std::string> described;
  const auto add = [&](const RespValue& info) {
    for (const RespValue& category : info.elements[6].elements) {
      if (category.text == "@connection") described.insert(info.elements[0].text);
    }
  };
  for (const RespValue& info : client.Call({"COMMAND"}).elements) {
    add(info);
    for (const RespValue& subcommand : info.elements[9].elements) add(subcommand);
  }
  EXPECT_EQ(listed, described);
  EXPECT_TRUE(listed.contains("command|docs"));
}

TEST_F(CommandWireTest, DocumentationOfCommandsIsUpToDate) {
  const std::string check =
      "/usr/bin/python3 " LARDER_SOURCE_DIR "/scripts/command_docs.py --check";
  EXPECT_EQ(std::system((check + " --port " + std::to_string(Larder().port())).c_str()), 0);
}

TEST_F(CommandWireTest, HelpIsRediss) {
  EXPECT_EQ(DifferencesFromRedis(Larder().port(), Redis().port(), {"COMMAND HELP"}), "");
}

}  // namespace
}  // namespace larder
