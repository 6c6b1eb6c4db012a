#include "tests/wire/same_as_redis.h"

#include "tests/support/resp_client.h"
#include "tests/support/wire_case.h"

namespace larder {

std::string DifferencesFromRedis(int larder_port, int redis_port,
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

std::string DifferencesFromRedis(const std::vector<std::string>& given,
                                 const std::vector<std::string>& lines) {
  std::vector<std::string> all = {"FLUSHALL"};
  all.insert(all.end(), given.begin(), given.end());
  all.insert(all.end(), lines.begin(), lines.end());
  return DifferencesFromRedis(SharedLarder().port(), SharedRedis().port(), all);
}

}  // namespace larder
