// Random conversations about lists, in which the lists' nodes too must be Redis's all the time.
#include <string>
#include <vector>

#include "tests/wire/random_conversation.h"

namespace larder {
namespace {

constexpr int kKeys = 4;

std::string KeyName(uint64_t number) { return "list" + std::to_string(number); }

class ListGenerator : public CommandGenerator {
 public:
  using CommandGenerator::CommandGenerator;

  std::vector<std::string> Next() override {
    switch (Uniform(22)) {
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
        if (Uniform(4) != 0) return {"LTRIM", Key(), "1", "-2"};
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
  std::string Key() { return KeyName(Uniform(kKeys)); }
  std::string Index() { return NumberBetween(-60, 59); }
  std::string Value() {
    switch (Uniform(8)) {
      case 0:
        return Number(300);
      case 1:
        return std::string(Uniform(200), 'a');
      case 2:
        return std::string(500 + Uniform(500), 'b');
      case 3:
        return Uniform(10) == 0 ? std::string(3000 + Uniform(7000), 'c') : "";
      default:
        return std::string(1, static_cast<char>('a' + Uniform(20)));
    }
  }
};

struct Packing {
  const char* max_listpack_size;
  const char* compress_depth;
  const char* packed_threshold;
};

class ListRandomWireTest : public testing::TestWithParam<Packing> {
 protected:
  ~ListRandomWireTest() override { Configure({"-2", "0", "0"}); }

  void Configure(const Packing& packing) {
    for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
             {"CONFIG", "SET", "list-max-listpack-size", packing.max_listpack_size},
             {"CONFIG", "SET", "list-compress-depth", packing.compress_depth},
             {"DEBUG", "QUICKLIST-PACKED-THRESHOLD", packing.packed_threshold}}) {
      EXPECT_TRUE(conversation_.SameReply(command));
    }
  }
  // How many nodes there are, and how large: " ql_nodes:3 ...".
  static std::string Nodes(RespClient& client, const std::string& key) {
    const std::string line = client.Raw({"DEBUG", "OBJECT", key});
    const size_t at = line.find(" ql_nodes");
    return at == std::string::npos ? line : line.substr(at);
  }
  testing::AssertionResult SameState() {
    for (int key = 0; key < kKeys; ++key) {
      const std::string ours = Nodes(conversation_.larder(), KeyName(key));
      const std::string theirs = Nodes(conversation_.redis(), KeyName(key));
      if (ours != theirs) {
        return testing::AssertionFailure()
               << KeyName(key) << "\n  Larder:" << ours << "\n  Redis: " << theirs;
      }
    }
    return conversation_.SameReply({"DEBUG", "DIGEST"});
  }

  RandomConversation conversation_;
};

TEST_P(ListRandomWireTest, AnswersLikeRedis) {
  ListGenerator generator(11);
  Configure(GetParam());
  EXPECT_TRUE(conversation_.SameReplies(generator, [this] { return SameState(); }));
}

INSTANTIATE_TEST_SUITE_P(Packings, ListRandomWireTest,
                         testing::Values(Packing{"-2", "0", "0"}, Packing{"-1", "1", "0"},
                                         Packing{"3", "0", "0"}, Packing{"8", "2", "0"},
                                         Packing{"-1", "0", "400"}, Packing{"5", "1", "100"},
                                         Packing{"1", "1", "0"}));

}  // namespace
}  // namespace larder
