// Random conversations about strings and their expiry.
#include <string>
#include <vector>

#include "tests/wire/random_conversation.h"

namespace larder {
namespace {

class StringGenerator : public CommandGenerator {
 public:
  using CommandGenerator::CommandGenerator;

  std::vector<std::string> Next() override {
    std::vector<std::string> args;
    switch (Uniform(20)) {
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
        return {Pick({"INCRBY", "DECRBY"}), Key(), Operand()};
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
  std::string Key() { return "key" + Number(8); }
  // The longer strings are held in two pieces.
  std::string Offset() {
    return Uniform(4) == 0 ? NumberBetween(-2500, 2500) : NumberBetween(-15, 44);
  }
  std::string Operand() {
    return Pick({"0", "1", "-1", "12345", "9223372036854775807", "-9223372036854775808",
                 "4611686018427387904", "-4611686018427387904", "x", "007"});
  }
  std::string Float() { return Pick({"0", "0.5", "-0.1", "1e3", "3.0e-5", "inf", "abc", "100"}); }
  std::string Value() {
    switch (Uniform(9)) {
      case 0:
        return "";
      case 1:
        return std::string(Uniform(50), 'a');
      case 2:
        return std::string(200 + Uniform(120), 'b');
      case 3:
        return std::string(4000 + Uniform(200), 'c');
      case 4:
        return std::string(1, static_cast<char>(Uniform(256)));
      case 5:
        return Float();
      case 6:
        return Letters(1000 + Uniform(1200));
      default:
        return Operand();
    }
  }
  static std::string Letters(size_t size) {
    std::string text(size, ' ');
    for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 26);
    return text;
  }
  void AddSetOptions(std::vector<std::string>& args) {
    for (uint64_t left = Uniform(3); left > 0; --left) {
      args.push_back(Pick({"NX", "XX", "GET", "KEEPTTL", "EX", "PX", "1000", "100000"}));
    }
  }
};

class StringRandomTest : public testing::TestWithParam<uint64_t> {};

TEST_P(StringRandomTest, AnswersLikeRedis) {
  StringGenerator generator(GetParam());
  EXPECT_TRUE(RandomConversation().SameReplies(generator));
}

INSTANTIATE_TEST_SUITE_P(Seeds, StringRandomTest, testing::Values(1, 2, 3));

}  // namespace
}  // namespace larder
