#include "eviction/window_and_main.h"

#include "eviction/key_mix.h"

namespace larder {
namespace {

using Queue = QueueState::Queue;

// Who was hit so often in the window passes to main. Once is too little: a read that fills a page
// in parts, or a write and the read after it, would do.
constexpr uint8_t kHitsToPass = 2;
// No eviction moves more entries than this, lest a cache that is full of hits hold up somebody for
// three whole turns. Whoever is in front then goes, hits or not.
constexpr int kMaxMoves = 256;

}  // namespace

void WindowAndMain::OnInsert(KeyId id, uint8_t& state) {
  // Until the first eviction nothing is known of anybody: main takes what the window cannot.
  const bool to_main = has_evicted_ ? CameBackSoon(id) : WindowIsFull();
  QueueState entering(state);
  entering.Reset();
  entering.set_queue(to_main ? Queue::kMain : Queue::kWindow);
  (to_main ? main_ : window_).Push(id);
}

void WindowAndMain::OnErase(KeyId id, uint8_t& state) {
  QueueState leaving(state);
  if (leaving.queue() == Queue::kNone) return;
  (leaving.queue() == Queue::kWindow ? window_ : main_).Erase(id);
  leaving.Reset();
}

std::optional<KeyId> WindowAndMain::Candidate() {
  if (residents() == 0) return std::nullopt;
  return NextToGive().Front();
}

Verdict WindowAndMain::Judge(KeyId id, uint8_t* state, const EntryWorth& /*worth*/) {
  if (Candidate() != id) return Verdict::kStale;
  PlaceQueue& queue = NextToGive();
  const bool in_window = &queue == &window_;
  // An entry that no queue knows only shares the id of one that has gone.
  if (state == nullptr || QueueState(*state).queue() == Queue::kNone) {
    queue.PopFront();
    return Verdict::kGone;
  }
  has_evicted_ = true;
  QueueState entry(*state);
  if (moves_ < kMaxMoves && DeservesToStay(entry, in_window)) {
    ++moves_;
    queue.PopFront();
    entry.set_hits(static_cast<uint8_t>(in_window ? 0 : entry.hits() - 1));
    entry.set_queue(Queue::kMain);
    main_.Push(id);
    return Verdict::kStays;
  }
  moves_ = 0;
  if (in_window) Remember(id);
  queue.PopFront();
  entry.Reset();
  return Verdict::kEvict;
}

void WindowAndMain::Clear() {
  window_.Clear();
  main_.Clear();
  ghosts_.Resize(0);
  has_evicted_ = false;
  moves_ = 0;
}

bool WindowAndMain::WindowIsFull() const {
  return window_.size() * 100 > residents() * rule_.window_percent;
}

PlaceQueue& WindowAndMain::NextToGive() {
  return WindowIsFull() || main_.empty() ? window_ : main_;
}

bool WindowAndMain::CameBackSoon(KeyId id) {
  if (ghost_percent_ == 0) return false;
  return ghosts_.Take(MixKeyId(id), ghosts_.keys() * rule_.ghost_percent / ghost_percent_);
}

bool WindowAndMain::DeservesToStay(QueueState entry, bool in_window) const {
  if (in_window) return entry.hits() >= kHitsToPass && rule_.window_percent < 100;
  return entry.hits() > 0;
}

void WindowAndMain::Remember(KeyId id) {
  const size_t wanted = residents() * ghost_percent_ / 100;
  // Resizing forgets, so it waits until the number of entries has really become another.
  if (wanted > ghosts_.keys() + ghosts_.keys() / 4 || wanted < ghosts_.keys() / 2) {
    ghosts_.Resize(wanted);
  }
  ghosts_.Add(MixKeyId(id));
}

size_t WindowAndMain::memory_bytes() const {
  return window_.memory_bytes() + main_.memory_bytes() + ghosts_.memory_bytes();
}

}  // namespace larder
