#include "commands/command_docs.h"

#include <string>

#include "gtest/gtest.h"

namespace larder {
namespace {

void Ignore(CommandContext&) {}

// A tree as one line: name:type, with the token before it, "?" if optional, "*" if multiple.
std::string Text(const std::vector<DocArgument>& arguments) {
  std::string text;
  for (const DocArgument& argument : arguments) {
    if (!text.empty()) text += " ";
    if (!argument.token.empty()) text += argument.token + "=";
    text += argument.name + ":" + std::string(DocTypeName(argument.type));
    if (argument.key_spec_index >= 0) text += "#" + std::to_string(argument.key_spec_index);
    if (argument.optional) text += "?";
    if (argument.multiple) text += "*";
    if (argument.multiple_token) text += "*";
    if (!argument.arguments.empty()) text += "(" + Text(argument.arguments) + ")";
  }
  return text;
}

std::string Parsed(std::string_view syntax, const KeySpecs& keys = Keys(1, 1, 1)) {
  const CommandSpec spec = {"test", -2, 0, keys, kAclNone, &Ignore, "", "", "", syntax};
  return Text(ParseSyntax(spec));
}

TEST(CommandDocsTest, PlainWordsAreValuesWhoseTypeFollowsFromTheName) {
  EXPECT_EQ(Parsed("key value"), "key:key#0 value:string");
  EXPECT_EQ(Parsed("cursor pattern unix-time-seconds", kNoKeys),
            "cursor:integer pattern:pattern unix-time-seconds:unix-time");
  EXPECT_EQ(Parsed("key increment:double"), "key:key#0 increment:double");
}

TEST(CommandDocsTest, AKeyIsOneOnlyWhereTheRowDeclaresKeys) {
  EXPECT_EQ(Parsed("key", kNoKeys), "key:string");
}

TEST(CommandDocsTest, SecondKeyBelongsToTheSecondSpecification) {
  EXPECT_EQ(Parsed("key newkey", Keys(1, 1, 1) + Keys(2, 2, 1)), "key:key#0 newkey:key#1");
  EXPECT_EQ(Parsed("key1 key2", Keys(1, 2, 1)), "key1:key#0 key2:key#0");
}

TEST(CommandDocsTest, CapitalWordsAreTokensAndTakeTheValueBehindThem) {
  EXPECT_EQ(Parsed("[WITHSCORES]"), "WITHSCORES=withscores:pure-token?");
  EXPECT_EQ(Parsed("key [COUNT count] [ASC|DESC]"),
            "key:key#0 COUNT=count:integer? "
            "asc-or-desc:oneof?(ASC=asc:pure-token DESC=desc:pure-token)");
  EXPECT_EQ(Parsed("[LIMIT offset count]"), "LIMIT=limit:block?(offset:integer count:integer)");
}

TEST(CommandDocsTest, AlternativesAreOneOf) {
  EXPECT_EQ(Parsed("key value [NX|XX] [EX seconds|KEEPTTL]"),
            "key:key#0 value:string condition:oneof?(NX=nx:pure-token XX=xx:pure-token) "
            "expiration:oneof?(EX=seconds:integer KEEPTTL=keepttl:pure-token)");
}

TEST(CommandDocsTest, AWordBeforeWordsIsTheWholeChoices) {
  EXPECT_EQ(Parsed("[TYPE NORMAL|PUBSUB]"),
            "TYPE=type:oneof?(NORMAL=normal:pure-token PUBSUB=pubsub:pure-token)");
}

TEST(CommandDocsTest, OutsideOfBracketsABarStandsBetweenItsNeighbours) {
  EXPECT_EQ(Parsed("ON|OFF|SKIP [value]"),
            "on-or-off-or-skip:oneof(ON=on:pure-token OFF=off:pure-token SKIP=skip:pure-token) "
            "value:string?");
}

TEST(CommandDocsTest, RepeatingTheWholeGroupRepeatsTheToken) {
  EXPECT_EQ(Parsed("[CONFIG name value]..."), "CONFIG=config:block?**(name:string value:string)");
  EXPECT_EQ(Parsed("[PREFIX prefix [PREFIX prefix ...]]"), "PREFIX=prefix:string?**");
  EXPECT_EQ(Parsed("[ID client-id [client-id ...]]"), "ID=client-id:integer?*");
  EXPECT_EQ(Parsed("[ARGS arg...]"), "ARGS=arg:string?*");
}

TEST(CommandDocsTest, DotsRepeatTheItemBefore) {
  EXPECT_EQ(Parsed("key..."), "key:key#0*");
  EXPECT_EQ(Parsed("key ..."), "key:key#0*");
  EXPECT_EQ(Parsed("key [key ...]"), "key:key#0*");
  EXPECT_EQ(Parsed("(key value)..."), "key_value:block*(key:key#0 value:string)");
  EXPECT_EQ(Parsed("key value [key value ...]"), "key_value:block*(key:key#0 value:string)");
  EXPECT_EQ(Parsed("[section...]"), "section:string?*");
}

TEST(CommandDocsTest, UnbalancedBracketsEndAtTheEnd) {
  EXPECT_EQ(Parsed("[EX seconds"), "EX=seconds:integer?");
  EXPECT_EQ(Parsed("value] more"), "value:string more:string");
}

}  // namespace
}  // namespace larder
