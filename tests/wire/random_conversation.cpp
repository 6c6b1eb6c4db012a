#include "tests/wire/random_conversation.h"

#include "tests/support/wire_case.h"

namespace larder {
namespace {

constexpr int kCommands = 20'000;
constexpr int kPipeline = 50;

// Enough of a reply to see what it is about.
constexpr size_t kShownBytes = 300;

}  // namespace

std::string CommandGenerator::NumberBetween(int64_t least, int64_t most) {
  return std::to_string(least +
                        static_cast<int64_t>(Uniform(static_cast<uint64_t>(most - least + 1))));
}

std::string CommandGenerator::Pick(std::initializer_list<std::string_view> choices) {
  return std::string(choices.begin()[Uniform(choices.size())]);
}

RandomConversation::RandomConversation()
    : larder_(SharedLarder().port()), redis_(SharedRedis().port()) {}

testing::AssertionResult RandomConversation::SameReply(const std::vector<std::string>& command) {
  larder_.Send(command);
  redis_.Send(command);
  return ReadSameReply(command);
}

testing::AssertionResult RandomConversation::SameReplies(CommandGenerator& generator,
                                                         const Check& check) {
  testing::AssertionResult same = SameReply({"FLUSHALL"});
  for (int sent = 0; same && sent < kCommands; sent += kPipeline) {
    same = SamePipeline(generator);
    if (same && check) same = check();
    if (!same) same << "\n  after " << sent << " to " << sent + kPipeline << " commands";
  }
  return same ? SameReply({"DEBUG", "DIGEST"}) : same;
}

testing::AssertionResult RandomConversation::SamePipeline(CommandGenerator& generator) {
  std::vector<std::vector<std::string>> commands;
  std::string bytes;
  for (int i = 0; i < kPipeline; ++i) {
    commands.push_back(generator.Next());
    bytes += EncodeRequest(commands.back());
  }
  larder_.SendBytes(bytes);
  redis_.SendBytes(bytes);
  for (const auto& command : commands) {
    if (testing::AssertionResult same = ReadSameReply(command); !same) return same;
  }
  return testing::AssertionSuccess();
}

testing::AssertionResult RandomConversation::ReadSameReply(
    const std::vector<std::string>& command) {
  const std::string ours = larder_.ReadReply();
  const std::string theirs = redis_.ReadReply();
  if (ours == theirs) return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << testing::PrintToString(command) << "\n  Larder: " << ours.substr(0, kShownBytes)
         << "\n  Redis:  " << theirs.substr(0, kShownBytes);
}

}  // namespace larder
