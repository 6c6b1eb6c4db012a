// Random conversations about bits and HyperLogLogs.
#include <string>
#include <vector>

#include "tests/wire/random_conversation.h"

namespace larder {
namespace {

class BitsGenerator : public CommandGenerator {
 public:
  using CommandGenerator::CommandGenerator;

  std::vector<std::string> Next() override {
    switch (Uniform(22)) {
      case 0:
      case 1:
        return {"SETBIT", Key(), Offset(), Pick({"0", "1", "1", "2", "x"})};
      case 2:
        return {"GETBIT", Key(), Offset()};
      case 3:
        return Ranged({"BITCOUNT", Key()});
      case 4:
        return Ranged({"BITPOS", Key(), Pick({"0", "1", "2", ""})});
      case 5:
        return BitOp();
      case 6:
      case 7:
      case 8:
        return BitField();
      case 9:
        return {"SET", Key(), Value()};
      case 10:
        return {"GET", Key()};
      case 11:
        return {"OBJECT", "ENCODING", Key()};
      case 12:
        return {"DEL", Key()};
      case 13:
      case 14:
        return PfAdd();
      case 15:
        return {"PFCOUNT", HllKey()};
      case 16:
        return {"PFCOUNT", HllKey(), HllKey(), Key()};
      case 17:
        return {"PFMERGE", HllKey(), HllKey(), HllKey()};
      case 18:
        return {"GET", HllKey()};
      case 19:
        return {"PFDEBUG", Pick({"DECODE", "ENCODING", "TODENSE", "GETREG", "foo"}), HllKey()};
      case 20:
        return {"PFMERGE", HllKey()};
      default:
        return {Pick({"STRLEN", "DEL"}), Uniform(20) == 0 ? HllKey() : Key()};
    }
  }

 private:
  std::string Key() { return Uniform(40) == 0 ? HllKey() : "b" + Number(6); }
  std::string HllKey() { return "h" + Number(5); }
  std::string Offset() {
    switch (Uniform(12)) {
      case 0:
        return Pick({"-1", "x", "4294967295999", "9223372036854775807", "-9223372036854775808"});
      case 1:
        return Number(60'000);
      default:
        return Number(200);
    }
  }
  std::string Position() {
    switch (Uniform(10)) {
      case 0:
        return Pick({"x", "9223372036854775807", "-9223372036854775808", "-0"});
      default:
        return NumberBetween(-60, 59);
    }
  }
  std::vector<std::string> Ranged(std::vector<std::string> args) {
    for (uint64_t left = Uniform(3); left > 0; --left) args.push_back(Position());
    if (Uniform(2) == 0) args.push_back(Pick({"BIT", "bit", "BYTE", "foo", "1"}));
    return args;
  }
  std::vector<std::string> BitOp() {
    std::vector<std::string> args = {"BITOP", Pick({"AND", "or", "XOR", "NOT", "foo"}), Key(),
                                     Key()};
    for (uint64_t left = Uniform(4); left > 0; --left) args.push_back(Key());
    return args;
  }
  std::vector<std::string> BitField() {
    std::vector<std::string> args = {Uniform(8) == 0 ? "BITFIELD_RO" : "BITFIELD", Key()};
    for (uint64_t left = Uniform(5); left > 0; --left) AddOperation(args);
    return args;
  }
  void AddOperation(std::vector<std::string>& args) {
    const std::string type = Uniform(30) == 0 ? Pick({"u64", "i65", "u0", "i", "x8", "", "i-1"})
                                              : Pick({"u", "i"}) + NumberBetween(1, 63);
    const std::string offset = Uniform(4) == 0 ? "#" + Number(20) : Offset();
    switch (Uniform(5)) {
      case 0:
        args.insert(args.end(), {"OVERFLOW", Pick({"WRAP", "SAT", "FAIL", "fail", "x"})});
        return;
      case 1:
        args.insert(args.end(), {"GET", type, offset});
        return;
      case 2:
        args.insert(args.end(), {"SET", Uniform(4) == 0 ? "i64" : type, offset, Operand()});
        return;
      default:
        args.insert(args.end(), {"INCRBY", type, offset, Operand()});
    }
  }
  std::string Operand() {
    return Pick({"0", "1", "-1", "127", "128", "-128", "-129", "255", "256", "9223372036854775807",
                 "-9223372036854775808", "4294967296", "x"});
  }
  std::string Value() {
    switch (Uniform(6)) {
      case 0:
        return "";
      case 1:
        return Number(100'000);
      case 2:
        return std::string(Uniform(100), '\xff');
      case 3:
        return std::string(Uniform(9000), Pick({"a", "\x01", "\x80"})[0]);
      default: {
        std::string value(Uniform(40), '\0');
        for (char& c : value) c = static_cast<char>(Uniform(256));
        return value;
      }
    }
  }
  std::vector<std::string> PfAdd() {
    std::vector<std::string> args = {"PFADD", HllKey()};
    for (uint64_t left = Uniform(60); left > 0; --left) args.push_back(Number(100'000));
    return args;
  }
};

class BitsRandomTest : public testing::TestWithParam<uint64_t> {};

TEST_P(BitsRandomTest, AnswersLikeRedis) {
  BitsGenerator generator(GetParam());
  EXPECT_TRUE(RandomConversation().SameReplies(generator));
}

INSTANTIATE_TEST_SUITE_P(Seeds, BitsRandomTest, testing::Values(1, 2, 3, 4));

}  // namespace
}  // namespace larder
