// Long random conversations, the same with Larder and with a real Redis: what no table of cases
// thinks of. Every reply must be the same to the byte, and so must what the keys hold afterwards.
//
//   class CounterGenerator : public CommandGenerator {
//    public:
//     using CommandGenerator::CommandGenerator;
//     std::vector<std::string> Next() override { return {Pick({"INCR", "DECR"}), "k" + Number(8)};
//     }
//   };
//
//   CounterGenerator generator(seed);
//   EXPECT_TRUE(RandomConversation().SameReplies(generator));
//
// Few keys, and values that meet the interesting limits often, find the most.
//
// Concurrency: thread-confined.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/support/resp_client.h"

namespace larder {

// Makes up one command after the other; the same seed makes the same ones.
class CommandGenerator {
 public:
  explicit CommandGenerator(uint64_t seed) : random_(seed) {}
  virtual ~CommandGenerator() = default;

  virtual std::vector<std::string> Next() = 0;

 protected:
  uint64_t Uniform(uint64_t bound) { return random_.Uniform(bound); }
  std::string Number(uint64_t bound) { return std::to_string(Uniform(bound)); }
  std::string NumberBetween(int64_t least, int64_t most);
  std::string Pick(std::initializer_list<std::string_view> choices);

 private:
  Random random_;
};

// A connection to each of the servers that all tests share.
class RandomConversation {
 public:
  using Check = std::function<testing::AssertionResult()>;

  RandomConversation();

  testing::AssertionResult SameReply(const std::vector<std::string>& command);
  // Empties both servers, sends them 20,000 commands in pipelines and compares at last the digests
  // of all keys. Ends at the first difference; `check` is asked after each pipeline.
  testing::AssertionResult SameReplies(CommandGenerator& generator, const Check& check = nullptr);

  RespClient& larder() { return larder_; }
  RespClient& redis() { return redis_; }

 private:
  testing::AssertionResult SamePipeline(CommandGenerator& generator);
  testing::AssertionResult ReadSameReply(const std::vector<std::string>& command);

  RespClient larder_;
  RespClient redis_;
};

}  // namespace larder
