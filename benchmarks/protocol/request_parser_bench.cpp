// What does it cost to find the requests in the bytes of a connection? Items are requests. The
// target for the pipeline of GETs is 40 ns each, without an allocation.
#include "protocol/request_parser.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "benchmark/benchmark.h"

namespace larder {
namespace {

std::string Command(const std::vector<std::string>& args) {
  std::string wire = "*" + std::to_string(args.size()) + "\r\n";
  for (const std::string& arg : args) {
    wire += "$" + std::to_string(arg.size()) + "\r\n" + arg + "\r\n";
  }
  return wire;
}

std::string Repeat(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

constexpr int kPipeline = 32;
constexpr char kKey[] = "key:000000012345";

// Parses `input`, which ends with a whole request, again and again.
void ParseAll(benchmark::State& state, const std::string& input) {
  RequestParser parser;
  Request request;
  int64_t requests = 0;
  for (auto _ : state) {
    parser.Feed(input);
    while (parser.Next(request) == RequestParser::Result::kRequest) {
      benchmark::DoNotOptimize(request.args.data());
      ++requests;
    }
  }
  state.SetItemsProcessed(requests);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(input.size()));
  state.counters["each"] = benchmark::Counter(
      static_cast<double>(requests), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void BM_ParsePipelinedGets(benchmark::State& state) {
  ParseAll(state, Repeat(Command({"GET", kKey}), kPipeline));
}
BENCHMARK(BM_ParsePipelinedGets);

void BM_ParsePipelinedSets(benchmark::State& state) {
  const std::string value(static_cast<size_t>(state.range(0)), 'v');
  ParseAll(state, Repeat(Command({"SET", kKey, value}), kPipeline));
}
BENCHMARK(BM_ParsePipelinedSets)->Arg(64)->Arg(4096);

void BM_ParsePipelinedMixOfLengths(benchmark::State& state) {
  // Lengths of one to three digits in no order, so that no branch is always the same.
  std::string input;
  uint64_t x = 1;
  for (int i = 0; i < kPipeline * 16; ++i) {
    x = x * 6364136223846793005 + 1442695040888963407;
    input +=
        Command({"SET", std::string(1 + (x >> 33) % 30, 'k'), std::string((x >> 45) % 300, 'v')});
  }
  ParseAll(state, input);
}
BENCHMARK(BM_ParsePipelinedMixOfLengths);

void BM_ParseOneGet(benchmark::State& state) { ParseAll(state, Command({"GET", kKey})); }
BENCHMARK(BM_ParseOneGet);

void BM_ParseInline(benchmark::State& state) {
  ParseAll(state, Repeat("GET key:000000012345\r\n", kPipeline));
}
BENCHMARK(BM_ParseInline);

void BM_ParseInlineWithQuotes(benchmark::State& state) {
  ParseAll(state, Repeat("GET \"key:000000012345\"\r\n", kPipeline));
}
BENCHMARK(BM_ParseInlineWithQuotes);

// A request that is cut in two by the end of a read.
void BM_ParseGetInTwoPieces(benchmark::State& state) {
  const std::string input = Command({"GET", kKey});
  RequestParser parser;
  Request request;
  for (auto _ : state) {
    parser.Feed(std::string_view(input).substr(0, input.size() / 2));
    benchmark::DoNotOptimize(parser.Next(request));
    parser.Feed(input);
    benchmark::DoNotOptimize(parser.Next(request));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_ParseGetInTwoPieces);

// A large value, its first 16 KiB from the read buffer and the rest in place; the copies here stand
// for those of the kernel.
void BM_ParseLargeBulk(benchmark::State& state) {
  const std::string input =
      Command({"SET", kKey, std::string(static_cast<size_t>(state.range(0)), 'v')});
  RequestParser parser;
  Request request;
  for (auto _ : state) {
    std::string_view rest = input;
    parser.Feed(rest.substr(0, 16384));
    rest.remove_prefix(16384);
    while (parser.Next(request) != RequestParser::Result::kRequest) {
      const std::span<char> space = parser.LargeBulkSpace();
      rest.copy(space.data(), space.size());
      parser.LargeBulkReceived(space.size());
      rest.remove_prefix(space.size());
    }
    request.Clear();
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(input.size()));
}
BENCHMARK(BM_ParseLargeBulk)->Arg(64 << 10)->Arg(1 << 20)->Arg(16 << 20);

}  // namespace
}  // namespace larder
