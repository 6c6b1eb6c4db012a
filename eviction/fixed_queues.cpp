#include "eviction/fixed_queues.h"

namespace larder {

void FixedQueues::OnInsert(KeyId id, uint8_t& state, Residents& residents) {
  queues_.OnInsert(id, state, residents);
}

void FixedQueues::OnHit(KeyId /*id*/, uint8_t& state) { QueueState(state).AddHit(); }

void FixedQueues::OnErase(KeyId /*id*/, uint8_t& state) { queues_.OnErase(state); }

std::optional<KeyId> FixedQueues::PickVictim(Residents& residents) {
  return queues_.PickVictim(residents);
}

}  // namespace larder
