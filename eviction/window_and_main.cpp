#include "eviction/window_and_main.h"

#include "eviction/key_mix.h"

namespace larder {
namespace {

// Who was hit so often in the window passes to main. Once is too little: a read that fills a page
// in parts, or a write and the read after it, would do.
constexpr uint8_t kHitsToPass = 2;
// One call moves no more entries than this, lest a cache that is full of hits hold up somebody for
// three whole turns. Whoever is in front then goes, hits or not.
constexpr int kMaxMoves = 256;

}  // namespace

void WindowAndMain::OnInsert(KeyId id, uint8_t& state, Residents& residents) {
  QueueState entering(state);
  entering.Reset();
  // Until the first eviction nothing is known of anybody: main takes what the window cannot.
  const bool to_main = has_evicted_ ? CameBackSoon(id) : WindowIsFull();
  Enter(to_main ? main_ : window_, id, entering, residents);
}

void WindowAndMain::OnErase(uint8_t& state) { Leave(QueueState(state)); }

std::optional<KeyId> WindowAndMain::PickVictim(Residents& residents) {
  has_evicted_ = true;
  for (int moves = 0;;) {
    const bool from_window = WindowIsFull() || main_.residents == 0;
    Queue& queue = from_window ? window_ : main_;
    const std::optional<Candidate> candidate = Front(queue, residents);
    if (!candidate) {
      if (this->residents() == 0) return std::nullopt;
      continue;  // The other queue has some.
    }
    const uint8_t hits = candidate->state.hits();
    const bool stays = from_window ? hits >= kHitsToPass && rule_.window_percent < 100 : hits > 0;
    if (!stays || moves == kMaxMoves) return Evict(queue, *candidate);
    MoveToMain(queue, *candidate, static_cast<uint8_t>(from_window ? 0 : hits - 1), residents);
    ++moves;
  }
}

bool WindowAndMain::WindowIsFull() const {
  return window_.residents * 100 > residents() * rule_.window_percent;
}

bool WindowAndMain::CameBackSoon(KeyId id) {
  if (ghost_percent_ == 0) return false;
  return ghosts_.Take(MixKeyId(id), ghosts_.keys() * rule_.ghost_percent / ghost_percent_);
}

std::optional<WindowAndMain::Candidate> WindowAndMain::Front(Queue& queue, Residents& residents) {
  while (!queue.places.empty()) {
    const KeyId id = queue.places.Front();
    uint8_t* state = residents.Find(id);
    if (state != nullptr && QueueState(*state).queue() == queue.name) {
      return Candidate{id, QueueState(*state)};
    }
    queue.places.PopFront();
  }
  // An entry that shares its id with another may have lost its place to a sweep; counting on it
  // would never end.
  queue.residents = 0;
  return std::nullopt;
}

void WindowAndMain::Enter(Queue& queue, KeyId id, QueueState state, Residents& residents) {
  state.set_queue(queue.name);
  state.set_mark(!queue.places.sweep_mark());
  queue.places.Push(id);
  ++queue.residents;
  SweepSome(queue, residents);
}

void WindowAndMain::Leave(QueueState state) {
  if (state.queue() == QueueState::Queue::kNone) return;
  Queue& queue = state.queue() == QueueState::Queue::kWindow ? window_ : main_;
  state.Reset();
  if (queue.residents > 0) --queue.residents;
  if (queue.residents == 0) queue.places.Clear();
}

void WindowAndMain::MoveToMain(Queue& from, const Candidate& candidate, uint8_t hits,
                               Residents& residents) {
  from.places.PopFront();
  Leave(candidate.state);
  QueueState state = candidate.state;
  state.set_hits(hits);
  Enter(main_, candidate.id, state, residents);
}

KeyId WindowAndMain::Evict(Queue& queue, const Candidate& candidate) {
  if (&queue == &window_) Remember(candidate.id);
  queue.places.PopFront();
  Leave(candidate.state);
  return candidate.id;
}

void WindowAndMain::Remember(KeyId id) {
  const size_t wanted = residents() * ghost_percent_ / 100;
  // Resizing forgets, so it waits until the number of entries has really become another.
  if (wanted > ghosts_.keys() + ghosts_.keys() / 4 || wanted < ghosts_.keys() / 2) {
    ghosts_.Resize(wanted);
  }
  ghosts_.Add(MixKeyId(id));
}

void WindowAndMain::SweepSome(Queue& queue, Residents& residents) {
  constexpr size_t kSlack = 64;
  constexpr size_t kPlacesAtOnce = 8;
  PlaceQueue& places = queue.places;
  const size_t tolerated = queue.residents + queue.residents / 4 + kSlack;
  if (!places.sweeping() && places.places() <= tolerated) return;
  places.Sweep(kPlacesAtOnce, [&](KeyId id) {
    uint8_t* bits = residents.Find(id);
    if (bits == nullptr) return false;
    QueueState state(*bits);
    if (state.queue() != queue.name || state.mark() == places.sweep_mark()) return false;
    state.set_mark(places.sweep_mark());
    return true;
  });
}

size_t WindowAndMain::memory_bytes() const {
  return window_.places.memory_bytes() + main_.places.memory_bytes() + ghosts_.memory_bytes();
}

}  // namespace larder
