// Long random conversations about bits and HyperLogLogs, the same with Larder and with a real
// Redis. Every reply must be the same to the byte, and so must what the keys hold afterwards.
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/support/wire_case.h"

namespace larder {
namespace {

constexpr int kCommands = 20'000;
constexpr int kPipeline = 50;

class BitsGenerator {
 public:
  explicit BitsGenerator(uint64_t seed) : random_(seed) {}

  std::vector<std::string> Next() {
    switch (random_.Uniform(22)) {
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
        return {Pick({"STRLEN", "DEL"}), random_.Uniform(20) == 0 ? HllKey() : Key()};
    }
  }

 private:
  std::string Pick(const std::vector<std::string>& choices) {
    return choices[random_.Uniform(choices.size())];
  }
  std::string Key() { return random_.Uniform(40) == 0 ? HllKey() : "b" + Number(6); }
  std::string HllKey() { return "h" + Number(5); }
  std::string Number(uint64_t below) { return std::to_string(random_.Uniform(below)); }
  std::string Offset() {
    switch (random_.Uniform(12)) {
      case 0:
        return Pick({"-1", "x", "4294967295999", "9223372036854775807", "-9223372036854775808"});
      case 1:
        return Number(60'000);
      default:
        return Number(200);
    }
  }
  std::string Position() {
    switch (random_.Uniform(10)) {
      case 0:
        return Pick({"x", "9223372036854775807", "-9223372036854775808", "-0"});
      default:
        return std::to_string(static_cast<int64_t>(random_.Uniform(120)) - 60);
    }
  }
  std::vector<std::string> Ranged(std::vector<std::string> args) {
    for (uint64_t left = random_.Uniform(3); left > 0; --left) args.push_back(Position());
    if (random_.Uniform(2) == 0) args.push_back(Pick({"BIT", "bit", "BYTE", "foo", "1"}));
    return args;
  }
  std::vector<std::string> BitOp() {
    std::vector<std::string> args = {"BITOP", Pick({"AND", "or", "XOR", "NOT", "foo"}), Key(),
                                     Key()};
    for (uint64_t left = random_.Uniform(4); left > 0; --left) args.push_back(Key());
    return args;
  }
  std::vector<std::string> BitField() {
    std::vector<std::string> args = {random_.Uniform(8) == 0 ? "BITFIELD_RO" : "BITFIELD", Key()};
    for (uint64_t left = random_.Uniform(5); left > 0; --left) AddOperation(args);
    return args;
  }
  void AddOperation(std::vector<std::string>& args) {
    const std::string type = random_.Uniform(30) == 0
                                 ? Pick({"u64", "i65", "u0", "i", "x8", "", "i-1"})
                                 : Pick({"u", "i"}) + std::to_string(1 + random_.Uniform(63));
    const std::string offset = random_.Uniform(4) == 0 ? "#" + Number(20) : Offset();
    switch (random_.Uniform(5)) {
      case 0:
        args.insert(args.end(), {"OVERFLOW", Pick({"WRAP", "SAT", "FAIL", "fail", "x"})});
        return;
      case 1:
        args.insert(args.end(), {"GET", type, offset});
        return;
      case 2:
        args.insert(args.end(), {"SET", random_.Uniform(4) == 0 ? "i64" : type, offset, Operand()});
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
    switch (random_.Uniform(6)) {
      case 0:
        return "";
      case 1:
        return Number(100'000);
      case 2:
        return std::string(random_.Uniform(100), '\xff');
      case 3:
        return std::string(random_.Uniform(9000), Pick({"a", "\x01", "\x80"})[0]);
      default: {
        std::string value(random_.Uniform(40), '\0');
        for (char& c : value) c = static_cast<char>(random_.Uniform(256));
        return value;
      }
    }
  }
  std::vector<std::string> PfAdd() {
    std::vector<std::string> args = {"PFADD", HllKey()};
    for (uint64_t left = random_.Uniform(60); left > 0; --left) args.push_back(Number(100'000));
    return args;
  }

  Random random_;
};

class BitsRandomTest : public testing::TestWithParam<uint64_t> {};

TEST_P(BitsRandomTest, AnswersLikeRedis) {
  BitsGenerator generator(GetParam());
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
      const std::string ours = larder.ReadReply();
      const std::string theirs = redis.ReadReply();
      ASSERT_TRUE(ours == theirs) << testing::PrintToString(command) << " after " << sent
                                  << " commands\n  Larder: " << ours.substr(0, 300)
                                  << "\n  Redis:  " << theirs.substr(0, 300);
    }
  }
  EXPECT_EQ(larder.Raw({"DEBUG", "DIGEST"}), redis.Raw({"DEBUG", "DIGEST"}));
}

INSTANTIATE_TEST_SUITE_P(Seeds, BitsRandomTest, testing::Values(1, 2, 3, 4));

}  // namespace
}  // namespace larder
