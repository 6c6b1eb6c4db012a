#include "tests/support/wire_case.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>
#include <memory>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

#include "tests/support/background.h"

namespace larder {
namespace {

using namespace std::chrono_literals;

// What both servers are started with beyond the harness's own.
const std::vector<std::string>& SharedArguments() {
  static const std::vector<std::string> arguments = {"--enable-debug-command", "yes"};
  return arguments;
}

// Starts servers when first asked for and ends them with the test program.
class SharedServers : public testing::Environment {
 public:
  void TearDown() override {
    // Under a sanitizer this is where what it found in the server becomes a failure.
    if (larder_ && larder_->Stop() != 0) ADD_FAILURE() << "larder-server:\n" << larder_->Log();
    larder_.reset();
    redis_.reset();
  }

  ServerProcess& Larder() {
    if (!larder_) {
      // Two threads, so that connections of one row do not all live on one.
      std::vector<std::string> arguments = SharedArguments();
      arguments.insert(arguments.end(), {"--threads", "2"});
      larder_ = std::make_unique<ServerProcess>(ServerProcess::StartLarder(arguments));
    }
    return *larder_;
  }

  ServerProcess& Redis() {
    if (!redis_) {
      redis_ = std::make_unique<ServerProcess>(ServerProcess::StartRedis(SharedArguments()));
    }
    return *redis_;
  }

 private:
  std::unique_ptr<ServerProcess> larder_;
  std::unique_ptr<ServerProcess> redis_;
};

// GoogleTest owns it.
SharedServers& Servers() {
  static auto* const servers =
      static_cast<SharedServers*>(testing::AddGlobalTestEnvironment(new SharedServers));
  return *servers;
}

std::string Escaped(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    if (c == '\r') {
      text += "\\r";
    } else if (c == '\n') {
      text += "\\n";
    } else if (c >= ' ' && c <= '~') {
      text += c;
    } else {
      constexpr char kDigits[] = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      text += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return text;
}

// How many replies stand in `bytes`.
size_t CountReplies(std::string_view bytes) {
  size_t count = 0;
  while (!bytes.empty()) {
    const size_t size = ParseReply(bytes);
    if (size == 0) throw std::runtime_error("no whole reply: " + Escaped(bytes));
    bytes.remove_prefix(size);
    ++count;
  }
  return count;
}

bool IsNumberCharacter(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) ||
         std::string_view("+-.eEinfa").find(c) != std::string_view::npos;
}

// Matches `pattern` from the start of `bytes`; placeholders take as much as they can, which is
// unambiguous because what follows them in RESP is CR LF.
bool MatchesPattern(std::string_view pattern, std::string_view bytes) {
  while (!pattern.empty()) {
    size_t take = 0;
    size_t placeholder = 0;
    if (pattern.starts_with("<int>")) {
      placeholder = 5;
      if (take < bytes.size() && bytes[take] == '-') ++take;
      while (take < bytes.size() && std::isdigit(static_cast<unsigned char>(bytes[take]))) ++take;
    } else if (pattern.starts_with("<double>")) {
      placeholder = 8;
      while (take < bytes.size() && IsNumberCharacter(bytes[take])) ++take;
    } else if (pattern.starts_with("<line>")) {
      placeholder = 6;
      while (take < bytes.size() && bytes[take] != '\r' && bytes[take] != '\n') ++take;
    } else if (pattern.starts_with("<bulk>")) {
      placeholder = 6;
      if (!bytes.starts_with('$') && !bytes.starts_with('=')) return false;
      take = ParseReply(bytes);
      if (take == 0) return false;
    } else {
      placeholder = 1;
      take = !bytes.empty() && bytes[0] == pattern[0] ? 1 : 0;
    }
    if (take == 0 && !pattern.starts_with("<line>")) return false;
    pattern.remove_prefix(placeholder);
    bytes.remove_prefix(take);
  }
  return bytes.empty();
}

// The bytes of one reply in which nulls are RESP3's.
std::string WithResp3Nulls(std::string bytes) {
  for (const std::string_view null : {"$-1\r\n", "*-1\r\n"}) {
    for (size_t at = 0; (at = bytes.find(null, at)) != std::string::npos; ++at) {
      // Only at the start of a line; a bulk that holds such a line would be a strange test.
      if (at == 0 || bytes[at - 1] == '\n') bytes.replace(at, null.size(), "_\r\n");
    }
  }
  return bytes;
}

enum class Protocol { kResp2, kResp3 };

// One row against one server in one protocol.
class Conversation {
 public:
  Conversation(std::string server_name, int port, Protocol protocol)
      : server_name_(std::move(server_name)), port_(port), protocol_(protocol) {}

  // Stops at the first step that fails: those behind it would only repeat the news.
  void Run(const WireCase& wire_case) {
    RespClient(port_).Raw({"FLUSHALL"});
    for (size_t i = 0; i < wire_case.steps.size(); ++i) {
      if (!RunStep(wire_case.steps[i], i)) return;
    }
  }

 private:
  RespClient& ClientAt(int number) {
    auto found = clients_.find(number);
    if (found == clients_.end()) {
      found = clients_.emplace(number, RespClient(port_)).first;
      if (protocol_ == Protocol::kResp3) found->second.Raw({"HELLO", "3"});
    }
    return found->second;
  }

  bool RunStep(const WireStep& step, size_t index) {
    if (step.pause > 0ms) std::this_thread::sleep_for(step.pause);
    WireReply expected = step.reply;
    if (protocol_ == Protocol::kResp3) expected = step.resp3 ? *step.resp3 : step.reply.InResp3();
    const std::string where =
        server_name_ + (protocol_ == Protocol::kResp3 ? ", RESP3" : ", RESP2") + ", step " +
        std::to_string(index + 1) + ": " + (step.command ? step.command->Description() : "receive");
    std::string got;
    try {
      RespClient& client = ClientAt(step.client);
      if (step.command) client.SendBytes(step.command->Encoded());
      if (step.until_blocked && !BecomesBlocked(client)) {
        ADD_FAILURE() << where << "\n  is not waiting";
        return false;
      }
      for (size_t i = 0; i < expected.replies(); ++i) got += client.ReadReply();
      if (expected.wants_end() && !client.ReadsEnd()) {
        ADD_FAILURE() << where << "\n  the connection stays open";
        return false;
      }
    } catch (const std::runtime_error& error) {
      ADD_FAILURE() << where << "\n  expected: " << expected.description()
                    << "\n  got:      " << Escaped(got) << "\n  and then: " << error.what();
      return false;
    }
    if (expected.Matches(got)) return true;
    ADD_FAILURE() << where << "\n  expected: " << expected.description()
                  << "\n  got:      " << Escaped(got);
    return false;
  }

  // As CLIENT LIST has it, which knows connections by their address.
  bool BecomesBlocked(const RespClient& client) const {
    const std::string address = " addr=127.0.0.1:" + std::to_string(client.LocalPort()) + " ";
    RespClient observer(port_);
    return Eventually([&] {
      std::istringstream list(observer.Call({"CLIENT", "LIST"}).text);
      for (std::string line; std::getline(list, line);) {
        if (line.find(address) == std::string::npos) continue;
        const size_t flags = line.find(" flags=") + std::string_view(" flags=").size();
        return line.substr(flags, line.find(' ', flags) - flags).find('b') != std::string::npos;
      }
      return false;
    });
  }

  const std::string server_name_;
  const int port_;
  const Protocol protocol_;
  std::map<int, RespClient> clients_;
};

bool IsWanted(std::string_view target) {
  const char* const wanted = std::getenv("LARDER_WIRE_TARGETS");
  return wanted == nullptr || *wanted == '\0' || wanted == target;
}

}  // namespace

std::string WireCommand::Description() const {
  if (bytes_) return "bytes " + Escaped(bytes_->substr(0, 200));
  std::string text;
  for (const std::string& arg : args_) {
    if (!text.empty()) text += ' ';
    text += Escaped(std::string_view(arg).substr(0, 80));
  }
  return text;
}

WireReply::WireReply(std::string bytes)
    : description_(Escaped(bytes)),
      replies_(CountReplies(bytes)),
      matches_([bytes](std::string_view got) { return got == bytes; }),
      exact_(bytes) {}

WireReply::WireReply(std::string description, size_t replies, Predicate matches)
    : description_(std::move(description)), replies_(replies), matches_(std::move(matches)) {}

WireReply WireReply::InResp3() const {
  if (!exact_) return *this;
  WireReply reply(WithResp3Nulls(*exact_));
  reply.wants_end_ = wants_end_;
  return reply;
}

WireReply Like(std::string_view pattern, size_t replies) {
  return {"like " + Escaped(pattern), replies,
          [pattern = std::string(pattern)](std::string_view bytes) {
            return MatchesPattern(pattern, bytes);
          }};
}

WireReply IntegerBetween(int64_t least, int64_t most) {
  return {"an integer from " + std::to_string(least) + " to " + std::to_string(most), 1,
          [least, most](std::string_view bytes) {
            RespValue value;
            ParseReply(bytes, &value);
            return value.type == ':' && least <= value.integer && value.integer <= most;
          }};
}

WireReply AnyOrder(std::vector<std::string> elements) {
  std::sort(elements.begin(), elements.end());
  return {"in any order " + Escaped(Array(elements)), 1, [elements](std::string_view bytes) {
            const size_t header = bytes.find('\n') + 1;
            const bool is_list = bytes.starts_with('*') || bytes.starts_with('~');
            std::vector<std::string> got;
            for (bytes.remove_prefix(header); !bytes.empty();) {
              const size_t size = ParseReply(bytes);
              got.emplace_back(bytes.substr(0, size));
              bytes.remove_prefix(size);
            }
            std::sort(got.begin(), got.end());
            return is_list && got == elements;
          }};
}

WireReply Anything() {
  return {"anything", 1, [](std::string_view) { return true; }};
}

WireReply Nothing() {
  return {"nothing", 0, [](std::string_view) { return true; }};
}

WireReply ThenEnd(WireReply reply) {
  reply.wants_end_ = true;
  return reply;
}

WireStep On(int client, WireStep step) {
  step.client = client;
  return step;
}

WireStep Receive(int client, WireReply reply, std::optional<WireReply> resp3) {
  WireStep step(std::move(reply), client);
  step.resp3 = std::move(resp3);
  return step;
}

WireStep Waits(int client, WireCommand command) {
  WireStep step(std::move(command), Nothing());
  step.client = client;
  step.until_blocked = true;
  return step;
}

WireStep After(std::chrono::milliseconds pause, WireStep step) {
  step.pause = pause;
  return step;
}

void PrintTo(const WireCase& wire_case, std::ostream* out) { *out << wire_case.name; }

std::string WireCaseName(const testing::TestParamInfo<WireCase>& info) { return info.param.name; }

void WireTest::RunCase(const WireCase& wire_case) {
  const bool has_resp3 = std::any_of(wire_case.steps.begin(), wire_case.steps.end(),
                                     [](const WireStep& step) { return step.resp3.has_value(); });
  auto run = [&](std::string name, ServerProcess& server) {
    Conversation(name, server.port(), Protocol::kResp2).Run(wire_case);
    if (has_resp3) Conversation(name, server.port(), Protocol::kResp3).Run(wire_case);
  };
  if ((wire_case.targets & kLarderOnly) == 0 && IsWanted("redis")) run("redis", Redis());
  if (!IsWanted("larder")) return;
  if ((wire_case.targets & kNeedsOtherTypes) != 0 && !LarderHasLists()) {
    GTEST_SKIP() << "run against redis only: needs a key that is no string";
  }
  run("larder", Larder());
}

bool WireTest::LarderHasLists() {
  static const bool has_lists = [] {
    RespClient client(Larder().port());
    return !client.Call({"COMMAND", "INFO", "lpush"}).elements.at(0).is_null;
  }();
  return has_lists;
}

ServerProcess& SharedLarder() { return Servers().Larder(); }
ServerProcess& SharedRedis() { return Servers().Redis(); }

}  // namespace larder
