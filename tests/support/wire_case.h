// Wire tests as tables: a row is a name and the commands of one conversation, each with the bytes
// that must come back. Every row runs against Larder, and the same row against a real redis-server,
// so that the expected bytes are never from memory.
//
//   class StringWireTest : public WireTest {};
//   TEST_P(StringWireTest, AnswersLikeRedis) { Run(); }
//
//   LARDER_INSTANTIATE_CASES(
//       Strings, StringWireTest,
//       {
//           {"GetOfMissingKey", {{"GET none", "$-1\r\n"}}},
//           {"SetIfEqual", {{"SET k 1", "+OK\r\n"}, {"SET k 2 IFEQ 1", "+OK\r\n"}}, kLarderOnly},
//           {"Port",
//            {{"CONFIG GET port", Like("*2\r\n<bulk><bulk>"), Like("%1\r\n<bulk><bulk>")}}},
//       });
//
// A step's command is a line, split as redis-cli splits it, or a vector of arguments, or Bytes{...}
// that are sent as they are. A third element is the reply in RESP3; if any step of a row has one,
// the row is run once more on a connection that has said HELLO 3, and there the steps without one
// must give the same bytes, nulls aside, as in RESP2.
//
// All rows of a test program share one server of each kind; both are flushed before each row, and
// the connections of a row are new. A row that changes the configuration has to change it back.
//
// Environment: LARDER_WIRE_TARGETS=larder or =redis runs the rows against that server only.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/resp_client.h"
#include "tests/support/server_process.h"
#include "tests/support/wire_replies.h"

namespace larder {

struct Bytes {
  std::string bytes;
};

class WireCommand {
 public:
  WireCommand(const char* line) : args_(SplitCommandLine(line)) {}
  WireCommand(const std::string& line) : args_(SplitCommandLine(line)) {}
  WireCommand(std::vector<std::string> args) : args_(std::move(args)) {}
  WireCommand(std::initializer_list<std::string> args) : args_(args) {}
  WireCommand(Bytes bytes) : bytes_(std::move(bytes.bytes)) {}

  std::string Encoded() const { return bytes_ ? *bytes_ : EncodeRequest(args_); }
  std::string Description() const;

 private:
  std::vector<std::string> args_;
  std::optional<std::string> bytes_;
};

// What must come back: exact bytes, or a description of them.
class WireReply {
 public:
  using Predicate = std::function<bool(std::string_view bytes)>;

  WireReply(const char* bytes) : WireReply(std::string(bytes)) {}
  WireReply(std::string bytes);
  WireReply(std::string description, size_t replies, Predicate matches);

  bool Matches(std::string_view bytes) const { return matches_(bytes); }
  // How many replies and pushes to read for it; exact bytes know by themselves.
  size_t replies() const { return replies_; }
  bool wants_end() const { return wants_end_; }
  const std::string& description() const { return description_; }
  // The same for RESP3: "$-1" and "*-1" are "_" there.
  WireReply InResp3() const;

 private:
  friend WireReply ThenEnd(WireReply reply);

  std::string description_;
  size_t replies_ = 0;
  Predicate matches_;
  std::optional<std::string> exact_;
  bool wants_end_ = false;
};

// `pattern` in which <int>, <double>, <bulk> and <line> stand for any integer, any number, a whole
// bulk string and anything but CR and LF; all else is literal. Describes one reply unless `replies`
// says more.
WireReply Like(std::string_view pattern, size_t replies = 1);
// An integer reply between the two, for a TTL that runs.
WireReply IntegerBetween(int64_t least, int64_t most);
// The elements of an array or set in any order; give each as its bytes on the wire.
WireReply AnyOrder(std::vector<std::string> elements);
// Whatever comes, as one reply.
WireReply Anything();
// No reply: nothing is read. The next step's reply shows that none came.
WireReply Nothing();
// The reply, and then the server closes the connection.
WireReply ThenEnd(WireReply reply);

struct WireStep {
  WireStep(WireCommand sent, WireReply expected)
      : command(std::move(sent)), reply(std::move(expected)) {}
  WireStep(WireCommand sent, WireReply expected, WireReply expected_in_resp3)
      : command(std::move(sent)), reply(std::move(expected)), resp3(std::move(expected_in_resp3)) {}

  std::optional<WireCommand> command;
  WireReply reply;
  std::optional<WireReply> resp3;
  int client = 0;  // Which of the row's connections.
  std::chrono::milliseconds pause{0};
  bool until_blocked = false;  // Ends only when the server shows the connection as waiting.

 private:
  friend WireStep Receive(int client, WireReply reply, std::optional<WireReply> resp3);
  WireStep(WireReply awaited, int from) : reply(std::move(awaited)), client(from) {}
};

// The step on another connection of the same row. Numbers start at 0; a connection is made when
// first named.
WireStep On(int client, WireStep step);
// Only reads: a message or a reply that was late.
WireStep Receive(int client, WireReply reply, std::optional<WireReply> resp3 = std::nullopt);
// A command that is answered later, once the server is known to have it: who waits first is served
// first, and what the next step does finds the client waiting.
WireStep Waits(int client, WireCommand command);
// Pauses first. Only for what depends on time by its nature, such as expiry.
WireStep After(std::chrono::milliseconds pause, WireStep step);

// Where a row cannot run everywhere; may be combined with |.
enum WireTargets : uint32_t {
  kLarderAndRedis = 0,
  kLarderOnly = 1,       // For commands and options that Redis 7.0 does not have.
  kNeedsOtherTypes = 2,  // Runs against Larder only once it has lists (LPUSH).
};

struct WireCase {
  std::string name;
  std::vector<WireStep> steps;
  uint32_t targets = kLarderAndRedis;  // WireTargets.
};

void PrintTo(const WireCase& wire_case, std::ostream* out);  // For GoogleTest.

std::string WireCaseName(const testing::TestParamInfo<WireCase>& info);

// The rows of a suite. GoogleTest's macro writes its argument out twice, and such tables are what
// these tests take their time to compile for: hence the function, which is compiled once.
#define LARDER_INSTANTIATE_CASES(name, suite, ...)                \
  std::vector<WireCase> name##Of##suite() { return __VA_ARGS__; } \
  INSTANTIATE_TEST_SUITE_P(name, suite, testing::ValuesIn(name##Of##suite()), WireCaseName)

// The servers that all tests of a program share, started when first asked for.
ServerProcess& SharedLarder();
ServerProcess& SharedRedis();

class WireTest : public testing::TestWithParam<WireCase> {
 protected:
  void Run() { RunCase(GetParam()); }
  static void RunCase(const WireCase& wire_case);

  static ServerProcess& Larder() { return SharedLarder(); }
  static ServerProcess& Redis() { return SharedRedis(); }

 private:
  static bool LarderHasLists();
};

}  // namespace larder
