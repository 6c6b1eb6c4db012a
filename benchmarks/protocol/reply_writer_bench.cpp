// What does it cost to write a reply? The target for a bulk of 64 bytes is 10 ns. Buffers are
// emptied after each 32 replies, as a batch is by its write, so that taking and giving back a chunk
// counts.
#include "protocol/reply_writer.h"

#include <cstdint>
#include <string>

#include "base/blob.h"
#include "benchmark/benchmark.h"
#include "protocol/output_buffer.h"

namespace larder {
namespace {

constexpr int kPipeline = 32;

// Calls `write` for batches of replies.
template <typename Write>
void WriteBatches(benchmark::State& state, RespVersion version, Write write) {
  OutputBuffer out;
  ReplyWriter reply(out, version);
  int64_t bytes = 0;
  for (auto _ : state) {
    for (int i = 0; i < kPipeline; ++i) write(reply);
    iovec parts[64];
    benchmark::DoNotOptimize(out.Gather(parts, 64));
    benchmark::ClobberMemory();
    bytes += static_cast<int64_t>(out.size());
    out.Consume(out.size());
  }
  state.SetItemsProcessed(state.iterations() * kPipeline);
  state.SetBytesProcessed(bytes);
  state.counters["each"] =
      benchmark::Counter(static_cast<double>(state.iterations() * kPipeline),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void BM_WriteOk(benchmark::State& state) {
  WriteBatches(state, RespVersion::kResp2, [](ReplyWriter& reply) { reply.Ok(); });
}
BENCHMARK(BM_WriteOk);

void BM_WriteBulk(benchmark::State& state) {
  const std::string value(static_cast<size_t>(state.range(0)), 'v');
  WriteBatches(state, RespVersion::kResp2, [&](ReplyWriter& reply) { reply.Bulk(value); });
}
BENCHMARK(BM_WriteBulk)->Arg(3)->Arg(64)->Arg(1024)->Arg(8192);

void BM_WriteInteger(benchmark::State& state) {
  int64_t value = state.range(0);
  WriteBatches(state, RespVersion::kResp2, [&](ReplyWriter& reply) { reply.Integer(value); });
}
BENCHMARK(BM_WriteInteger)->Arg(1)->Arg(12345)->Arg(INT64_MAX);

void BM_WriteNull(benchmark::State& state) {
  WriteBatches(state, RespVersion::kResp3, [](ReplyWriter& reply) { reply.Null(); });
}
BENCHMARK(BM_WriteNull);

void BM_WriteDouble(benchmark::State& state) {
  const double value = state.range(0) == 0 ? 3.25e-5 : 42;
  WriteBatches(state, RespVersion::kResp3, [&](ReplyWriter& reply) { reply.Double(value); });
}
BENCHMARK(BM_WriteDouble)->Arg(0)->Arg(1);

void BM_WriteArrayOf100Bulks(benchmark::State& state) {
  const std::string value(16, 'v');
  WriteBatches(state, RespVersion::kResp2, [&](ReplyWriter& reply) {
    reply.Array(100);
    for (int i = 0; i < 100; ++i) reply.Bulk(value);
  });
}
BENCHMARK(BM_WriteArrayOf100Bulks);

void BM_WriteDeferredArrayOf100Bulks(benchmark::State& state) {
  const std::string value(16, 'v');
  WriteBatches(state, RespVersion::kResp2, [&](ReplyWriter& reply) {
    const auto mark = reply.BeginDeferred();
    for (int i = 0; i < 100; ++i) reply.Bulk(value);
    reply.EndDeferredArray(mark, 100);
  });
}
BENCHMARK(BM_WriteDeferredArrayOf100Bulks);

// Just below and at the size from which on a blob is not copied; answers where that size should be.
void BM_WriteBlob(benchmark::State& state) {
  const BlobRef blob = BlobRef::CopyOf(std::string(static_cast<size_t>(state.range(0)), 'v'));
  WriteBatches(state, RespVersion::kResp2, [&](ReplyWriter& reply) { reply.BulkBlob(blob); });
}
BENCHMARK(BM_WriteBlob)
    ->Arg(ReplyWriter::kMinReferencedBytes - 1)
    ->Arg(ReplyWriter::kMinReferencedBytes)
    ->Arg(1 << 20);

}  // namespace
}  // namespace larder
