// What one access to the keyspace costs: locking, table and entry, without parsing and replying.
//
// A million keys of 16 bytes with values of 64 in 256 shards, unless a figure says otherwise. Items
// a second are keys a second; threads work on the same keyspace.
#include "storage/keyspace.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "base/allocator.h"
#include "base/random.h"
#include "benchmark/benchmark.h"

namespace larder {
namespace {

constexpr uint32_t kShards = 256;
constexpr size_t kKeys = 1'000'000;
constexpr size_t kKeySize = 16;
constexpr size_t kBatch = 32;  // Keys looked ahead at, as in a pipeline.
constexpr UnixMillis kNow = 1'700'000'000'000;
constexpr UnixMillis kLater = kNow + 3'600'000;

// "key:000000000042"
void WriteKey(char* out, std::string_view prefix, uint64_t number) {
  std::copy(prefix.begin(), prefix.end(), out);
  for (size_t i = kKeySize; i-- > prefix.size(); number /= 10) {
    out[i] = static_cast<char>('0' + number % 10);
  }
}

// Keys in random order, so that walking them jumps about in the tables.
std::string MakeKeys(size_t count, std::string_view prefix = "key:") {
  std::vector<uint32_t> order(count);
  for (size_t i = 0; i < count; ++i) order[i] = static_cast<uint32_t>(i);
  Random random(1);
  std::shuffle(order.begin(), order.end(), random);
  std::string keys(count * kKeySize, '\0');
  for (size_t i = 0; i < count; ++i) WriteKey(&keys[i * kKeySize], prefix, order[i]);
  return keys;
}

std::string_view KeyAt(const std::string& keys, size_t i) {
  return {keys.data() + i * kKeySize, kKeySize};
}

std::unique_ptr<Keyspace> Fill(const std::string& keys, size_t count, std::string_view value,
                               UnixMillis expiry) {
  auto keyspace = std::make_unique<Keyspace>(Keyspace::Options{.shards = kShards});
  for (size_t i = 0; i < count; ++i) {
    const HashedKey key = HashedKey::Of(KeyAt(keys, i));
    Shard& shard = keyspace->ShardFor(key);
    MutexLock lock(shard.mu());
    shard.SetString(0, key, value, expiry);
  }
  return keyspace;
}

const std::string& Keys() {
  static const std::string keys = MakeKeys(kKeys);
  return keys;
}

Keyspace& Filled() {
  static const auto keyspace = Fill(Keys(), kKeys, std::string(64, 'v'), kNoExpiry);
  return *keyspace;
}

// Runs `access(shard, key)` on batch after batch, each looked ahead at like a pipeline's keys.
template <typename Access>
void RunBatches(benchmark::State& state, const std::string& keys, Access access) {
  Keyspace& keyspace = Filled();
  std::vector<HashedKey> batch(kBatch);
  size_t next = static_cast<size_t>(state.thread_index()) * (kKeys / 2);
  for (auto _ : state) {
    for (HashedKey& key : batch) {
      key = HashedKey::Of(KeyAt(keys, next));
      next = next + 1 == kKeys ? 0 : next + 1;
      keyspace.PrefetchShard(keyspace.ShardOf(key.slot));
    }
    for (const HashedKey& key : batch) {
      Shard& shard = keyspace.ShardFor(key);
      MutexLock lock(shard.mu());
      shard.PrefetchBucket(0, key.hash);
    }
    for (const HashedKey& key : batch) {
      Shard& shard = keyspace.ShardFor(key);
      MutexLock lock(shard.mu());
      shard.PrefetchEntry(0, key.hash);
    }
    for (const HashedKey& key : batch) {
      Shard& shard = keyspace.ShardFor(key);
      MutexLock lock(shard.mu());
      access(shard, key);
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kBatch));
}

void BM_HashedKey(benchmark::State& state) {
  const std::string key(static_cast<size_t>(state.range(0)), 'k');
  for (auto _ : state) benchmark::DoNotOptimize(HashedKey::Of(key));
}
BENCHMARK(BM_HashedKey)->Arg(8)->Arg(16)->Arg(32)->Arg(100);

void BM_FindHit(benchmark::State& state) {
  RunBatches(state, Keys(), [](Shard& shard, const HashedKey& key) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    StringValue value;
    shard.Find(0, key, kNow)->ReadString(value);
    benchmark::DoNotOptimize(value.view().data()[value.size() - 1]);
  });
}
BENCHMARK(BM_FindHit)->Threads(1)->Threads(2)->UseRealTime();

void BM_FindMiss(benchmark::State& state) {
  static const std::string absent = MakeKeys(kKeys, "nil:");
  RunBatches(state, absent, [](Shard& shard, const HashedKey& key) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    benchmark::DoNotOptimize(shard.Find(0, key, kNow));
  });
}
BENCHMARK(BM_FindMiss)->Threads(1)->Threads(2)->UseRealTime();

void BM_Overwrite(benchmark::State& state) {
  const std::string value(64, 'w');
  RunBatches(state, Keys(), [&](Shard& shard, const HashedKey& key) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    benchmark::DoNotOptimize(shard.SetString(0, key, value, kNoExpiry));
  });
}
BENCHMARK(BM_Overwrite)->Threads(1)->Threads(2)->UseRealTime();

// One key at a time, nothing looked ahead at: what a client without a pipeline pays.
void BM_FindHitAlone(benchmark::State& state) {
  Keyspace& keyspace = Filled();
  size_t next = 0;
  for (auto _ : state) {
    const HashedKey key = HashedKey::Of(KeyAt(Keys(), next));
    next = next + 1 == kKeys ? 0 : next + 1;
    Shard& shard = keyspace.ShardFor(key);
    MutexLock lock(shard.mu());
    StringValue value;
    shard.Find(0, key, kNow)->ReadString(value);
    benchmark::DoNotOptimize(value.view().data()[value.size() - 1]);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_FindHitAlone);

// From an empty keyspace to a million keys, growth included.
void BM_Insert(benchmark::State& state) {
  const std::string value(64, 'v');
  for (auto _ : state) {
    auto keyspace = Fill(Keys(), kKeys, value, state.range(0) != 0 ? kLater : kNoExpiry);
    state.PauseTiming();
    keyspace.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kKeys));
}
BENCHMARK(BM_Insert)->ArgName("ttl")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void BM_Erase(benchmark::State& state) {
  for (auto _ : state) {
    state.PauseTiming();
    auto keyspace = Fill(Keys(), kKeys, std::string(64, 'v'), kNoExpiry);
    state.ResumeTiming();
    for (size_t i = 0; i < kKeys; ++i) {
      const HashedKey key = HashedKey::Of(KeyAt(Keys(), i));
      Shard& shard = keyspace->ShardFor(key);
      MutexLock lock(shard.mu());
      shard.Erase(0, key, Shard::Reclaim::kNow);
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kKeys));
}
BENCHMARK(BM_Erase)->Unit(benchmark::kMillisecond)->Iterations(2);

void BM_Scan(benchmark::State& state) {
  Keyspace& keyspace = Filled();
  int64_t entries = 0;
  for (auto _ : state) {
    for (uint32_t id = 0; id < kShards; ++id) {
      Shard& shard = keyspace.shard(id);
      MutexLock lock(shard.mu());
      uint64_t cursor = 0;
      do {
        cursor = shard.Scan(0, cursor, [&](Entry& entry) {
          benchmark::DoNotOptimize(entry.key());
          ++entries;
        });
      } while (cursor != 0);
    }
  }
  state.SetItemsProcessed(entries);
}
BENCHMARK(BM_Scan)->Unit(benchmark::kMillisecond);

void BM_RandomEntry(benchmark::State& state) {
  Keyspace& keyspace = Filled();
  Random random(1);
  for (auto _ : state) {
    Shard& shard = keyspace.shard(static_cast<uint32_t>(random.Uniform(kShards)));
    MutexLock lock(shard.mu());
    benchmark::DoNotOptimize(shard.RandomEntry(0, random)->key());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_RandomEntry);

// A million keys whose time comes in the same second, removed a few buckets at a time.
void BM_ExpireAll(benchmark::State& state) {
  for (auto _ : state) {
    state.PauseTiming();
    auto keyspace = Fill(Keys(), kKeys, std::string(64, 'v'), kNow);
    state.ResumeTiming();
    for (uint32_t id = 0; id < kShards; ++id) {
      Shard& shard = keyspace->shard(id);
      bool more = true;
      while (more) {
        MutexLock lock(shard.mu());
        more = shard.ExpireSome(kNow + 1, 16).more;
      }
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kKeys));
}
BENCHMARK(BM_ExpireAll)->Unit(benchmark::kMillisecond)->Iterations(3);

// One cycle over all shards when nothing is due, with far TTLs on every key.
void BM_ExpireNothing(benchmark::State& state) {
  auto keyspace = Fill(Keys(), kKeys, std::string(64, 'v'), kLater);
  for (auto _ : state) {
    for (uint32_t id = 0; id < kShards; ++id) {
      Shard& shard = keyspace->shard(id);
      MutexLock lock(shard.mu());
      benchmark::DoNotOptimize(shard.ExpireSome(kNow, 16));
    }
  }
}
BENCHMARK(BM_ExpireNothing)->Unit(benchmark::kMicrosecond);

// What this thread has worked, in microseconds: other processes do not count.
double ThreadMicros() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

// The longest of many calls, each some hundred nanoseconds. The thread's own time costs a system
// call to read, so it is read once in a few calls: their sum bounds each of them from above.
class LongestCall {
 public:
  template <typename Call>
  void Measure(Call call) {
    constexpr int kCallsAtOnce = 16;
    const MonoTime start = MonoNow();
    call();
    wall_us_ = std::max(wall_us_, static_cast<double>((MonoNow() - start).count()) / 1e3);
    if (++calls_ % kCallsAtOnce != 0) return;
    const double now_us = ThreadMicros();
    if (last_us_ != 0) cpu_us_ = std::max(cpu_us_, now_us - last_us_);
    last_us_ = now_us;
  }
  double wall_us() const { return wall_us_; }
  double cpu_us() const { return cpu_us_; }

 private:
  int64_t calls_ = 0;
  double last_us_ = 0;
  double wall_us_ = 0;
  double cpu_us_ = 0;
};

// Growing one shard to 20 million keys and shrinking it back: how long may a request find the shard
// locked? "cpu" is the thread's own time of 16 calls in a row, "wall" that of a single one with
// whatever the machine did to it meanwhile.
void BM_LongestCall(benchmark::State& state) {
  const auto count = static_cast<uint64_t>(state.range(0));
  KeepFreePages();  // As the server does; else freeing gives pages back itself.
  for (auto _ : state) {
    Shard shard(0, {});
    MutexLock lock(shard.mu());
    char text[kKeySize];
    const auto each_key = [&](LongestCall& longest, auto call) {
      for (uint64_t i = 0; i < count; ++i) {
        WriteKey(text, "key:", i);
        longest.Measure([&] { call(HashedKey::Of({text, kKeySize})); });
      }
    };
    LongestCall set;
    LongestCall erase;
    const auto set_one = [&](const HashedKey& key) ABSL_NO_THREAD_SAFETY_ANALYSIS {
      shard.SetString(0, key, "12345678", kNoExpiry);
    };
    const auto erase_one = [&](const HashedKey& key) ABSL_NO_THREAD_SAFETY_ANALYSIS {
      shard.Erase(0, key, Shard::Reclaim::kNow);
    };
    each_key(set, set_one);
    each_key(erase, erase_one);
    state.counters["set_cpu_us"] = set.cpu_us();
    state.counters["set_wall_us"] = set.wall_us();
    state.counters["erase_cpu_us"] = erase.cpu_us();
    state.counters["erase_wall_us"] = erase.wall_us();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(2 * count));
}
BENCHMARK(BM_LongestCall)->Arg(20'000'000)->Unit(benchmark::kSecond)->Iterations(1);

// Emptying a shard of a million keys: all that happens under the lock is a hand-over.
void BM_Flush(benchmark::State& state) {
  LazyFree lazy_free;
  Shard shard(0, {.lazy_free = &lazy_free});
  MutexLock lock(shard.mu());
  for (auto _ : state) {
    state.PauseTiming();
    lazy_free.Drain();
    for (size_t i = 0; i < kKeys; ++i) {
      shard.SetString(0, HashedKey::Of(KeyAt(Keys(), i)), "12345678", kNoExpiry);
    }
    state.ResumeTiming();
    shard.Flush(0, Shard::Reclaim::kNow);
  }
}
BENCHMARK(BM_Flush)->Iterations(5)->Unit(benchmark::kMicrosecond);

size_t ResidentBytes() {
  size_t total = 0;
  size_t resident = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%zu %zu", &total, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return resident * 4096;
}

// Bytes a key beyond key and value, by the operating system and by our own account.
void BM_Memory(benchmark::State& state) {
  const auto value_size = static_cast<size_t>(state.range(0));
  const std::string value(value_size, 'v');
  Keys();
  for (auto _ : state) {
    ReleaseFreeMemory();
    const size_t before = ResidentBytes();
    const auto keyspace = Fill(Keys(), kKeys, value, state.range(1) != 0 ? kLater : kNoExpiry);
    const auto rss = static_cast<double>(ResidentBytes() - before);
    size_t accounted = 0;
    for (uint32_t id = 0; id < kShards; ++id) {
      MutexLock lock(keyspace->shard(id).mu());
      accounted += keyspace->shard(id).memory_bytes();
    }
    const auto payload = static_cast<double>(kKeySize + value_size);
    state.counters["rss_overhead"] = rss / kKeys - payload;
    state.counters["accounted_overhead"] = static_cast<double>(accounted) / kKeys - payload;
  }
}
BENCHMARK(BM_Memory)
    ->ArgNames({"value", "ttl"})
    ->Args({8, 0})
    ->Args({64, 0})
    ->Args({64, 1})
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace larder
