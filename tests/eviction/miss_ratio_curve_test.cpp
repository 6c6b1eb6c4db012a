#include "eviction/miss_ratio_curve.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"

namespace larder {
namespace {

constexpr uint64_t kBytes = 10'000'000;  // Of every key: what the curve takes is nothing to that.

MissRatioCurve::Options OptionsFor(int64_t keys) {
  return {.enabled = true,
          .maxmemory_bytes = keys * static_cast<int64_t>(kBytes),
          .overhead_bytes = 0,
          .policy = ModelPolicy::kLru,
          .keys = 4000,
          .keys_of_others = 4000};
}

// Of the memory there is times kFactors[point].
double MissRatio(MissRatioCurve& curve, std::string_view policy, size_t point) {
  const MissRatioCurve::Report report = curve.Take(0);
  const auto found = std::find_if(report.policies.begin(), report.policies.end(),
                                  [&](const auto& known) { return known.name == policy; });
  return found == report.policies.end() ? -1 : found->points[point].miss_ratio;
}

// Ids spread over all there are, as hashes are.
KeyId IdOfKey(uint64_t key) { return static_cast<KeyId>((key + 1) * 0x9e3779b1); }

// A cache beside an application that reads, and stores what it missed.
class Application {
 public:
  Application(MissRatioCurve& curve, uint64_t keys_held, uint64_t bytes = kBytes)
      : curve_(curve),
        held_(MakeCacheModel(ModelPolicy::kLru, {}, 7)),
        bytes_(bytes),
        capacity_(keys_held * bytes) {}

  void Read(uint64_t key) {
    if (!Ask(key)) Store(key);
  }
  // True if it is there.
  bool Ask(uint64_t key) {
    const KeyId id = IdOfKey(key);
    const bool hit = held_->Read(id, now_);
    if (curve_.Samples(id)) {
      MissRatioCurve::Read read{.id = id,
                                .now = now_,
                                .other_requests = std::exchange(others_, 0),
                                .other_misses = std::exchange(other_misses_, 0)};
      if (hit) read.found = {.bytes = bytes_};
      curve_.OnRead(read);
    } else {
      ++others_;
      if (!hit) ++other_misses_;
    }
    now_ += 100;
    return hit;
  }
  void Store(uint64_t key) {
    const KeyId id = IdOfKey(key);
    held_->Fill(id, bytes_, capacity_, now_);
    if (curve_.Samples(id)) curve_.OnStore(id, {.bytes = bytes_}, now_);
  }
  void Erase(uint64_t key) {
    held_->Erase(IdOfKey(key));
    curve_.OnErase(IdOfKey(key));
  }

 private:
  MissRatioCurve& curve_;
  const std::unique_ptr<CacheModel> held_;
  const uint64_t bytes_;
  const uint64_t capacity_;
  UnixMillis now_ = 1'000'000'000;
  uint64_t others_ = 0;
  uint64_t other_misses_ = 0;
};

TEST(MissRatioCurveTest, SamplesNothingWhileItIsOff) {
  MissRatioCurve curve;
  EXPECT_FALSE(curve.Samples(0));
  curve.Configure(OptionsFor(10), {});
  EXPECT_TRUE(curve.Samples(~KeyId{0}));
  MissRatioCurve::Options off = OptionsFor(10);
  off.enabled = false;
  curve.Configure(off, {});
  EXPECT_FALSE(curve.Samples(0));
  EXPECT_FALSE(curve.Take(0).enabled);
}

TEST(MissRatioCurveTest, NothingIsForetoldBeforeTheFirstRead) {
  MissRatioCurve curve;
  curve.Configure(OptionsFor(10), {});
  EXPECT_TRUE(curve.Take(0).policies.empty());
}

// Reads keys from 0 on, ten times.
void Loop(Application& application, uint64_t keys) {
  for (int round = 0; round < 10; ++round) {
    for (uint64_t key = 0; key < keys; ++key) application.Read(key);
  }
}

// A loop over 1,500 keys: exact LRU misses always with room for fewer, and only the first time with
// room for all.
TEST(MissRatioCurveTest, ForetellsTheCliffOfALoop) {
  MissRatioCurve curve;
  curve.Configure(OptionsFor(1000), {});
  Application application(curve, 1000);
  Loop(application, 1500);
  EXPECT_DOUBLE_EQ(MissRatio(curve, "exact-lru", 2), 1);
  EXPECT_DOUBLE_EQ(MissRatio(curve, "exact-lru", 3), 0.1);
  EXPECT_DOUBLE_EQ(MissRatio(curve, "lru", 3), 0.1);
  EXPECT_DOUBLE_EQ(MissRatio(curve, "adaptive", 4), 0.1);
  EXPECT_LT(MissRatio(curve, "random", 2), 0.9);
}

TEST(MissRatioCurveTest, TakesOffWhatTheServerTakes) {
  MissRatioCurve curve;
  MissRatioCurve::Options options = OptionsFor(1500);
  options.overhead_bytes = 1400 * static_cast<int64_t>(kBytes);  // At twice the memory 1,600 fit.
  curve.Configure(options, {});
  Application application(curve, 100);
  Loop(application, 1000);
  EXPECT_DOUBLE_EQ(MissRatio(curve, "lru", 1), 1);
  EXPECT_DOUBLE_EQ(MissRatio(curve, "exact-lru", 2), 1);
  EXPECT_DOUBLE_EQ(MissRatio(curve, "exact-lru", 3), 0.1);
}

// Queues that take as much as their keys leave half of any memory to them.
TEST(MissRatioCurveTest, TakesOffInProportionWhatGrowsWithTheKeys) {
  constexpr int64_t kOverhead = 750 * static_cast<int64_t>(kBytes);
  MissRatioCurve curve;
  curve.Configure(OptionsFor(1500), {});
  for (int look = 0; look < 100; ++look) curve.NoteOverhead(kOverhead, kOverhead);
  EXPECT_NEAR(static_cast<double>(curve.Take(0).overhead_bytes), kOverhead, kBytes);
  Application application(curve, 100);
  Loop(application, 2000);  // At twice the memory 1,500 fit, at four times 3,000.
  EXPECT_DOUBLE_EQ(MissRatio(curve, "exact-lru", 3), 1);
  EXPECT_DOUBLE_EQ(MissRatio(curve, "exact-lru", 4), 0.1);
}

// The sample is as large as the memory allows, and so is what it takes.
TEST(MissRatioCurveTest, TakesOffWhatItWouldTakeItself) {
  constexpr int64_t kMemory = 8 << 20;
  constexpr int64_t kBytesOfKey = 16 << 10;
  MissRatioCurve curve;
  curve.Configure({.enabled = true, .maxmemory_bytes = kMemory, .policy = ModelPolicy::kLru}, {});
  Application application(curve, 100, kBytesOfKey);
  Loop(application, 2000);
  const auto own = static_cast<int64_t>(curve.Take(0).memory_bytes);
  for (int look = 0; look < 100; ++look) curve.NoteOverhead(own, 0);
  EXPECT_NEAR(static_cast<double>(curve.Take(0).overhead_bytes), static_cast<double>(own), 100);
  // Four times the memory has room for them beside what this takes now, and not beside four times
  // that.
  const int64_t keys = (4 * kMemory - 2 * own) / kBytesOfKey;
  ASSERT_GT(own, 2 * kBytesOfKey);
  curve.Reset({});
  Loop(application, static_cast<uint64_t>(keys));
  EXPECT_DOUBLE_EQ(MissRatio(curve, "exact-lru", 4), 1);
}

TEST(MissRatioCurveTest, ASampleTellsAboutTheSame) {
  MissRatioCurve whole;
  MissRatioCurve sampled;
  MissRatioCurve::Options options = OptionsFor(10'000);
  options.keys = 100'000;
  whole.Configure(options, {});
  options.keys = 4000;
  sampled.Configure(options, {});
  for (MissRatioCurve* curve : {&whole, &sampled}) {
    Application application(*curve, 10'000);
    Random random(1);
    for (int i = 0; i < 400'000; ++i) {
      // Few are read often, many seldom.
      const uint64_t bound = 1 + random.Uniform(60'000);
      application.Read(random.Uniform(bound));
    }
  }
  EXPECT_LE(sampled.Take(0).sampled_keys, 4000u);
  EXPECT_NEAR(static_cast<double>(sampled.Take(0).requests), 400'000,
              1000);  // Some are told later.
  for (std::string_view policy : {"exact-lru", "lru"}) {
    for (size_t point = 0; point < MissRatioCurve::kFactors.size(); ++point) {
      EXPECT_NEAR(MissRatio(sampled, policy, point), MissRatio(whole, policy, point), 0.02)
          << policy << " " << point;
    }
  }
}

TEST(MissRatioCurveTest, ErasedKeysMissAtAnySize) {
  MissRatioCurve curve;
  curve.Configure(OptionsFor(100), {});
  Application application(curve, 100);
  for (int round = 0; round < 100; ++round) {
    application.Read(1);
    application.Erase(1);
  }
  EXPECT_DOUBLE_EQ(MissRatio(curve, "exact-lru", 4), 1);
  EXPECT_DOUBLE_EQ(MissRatio(curve, "lru", 4), 1);
}

TEST(MissRatioCurveTest, ExpiredKeysMissAtAnySize) {
  MissRatioCurve curve;
  curve.Configure(OptionsFor(100), {});
  for (UnixMillis now = 0; now < 1000; now += 10) {
    curve.OnRead({.id = 1, .now = now});
    curve.OnStore(1, {.bytes = kBytes, .expiry = now + 5}, now);
  }
  EXPECT_DOUBLE_EQ(MissRatio(curve, "exact-lru", 4), 1);
  EXPECT_DOUBLE_EQ(MissRatio(curve, "lru", 4), 1);
}

TEST(MissRatioCurveTest, AFlushForgetsKeysAndKeepsCounts) {
  MissRatioCurve curve;
  curve.Configure(OptionsFor(100), {});
  Application(curve, 100).Read(1);
  curve.OnFlush();
  Application(curve, 100).Read(1);
  EXPECT_EQ(curve.Take(0).requests, 2u);
  EXPECT_DOUBLE_EQ(MissRatio(curve, "exact-lru", 4), 1);
}

// Turned on while the cache is full: that nobody knows since when a key has been there is no miss.
TEST(MissRatioCurveTest, KeysFromBeforeItBeganDoNotCountAtFirst) {
  MissRatioCurve curve;
  curve.Configure(OptionsFor(100), {});
  for (KeyId id = 1; id <= 50; ++id) {
    curve.OnRead({.id = id, .found = MissRatioCurve::Holding{.bytes = kBytes}});
  }
  EXPECT_TRUE(curve.Take(0).policies.empty());
  for (KeyId id = 1; id <= 50; ++id) {
    curve.OnRead({.id = id, .found = MissRatioCurve::Holding{.bytes = kBytes}});
  }
  EXPECT_DOUBLE_EQ(MissRatio(curve, "exact-lru", 2), 0);
  EXPECT_DOUBLE_EQ(MissRatio(curve, "lru", 2), 0);
}

TEST(MissRatioCurveTest, AResetKeepsWhatIsKnownOfKeys) {
  MissRatioCurve curve;
  curve.Configure(OptionsFor(100), {});
  Application application(curve, 100);
  application.Read(1);
  curve.Reset(MonoTime{std::chrono::seconds(5)});
  EXPECT_EQ(curve.Take(0).requests, 0u);
  application.Read(1);
  EXPECT_DOUBLE_EQ(MissRatio(curve, "exact-lru", 2), 0);
  EXPECT_EQ(curve.Take(0).since, MonoTime{std::chrono::seconds(5)});
}

TEST(MissRatioCurveTest, WithoutALimitItStartsFromWhatIsUsed) {
  MissRatioCurve curve;
  curve.Configure(OptionsFor(0), {});
  Application application(curve, 100);
  for (int round = 0; round < 10; ++round) {
    for (uint64_t key = 0; key < 50; ++key) application.Read(key);
  }
  const MissRatioCurve::Report report = curve.Take(2 * 50 * kBytes);
  ASSERT_EQ(report.policies.size(), 1u);
  EXPECT_EQ(report.policies[0].points[1].maxmemory_bytes, int64_t{50 * kBytes});
}

TEST(MissRatioCurveTest, MemoryIsBounded) {
  MissRatioCurve curve;
  MissRatioCurve::Options options = OptionsFor(1'000'000);
  options.keys = options.keys_of_others = 0;  // As the server does.
  curve.Configure(options, {});
  Application application(curve, 10'000);
  for (uint64_t key = 0; key < 200'000; ++key) application.Read(key);
  EXPECT_LE(curve.Take(0).sampled_keys, size_t{1} << 15);
  EXPECT_LT(curve.Take(0).memory_bytes, size_t{8} << 20);
}

TEST(MissRatioCurveTest, ThreadsShareIt) {
  MissRatioCurve curve;
  curve.Configure(OptionsFor(100), {});
  std::vector<std::thread> threads;
  for (uint64_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&curve, thread] {
      Application application(curve, 100);
      for (uint64_t i = 0; i < 1000; ++i) application.Read(thread * 100 + i % 70);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(curve.Take(0).requests, 4000u);
}

// Writers store what readers only ask for: what has gone misses until it is written again.
TEST(MissRatioCurveTest, ReadersThatDoNotFillMissAgain) {
  constexpr uint64_t kKeys = 200;
  MissRatioCurve curve;
  MissRatioCurve unused;
  curve.Configure(OptionsFor(150), {});
  Application whole(curve, 150);
  Application half(unused, 75);
  Random random(1);
  int reads = 0;
  int misses_of_half = 0;
  for (int round = 0; round < 100; ++round) {
    for (uint64_t key = 0; key < kKeys; ++key) {
      whole.Store(key);
      half.Store(key);
    }
    for (uint64_t i = 0; i < 5 * kKeys; ++i, ++reads) {
      const uint64_t key = random.Uniform(kKeys);
      whole.Ask(key);
      if (!half.Ask(key)) ++misses_of_half;
    }
  }
  const double seen = static_cast<double>(misses_of_half) / reads;
  EXPECT_GT(seen, 0.5);
  EXPECT_NEAR(MissRatio(curve, "lru", 1), seen, 0.02);
}

// What was loaded beforehand and is filled after a miss comes back into smaller caches as well.
TEST(MissRatioCurveTest, ReadersThatFillWhatWasWrittenBeforehand) {
  MissRatioCurve curve;
  MissRatioCurve unused;
  curve.Configure(OptionsFor(150), {});
  Application whole(curve, 150);
  Application half(unused, 75);
  for (uint64_t key = 0; key < 200; ++key) {
    whole.Store(key);
    half.Store(key);
  }
  Random random(1);
  int misses_of_half = 0;
  constexpr int kReads = 50'000;
  for (int i = 0; i < kReads; ++i) {
    const uint64_t key = random.Uniform(1 + random.Uniform(200));
    whole.Read(key);
    if (!half.Ask(key)) {
      ++misses_of_half;
      half.Store(key);
    }
  }
  EXPECT_NEAR(MissRatio(curve, "lru", 1), static_cast<double>(misses_of_half) / kReads, 0.02);
}

}  // namespace
}  // namespace larder
