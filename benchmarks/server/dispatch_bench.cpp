// What running a request costs without sockets: command lookup, shard lock, handler, reply and all
// accounting, in batches of 32 parsed requests as a pipeline brings them. Items are requests.
//
// A million keys of 16 bytes with values of 64. The figure to watch: two threads do at least 1.85
// times what one does, since they share nothing but the shards.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/random.h"
#include "benchmark/benchmark.h"
#include "commands/client.h"
#include "commands/thread_counters.h"
#include "protocol/output_buffer.h"
#include "server/config_store.h"
#include "server/dispatcher.h"
#include "server/server.h"
#include "storage/keyspace.h"

namespace larder {
namespace {

constexpr size_t kKeys = 1'000'000;
constexpr size_t kKeyBytes = 16;
constexpr int kMostThreads = 2;
const std::string kValue(64, 'v');

// Keys like "key:000000000042", in random order, so that walking them jumps about in the tables.
std::string ShuffledKeys() {
  std::vector<uint32_t> order(kKeys);
  for (size_t i = 0; i < kKeys; ++i) order[i] = static_cast<uint32_t>(i);
  Random random(1);
  std::shuffle(order.begin(), order.end(), random);
  std::string keys;
  keys.reserve(kKeys * kKeyBytes);
  for (const uint32_t number : order) {
    const std::string digits = std::to_string(number);
    keys.append("key:").append(kKeyBytes - 4 - digits.size(), '0').append(digits);
  }
  return keys;
}

// A server that never starts: it has the keyspace, the commands and the environment, and neither
// sockets nor threads. Its keys are there once it is.
class FilledServer {
 public:
  static FilledServer& Get() {
    static FilledServer instance;
    return instance;
  }

  Server& server() { return *server_; }
  std::string_view Key(size_t i) const { return {keys_.data() + i * kKeyBytes, kKeyBytes}; }

 private:
  FilledServer() : keys_(ShuffledKeys()) {
    const std::string threads = std::to_string(kMostThreads);
    const std::vector<std::string_view> arguments = {"--threads", threads};
    LARDER_CHECK(store_.LoadArguments(arguments).ok());
    server_ = std::make_unique<Server>(store_);
    for (size_t i = 0; i < kKeys; ++i) {
      const HashedKey key = HashedKey::Of(Key(i));
      Shard& shard = server_->keyspace().ShardFor(key);
      MutexLock lock(shard.mu());
      shard.SetString(0, key, kValue, kNoExpiry);
    }
  }

  const std::string keys_;
  ConfigStore store_;
  std::unique_ptr<Server> server_;
};

// What a thread of the server has, with one client on it that is connected to nothing.
class Thread {
 public:
  explicit Thread(Server& server)
      : settings_(server.settings_snapshot()),
        counters_(server.command_table().all().size()),
        dispatcher_({.services = server,
                     .keyspace = server.keyspace(),
                     .eviction_domains = server.eviction_domains(),
                     .commands = server.command_table(),
                     .environment = server,
                     .hooks = server.hooks(),
                     .counters = counters_,
                     .errors = errors_,
                     .refresh_settings = [] {},
                     .seed = 1}),
        client_(std::make_shared<ClientRecord>()) {
    client_.Set(kClientAuthenticated);
    dispatcher_.set_settings(settings_.get());
    dispatcher_.BindThread();
  }
  ~Thread() { dispatcher_.UnbindThread(); }
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  // Returns how many bytes the replies have.
  size_t Run(std::span<Request> requests, UnixMillis now) {
    ReplyWriter reply(out_, client_.resp);
    dispatcher_.Run(client_, requests, now, reply);
    const size_t bytes = out_.size();
    out_.Clear();
    return bytes;
  }

 private:
  std::shared_ptr<const Settings> settings_;
  ThreadCounters counters_;
  ErrorCounters errors_;
  Dispatcher dispatcher_;
  Client client_;
  OutputBuffer out_;
};

// Runs batches of `shape`, whose second argument is replaced by one key after the other.
void RunBatches(benchmark::State& state, const std::vector<std::string_view>& shape,
                size_t reply_bytes) {
  FilledServer& filled = FilledServer::Get();
  Thread thread(filled.server());
  std::vector<Request> batch(static_cast<size_t>(state.range(0)));
  for (Request& request : batch) request.args = shape;
  const UnixMillis now = UnixMillisNow();
  size_t next = static_cast<size_t>(state.thread_index()) * (kKeys / kMostThreads);
  for (auto _ : state) {
    for (Request& request : batch) {
      request.args[1] = filled.Key(next);
      next = next + 1 == kKeys ? 0 : next + 1;
    }
    if (thread.Run(batch, now) != reply_bytes * batch.size()) {
      state.SkipWithError("not the expected replies");
      break;
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(batch.size()));
}

void BM_DispatchGet(benchmark::State& state) {
  RunBatches(state, {"GET", ""}, std::string_view("$64\r\n\r\n").size() + kValue.size());
}
BENCHMARK(BM_DispatchGet)->ArgName("batch")->Arg(1)->Arg(32)->Threads(1)->Threads(2)->UseRealTime();

void BM_DispatchSet(benchmark::State& state) {
  RunBatches(state, {"SET", "", kValue}, std::string_view("+OK\r\n").size());
}
BENCHMARK(BM_DispatchSet)->ArgName("batch")->Arg(1)->Arg(32)->Threads(1)->Threads(2)->UseRealTime();

void BM_DispatchPing(benchmark::State& state) {
  RunBatches(state, {"PING", ""}, std::string_view("$16\r\n\r\n").size() + kKeyBytes);
}
BENCHMARK(BM_DispatchPing)->ArgName("batch")->Arg(32)->UseRealTime();

}  // namespace
}  // namespace larder
