// Long random conversations, the same with Larder and with a real Redis: what no table of cases
// thinks of. Every reply must be the same to the byte.
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/support/wire_case.h"

namespace larder {
namespace {

constexpr int kCommands = 20'000;
constexpr int kPipeline = 50;

// Few keys and values that meet the interesting limits often.
class CommandGenerator {
 public:
  explicit CommandGenerator(uint64_t seed) : random_(seed) {}

  std::vector<std::string> Next() {
    std::vector<std::string> args;
    switch (random_.Uniform(20)) {
      case 0:
        return {"GET", Key()};
      case 1:
        args = {"SET", Key(), Value()};
        AddSetOptions(args);
        return args;
      case 2:
        return {"APPEND", Key(), Value()};
      case 3:
        return {"SETRANGE", Key(), Offset(), Value()};
      case 4:
        return {Pick({"GETRANGE", "SUBSTR"}), Key(), Offset(), Offset()};
      case 5:
        return {Pick({"INCR", "DECR"}), Key()};
      case 6:
        return {Pick({"INCRBY", "DECRBY"}), Key(), Number()};
      case 7:
        return {"INCRBYFLOAT", Key(), Float()};
      case 8:
        return {"MGET", Key(), Key(), Key()};
      case 9:
        return {Pick({"MSET", "MSETNX"}), Key(), Value(), Key(), Value()};
      case 10:
        return {"GETSET", Key(), Value()};
      case 11:
        return {"GETDEL", Key()};
      case 12:
        return {"SETNX", Key(), Value()};
      case 13:
        return {"STRLEN", Key()};
      case 14:
        return {"SETEX", Key(), Pick({"1000", "2000", "0", "x"}), Value()};
      case 15:
        return {"GETEX", Key(), Pick({"PERSIST", "EX", "KEEPTTL"})};
      case 16:
        return {"DEL", Key()};
      case 17:
        return {"PERSIST", Key()};
      case 18:
        return {"LCS", Key(), Key(), Pick({"LEN", "IDX", "WITHMATCHLEN"})};
      default:
        return {"EXISTS", Key(), Key()};
    }
  }

 private:
  std::string Pick(const std::vector<std::string>& choices) {
    return choices[random_.Uniform(choices.size())];
  }
  std::string Key() { return "key" + std::to_string(random_.Uniform(8)); }
  std::string Offset() { return std::to_string(static_cast<int64_t>(random_.Uniform(60)) - 15); }
  std::string Number() {
    return Pick({"0", "1", "-1", "12345", "9223372036854775807", "-9223372036854775808",
                 "4611686018427387904", "-4611686018427387904", "x", "007"});
  }
  std::string Float() { return Pick({"0", "0.5", "-0.1", "1e3", "3.0e-5", "inf", "abc", "100"}); }
  std::string Value() {
    switch (random_.Uniform(8)) {
      case 0:
        return "";
      case 1:
        return std::string(random_.Uniform(50), 'a');
      case 2:
        return std::string(200 + random_.Uniform(120), 'b');
      case 3:
        return std::string(4000 + random_.Uniform(200), 'c');
      case 4:
        return std::string(1, static_cast<char>(random_.Uniform(256)));
      case 5:
        return Float();
      default:
        return Number();
    }
  }
  void AddSetOptions(std::vector<std::string>& args) {
    for (uint64_t left = random_.Uniform(3); left > 0; --left) {
      args.push_back(Pick({"NX", "XX", "GET", "KEEPTTL", "EX", "PX", "1000", "100000"}));
    }
  }

  Random random_;
};

class StringRandomTest : public testing::TestWithParam<uint64_t> {};

TEST_P(StringRandomTest, AnswersLikeRedis) {
  CommandGenerator generator(GetParam());
  RespClient larder(SharedLarder().port());
  RespClient redis(SharedRedis().port());
  ASSERT_EQ(larder.Raw({"FLUSHALL"}), redis.Raw({"FLUSHALL"}));
  for (int sent = 0; sent < kCommands; sent += kPipeline) {
    std::vector<std::vector<std::string>> commands;
    std::string bytes;
    for (int i = 0; i < kPipeline; ++i) {
      commands.push_back(generator.Next());
      bytes += EncodeRequest(commands.back());
    }
    larder.SendBytes(bytes);
    redis.SendBytes(bytes);
    for (const auto& command : commands) {
      ASSERT_EQ(larder.ReadReply(), redis.ReadReply())
          << testing::PrintToString(command) << " after " << sent << " commands";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, StringRandomTest, testing::Values(1, 2, 3));

}  // namespace
}  // namespace larder
