#include "eviction/window_and_main.h"

#include <algorithm>
#include <cmath>

#include "eviction/coarse_size.h"
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
// More makes no difference: that costs all hits that an entry can have.
constexpr double kLargestRelativeSize = QueueState::kMaxHits + 1;

}  // namespace

void WindowAndMain::OnInsert(KeyId id, uint8_t& state, size_t bytes) {
  // Until the first eviction nothing is known of anybody: main takes what the window cannot.
  const bool to_main = has_evicted_ ? CameBackSoon(id, bytes) : WindowIsFull();
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

Verdict WindowAndMain::Judge(KeyId id, uint8_t* state, const EntryWorth& worth) {
  if (Candidate() != id) return Verdict::kStale;
  PlaceQueue& queue = NextToGive();
  const bool in_window = &queue == &window_;
  // An entry that no queue knows only shares the id of one that has gone.
  if (state == nullptr || QueueState(*state).queue() == Queue::kNone) {
    queue.PopFront();
    return Verdict::kGone;
  }
  has_evicted_ = true;
  if (!in_window) MeasureTurn(worth.now_ms);
  QueueState entry(*state);
  const std::optional<uint8_t> hits = HitsToGoOnWith(entry.hits(), in_window, worth);
  if (hits && moves_ < kMaxMoves) {
    ++moves_;
    queue.PopFront();
    entry.set_hits(*hits);
    entry.set_queue(Queue::kMain);
    main_.Push(id);
    return Verdict::kStays;
  }
  moves_ = 0;
  if (in_window || rule_.remembers_main) Remember(id);
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
  turned_ = 0;
  turn_ms_ = 0;
}

bool WindowAndMain::WindowIsFull() const {
  return window_.size() * 100 > residents() * rule_.window_percent;
}

PlaceQueue& WindowAndMain::NextToGive() {
  return WindowIsFull() || main_.empty() ? window_ : main_;
}

bool WindowAndMain::CameBackSoon(KeyId id, size_t bytes) {
  if (ghost_percent_ == 0) return false;
  // Of a cache that has become smaller, they remember too many until they are resized.
  const size_t wanted = GhostsWanted();
  const size_t remembered = ghosts_.keys() > wanted + wanted / 4 ? wanted : ghosts_.keys();
  const auto recent = static_cast<double>(remembered * rule_.ghost_percent / ghost_percent_);
  // What takes more room must come back sooner.
  const double in_proportion = recent / std::sqrt(std::max(1.0, RelativeSize(bytes)));
  return ghosts_.Take(MixKeyId(id), static_cast<size_t>(in_proportion));
}

std::optional<uint8_t> WindowAndMain::HitsToGoOnWith(uint8_t hits, bool in_window,
                                                     const EntryWorth& worth) {
  const double size = RelativeSize(worth.bytes);
  if (in_window) {
    // The insertion was a request too.
    const double needed = (kHitsToPass + 1) * std::min(1.0, size);
    if (rule_.window_percent == 100 || hits + 1 < needed || ExpiresSoon(hits, worth)) {
      return std::nullopt;
    }
    return 0;
  }
  const int cost = RoundByChance(size);
  if (hits == 0 || hits < cost || ExpiresSoon(hits, worth)) return std::nullopt;
  return static_cast<uint8_t>(hits - cost);
}

double WindowAndMain::RelativeSize(size_t bytes) const {
  if (mean_bytes_ <= 0 || bytes == 0) return 1;
  // As coarse as sizes are that the mean is of, so that a size that all share is exactly 1.
  const auto size = static_cast<double>(CoarseSize(bytes).bytes());
  return std::min(size / mean_bytes_, kLargestRelativeSize);
}

int WindowAndMain::RoundByChance(double number) {
  chance_ = chance_ * 1664525 + 1013904223;  // Of "Numerical Recipes"; its upper bits are good.
  const double fraction = static_cast<double>(chance_ >> 8) / (1 << 24);
  return static_cast<int>(number + fraction);
}

bool WindowAndMain::ExpiresSoon(uint8_t hits, const EntryWorth& worth) const {
  return worth.ttl_ms >= 0 && worth.ttl_ms * (hits + 1) < turn_ms_ / 2;
}

void WindowAndMain::MeasureTurn(int64_t now_ms) {
  if (turned_++ < main_.size() || now_ms == 0) return;
  turn_ms_ = turn_began_ms_ == 0 ? 0 : now_ms - turn_began_ms_;
  turn_began_ms_ = now_ms;
  turned_ = 0;
}

void WindowAndMain::Remember(KeyId id) {
  const size_t wanted = GhostsWanted();
  // Resizing forgets, so it waits until the number of entries has really become another.
  if (wanted > ghosts_.keys() + ghosts_.keys() / 4 || wanted < ghosts_.keys() / 2) {
    ghosts_.Resize(wanted);
  }
  ghosts_.Add(MixKeyId(id));
}

size_t WindowAndMain::GhostsWanted() const { return residents() * ghost_percent_ / 100; }

size_t WindowAndMain::memory_bytes() const {
  return window_.memory_bytes() + main_.memory_bytes() + ghosts_.memory_bytes();
}

}  // namespace larder
