// CACHE.PREFIXES as clients see it. Redis has nothing like it.
#include <string>

#include "tests/support/wire_case.h"

namespace larder {
namespace {

class CachePrefixWireTest : public WireTest {};

TEST_P(CachePrefixWireTest, TellsLookupsByPrefix) { Run(); }

LARDER_INSTANTIATE_CASES(
    CachePrefixes, CachePrefixWireTest,
    {
        {"OffUnlessAskedFor",
         {{"CACHE.PREFIXES",
           "-ERR lookups are not counted by prefix, see 'hit-ratio-max-prefixes'\r\n"}},
         kLarderOnly},
        {"Arguments",
         {{"CACHE.PREFIXES COUNT", "-ERR syntax error\r\n"},
          {"CACHE.PREFIXES LIMIT 1", "-ERR syntax error\r\n"},
          {"CACHE.PREFIXES COUNT 0", "-ERR syntax error\r\n"},
          {"CACHE.PREFIXES COUNT x", "-ERR value is not an integer or out of range\r\n"},
          {"CONFIG SET hit-ratio-delimiter ab",
           "-ERR CONFIG SET failed (possibly related to argument 'hit-ratio-delimiter') - argument "
           "must be a single byte\r\n"}},
         kLarderOnly},
        {"MostLookedUpFirstThenTheRest",
         {{"CONFIG SET hit-ratio-max-prefixes 10", "+OK\r\n"},
          {"MSET user:1 a page:1 b", "+OK\r\n"},
          {"MGET user:1 user:2 user:3 user:1", "*4\r\n$1\r\na\r\n$-1\r\n$-1\r\n$1\r\na\r\n",
           "*4\r\n$1\r\na\r\n_\r\n_\r\n$1\r\na\r\n"},
          {"GET page:1", "$1\r\nb\r\n"},
          {"EXISTS plain", ":0\r\n"},
          {"CACHE.PREFIXES",
           "*3\r\n*4\r\n$5\r\nuser:\r\n:2\r\n:2\r\n$3\r\n0.5\r\n"
           "*4\r\n$5\r\npage:\r\n:1\r\n:0\r\n$1\r\n1\r\n"
           "*4\r\n$4\r\nnone\r\n:0\r\n:1\r\n$1\r\n0\r\n",
           "*3\r\n*4\r\n$5\r\nuser:\r\n:2\r\n:2\r\n,0.5\r\n"
           "*4\r\n$5\r\npage:\r\n:1\r\n:0\r\n,1\r\n"
           "*4\r\n$4\r\nnone\r\n:0\r\n:1\r\n,0\r\n"},
          {"CACHE.PREFIXES COUNT 1",
           "*3\r\n*4\r\n$5\r\nuser:\r\n:2\r\n:2\r\n$3\r\n0.5\r\n"
           "*4\r\n$5\r\nother\r\n:1\r\n:0\r\n$1\r\n1\r\n"
           "*4\r\n$4\r\nnone\r\n:0\r\n:1\r\n$1\r\n0\r\n",
           "*3\r\n*4\r\n$5\r\nuser:\r\n:2\r\n:2\r\n,0.5\r\n"
           "*4\r\n$5\r\nother\r\n:1\r\n:0\r\n,1\r\n"
           "*4\r\n$4\r\nnone\r\n:0\r\n:1\r\n,0\r\n"},
          {"CONFIG RESETSTAT", "+OK\r\n"},
          {"CACHE.PREFIXES", "*0\r\n"},
          {"CONFIG SET hit-ratio-max-prefixes 0", "+OK\r\n"}},
         kLarderOnly},
        {"AnotherDelimiter",
         {{"CONFIG SET hit-ratio-max-prefixes 10 hit-ratio-delimiter /", "+OK\r\n"},
          {"GET a/b:c", "$-1\r\n", "_\r\n"},
          {"CACHE.PREFIXES", "*1\r\n*4\r\n$2\r\na/\r\n:0\r\n:1\r\n$1\r\n0\r\n",
           "*1\r\n*4\r\n$2\r\na/\r\n:0\r\n:1\r\n,0\r\n"},
          {"CONFIG SET hit-ratio-max-prefixes 0 hit-ratio-delimiter :", "+OK\r\n"}},
         kLarderOnly},
    });

TEST(CachePrefixThreadsTest, AllThreadsCountTogether) {
  ServerProcess server =
      ServerProcess::StartLarder({"--threads", "2", "--hit-ratio-max-prefixes", "5"});
  for (int i = 0; i < 4; ++i) {
    RespClient client(server.port());
    client.Raw({"GET", "user:" + std::to_string(i)});
  }
  RespClient client(server.port());
  const RespValue reply = client.Call({"CACHE.PREFIXES"});
  ASSERT_EQ(reply.elements.size(), 1u);
  EXPECT_EQ(reply.elements[0].elements[0].text, "user:");
  EXPECT_EQ(reply.elements[0].elements[2].integer, 4);
}

}  // namespace
}  // namespace larder
