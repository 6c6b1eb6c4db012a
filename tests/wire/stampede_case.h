// A Larder of its own for each test of stampede protection, and what those tests ask it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/background.h"
#include "tests/support/resp_client.h"
#include "tests/support/server_process.h"
#include "tests/support/wire_replies.h"

namespace larder {

// The value behind `name` in a reply that is a map.
inline RespValue Field(const RespValue& map, const std::string& name) {
  for (size_t i = 0; i + 1 < map.elements.size(); i += 2) {
    if (map.elements[i].text == name) return map.elements[i + 1];
  }
  ADD_FAILURE() << "no field " << name << " in " << map.text;
  return {};
}

class StampedeCase : public testing::Test {
 public:
  // On the connection that the test itself asks on.
  std::string Run(const std::string& line) { return control_.Raw(SplitCommandLine(line)); }

 protected:
  explicit StampedeCase(const std::vector<std::string>& arguments = {})
      : server_(ServerProcess::StartLarder(WithThreads(arguments))), control_(server_.port()) {}

  RespClient Connect() { return RespClient(server_.port()); }

  // Of CACHE.INFO.
  RespValue Info(const std::string& key, const std::string& field) {
    return Field(control_.Call({"CACHE.INFO", key}), field);
  }
  std::string State(const std::string& key) { return Info(key, "state").text; }
  int64_t Waiters(const std::string& key) { return Info(key, "waiters").integer; }
  bool HasWaiters(const std::string& key, int64_t count) {
    return Eventually([&] { return Waiters(key) == count; });
  }
  // Sends a request that waits for `key`, behind those who do already.
  RespClient Waiter(const std::string& key, const std::string& line) {
    const int64_t before = Waiters(key);
    RespClient client = Connect();
    client.Send(SplitCommandLine(line));
    EXPECT_TRUE(HasWaiters(key, before + 1)) << line;
    return client;
  }

  ServerProcess server_;
  RespClient control_;

 private:
  static std::vector<std::string> WithThreads(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--threads", "2"});
    return arguments;
  }
};

}  // namespace larder
