// For breadth: lines whose replies must be Redis's byte for byte, sent to both servers and
// compared. Where a reply is worth reading in the test, write a WireCase.
#pragma once

#include <string>
#include <vector>

namespace larder {

// Sends each line to both, on one connection each, in RESP2 and then RESP3. The lines that differ,
// with both replies; empty if none does.
std::string DifferencesFromRedis(int larder_port, int redis_port,
                                 const std::vector<std::string>& lines);

// The same with the servers that all tests share, emptied first: `given` is what tests have in
// common, `lines` what they are about.
std::string DifferencesFromRedis(const std::vector<std::string>& given,
                                 const std::vector<std::string>& lines);

}  // namespace larder
