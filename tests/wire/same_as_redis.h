// For breadth: lines whose replies must be Redis's byte for byte, sent to both servers and
// compared. Where a reply is worth reading in the test, write a WireCase.
#pragma once

#include <string>
#include <vector>

#include "tests/support/resp_client.h"

namespace larder {

// Sends each line to both, on one connection each, in RESP2 and then RESP3. The lines that differ,
// with both replies; empty if none does.
inline std::string DifferencesFromRedis(int larder_port, int redis_port,
                                        const std::vector<std::string>& lines) {
  std::string differences;
  for (const char* protocol : {"2", "3"}) {
    RespClient larder(larder_port);
    RespClient redis(redis_port);
    larder.Raw({"HELLO", protocol});
    redis.Raw({"HELLO", protocol});
    for (const std::string& line : lines) {
      const std::vector<std::string> args = SplitCommandLine(line);
      const std::string ours = larder.Raw(args);
      const std::string theirs = redis.Raw(args);
      if (ours == theirs) continue;
      differences += "RESP" + std::string(protocol) + " " + line + "\n  Larder: " + ours +
                     "\n  Redis:  " + theirs + "\n";
    }
  }
  return differences;
}

}  // namespace larder
