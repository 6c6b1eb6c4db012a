// What a policy costs the path of a request: a hit must vanish beside the lookup of the key, and an
// insertion with its eviction beside the allocation of an entry. A million keys, whose state bits
// stand in an array: finding an entry costs nothing here.
#include "eviction/eviction_queues.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "benchmark/benchmark.h"
#include "eviction/pick_victim.h"

namespace larder {
namespace {

constexpr KeyId kKeys = 1 << 20;
constexpr size_t kBytes = 100;

// Ids are places in an array; half as many again as are resident, so that keys come back.
class ArrayDomain {
 public:
  explicit ArrayDomain(QueuePolicy policy)
      : states_(kKeys + kKeys / 2), queues_(MakeEvictionQueues(policy, 1)) {
    for (KeyId id = 0; id < kKeys; ++id) queues_->OnInsert(id, states_[id], kBytes);
  }

  void Hit(KeyId id) {
    QueueState(states_[id]).AddHit();
    if (queues_->sample().Includes(id)) queues_->Observe(id, kBytes);
  }
  // A victim's state is zero: it is as if it had gone.
  void Replace(KeyId id) {
    if (states_[id] != 0) return Hit(id);
    queues_->OnInsert(id, states_[id], kBytes);
    benchmark::DoNotOptimize(PickVictim(*queues_, [this](KeyId candidate) {
      return CandidateEntry{&states_[candidate], {.bytes = kBytes}};
    }));
  }
  size_t size() const { return states_.size(); }

 private:
  std::vector<uint8_t> states_;
  std::unique_ptr<EvictionQueues> queues_;
};

void BM_Hit(benchmark::State& state) {
  ArrayDomain domain(static_cast<QueuePolicy>(state.range(0)));
  Random random(1);
  for (auto _ : state) domain.Hit(static_cast<KeyId>(random.Uniform(kKeys)));
  state.SetLabel(std::string(NameOf(static_cast<QueuePolicy>(state.range(0)))));
}
BENCHMARK(BM_Hit)->DenseRange(0, 2);

// Two requests in three hit.
void BM_HitOrReplace(benchmark::State& state) {
  ArrayDomain domain(static_cast<QueuePolicy>(state.range(0)));
  Random random(1);
  for (auto _ : state) domain.Replace(static_cast<KeyId>(random.Uniform(domain.size())));
  state.SetLabel(std::string(NameOf(static_cast<QueuePolicy>(state.range(0)))));
}
BENCHMARK(BM_HitOrReplace)->DenseRange(0, 2);

}  // namespace
}  // namespace larder
