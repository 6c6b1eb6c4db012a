// Long random conversations about lists, the same with Larder and with a real Redis. Every reply
// must be the same to the byte, and every so often the lists' nodes too.
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/support/wire_case.h"

namespace larder {
namespace {

constexpr int kCommands = 20'000;
constexpr int kPipeline = 50;
constexpr int kKeys = 4;

std::string KeyName(uint64_t number) { return "list" + std::to_string(number); }

class CommandGenerator {
 public:
  explicit CommandGenerator(uint64_t seed) : random_(seed) {}

  std::vector<std::string> Next() {
    switch (random_.Uniform(22)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        return {Pick({"LPUSH", "RPUSH"}), Key(), Value(), Value(), Value()};
      case 5:
        return {Pick({"LPUSHX", "RPUSHX"}), Key(), Value()};
      case 6:
        return {Pick({"LPOP", "RPOP"}), Key()};
      case 7:
        return {Pick({"LPOP", "RPOP"}), Key(), Pick({"0", "1", "3", "-1", "x"})};
      case 8:
      case 9:
        return {"LRANGE", Key(), Index(), Index()};
      case 10:
        return {"LINDEX", Key(), Index()};
      case 11:
      case 12:
        return {"LSET", Key(), Index(), Value()};
      case 13:
      case 14:
        return {"LINSERT", Key(), Pick({"BEFORE", "AFTER", "after"}), Value(), Value()};
      case 15:
        return {"LREM", Key(), Pick({"0", "1", "-1", "2", "-2"}), Value()};
      case 16:
        if (random_.Uniform(4) != 0) return {"LTRIM", Key(), "1", "-2"};
        return {"LTRIM", Key(), Index(), Index()};
      case 17:
        return {"LPOS", Key(), Value(), "RANK", Index(), "COUNT", Pick({"0", "1", "2"})};
      case 18:
        return {"LMOVE", Key(), Key(), Pick({"LEFT", "RIGHT"}), Pick({"LEFT", "RIGHT"})};
      case 19:
        return {"RPOPLPUSH", Key(), Key()};
      case 20:
        return {"LMPOP", "2", Key(), Key(), Pick({"LEFT", "RIGHT"}), "COUNT", "2"};
      default:
        return {Pick({"BLPOP", "BRPOP", "LLEN"}), Key()};
    }
  }

 private:
  std::string Pick(const std::vector<std::string>& choices) {
    return choices[random_.Uniform(choices.size())];
  }
  std::string Key() { return KeyName(random_.Uniform(kKeys)); }
  std::string Index() { return std::to_string(static_cast<int64_t>(random_.Uniform(120)) - 60); }
  std::string Value() {
    switch (random_.Uniform(8)) {
      case 0:
        return std::to_string(random_.Uniform(300));
      case 1:
        return std::string(random_.Uniform(200), 'a');
      case 2:
        return std::string(500 + random_.Uniform(500), 'b');
      case 3:
        return random_.Uniform(10) == 0 ? std::string(3000 + random_.Uniform(7000), 'c') : "";
      default:
        return std::string(1, static_cast<char>('a' + random_.Uniform(20)));
    }
  }

  Random random_;
};

struct Packing {
  const char* max_listpack_size;
  const char* compress_depth;
  const char* packed_threshold;
};

class ListRandomWireTest : public testing::TestWithParam<Packing> {
 protected:
  ListRandomWireTest() : larder_(SharedLarder().port()), redis_(SharedRedis().port()) {}
  ~ListRandomWireTest() override { Configure({"-2", "0", "0"}); }

  void Configure(const Packing& packing) {
    Both({"CONFIG", "SET", "list-max-listpack-size", packing.max_listpack_size});
    Both({"CONFIG", "SET", "list-compress-depth", packing.compress_depth});
    Both({"DEBUG", "QUICKLIST-PACKED-THRESHOLD", packing.packed_threshold});
  }
  void Both(const std::vector<std::string>& command) {
    ASSERT_EQ(larder_.Raw(command), redis_.Raw(command)) << testing::PrintToString(command);
  }
  // How many nodes there are, and how large: " ql_nodes:3 ...".
  static std::string Nodes(RespClient& client, const std::string& key) {
    const std::string line = client.Raw({"DEBUG", "OBJECT", key});
    const size_t at = line.find(" ql_nodes");
    return at == std::string::npos ? line : line.substr(at);
  }
  void CompareState() {
    Both({"DEBUG", "DIGEST"});
    for (int key = 0; key < kKeys; ++key) {
      ASSERT_EQ(Nodes(larder_, KeyName(key)), Nodes(redis_, KeyName(key)));
    }
  }

  RespClient larder_;
  RespClient redis_;
};

TEST_P(ListRandomWireTest, AnswersLikeRedis) {
  CommandGenerator generator(11);
  Configure(GetParam());
  Both({"FLUSHALL"});
  for (int sent = 0; sent < kCommands; sent += kPipeline) {
    std::vector<std::vector<std::string>> commands;
    std::string bytes;
    for (int i = 0; i < kPipeline; ++i) {
      commands.push_back(generator.Next());
      bytes += EncodeRequest(commands.back());
    }
    larder_.SendBytes(bytes);
    redis_.SendBytes(bytes);
    for (const auto& command : commands) {
      ASSERT_EQ(larder_.ReadReply(), redis_.ReadReply())
          << testing::PrintToString(command) << " after " << sent << " commands";
    }
    CompareState();
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Packings, ListRandomWireTest,
                         testing::Values(Packing{"-2", "0", "0"}, Packing{"-1", "1", "0"},
                                         Packing{"3", "0", "0"}, Packing{"8", "2", "0"},
                                         Packing{"-1", "0", "400"}, Packing{"5", "1", "100"},
                                         Packing{"1", "1", "0"}));

}  // namespace
}  // namespace larder
