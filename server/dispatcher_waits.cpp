// The part of the dispatcher that serves clients who wait for keys.
//
// A handler that finds nothing calls BlockOnKeys; while its shards are still locked the request
// takes its place in the line of each key (ParkClient). A command that changes such a key leaves a
// ReadyKey; before it gives its locks back, the requests in that key's line are tried in order
// (ServeReady). So nobody can come between what was pushed and who waited for it. To have all the
// locks that those requests need, a command locks them beforehand (AddWaitersShards). What changes
// keys without foresight (expiry, eviction, whole databases) serves afterwards (ServeLater).
#include <algorithm>

#include "base/check.h"
#include "commands/held_leases.h"
#include "server/dispatcher.h"
#include "server/thread_tracking.h"

namespace larder {

void Dispatcher::ParkClient(Client& client) {
  const Command& command = *context_.command_;
  std::vector<std::string_view> args(context_.args_.begin(), context_.args_.end());
  for (const auto& [index, text] : context_.block_.replaced_args) args[index] = text;
  auto waiter = std::make_shared<Waiter>(client.record, OwnedRequest(command, args, {}));
  waiter->client.db = client.db;
  waiter->client.resp = client.resp;
  waiter->client.flags = client.flags & (kClientAuthenticated | kClientNoTouch);
  waiter->when_deleted = context_.block_.when_deleted;
  for (const Shard* shard : context_.shards_) waiter->shards.push_back(shard->id());
  std::sort(waiter->shards.begin(), waiter->shards.end());
  waiter->shards.erase(std::unique(waiter->shards.begin(), waiter->shards.end()),
                       waiter->shards.end());
  for (const size_t key : context_.block_keys_) {
    const std::string_view text = waiter->request.args()[context_.key_args_[key]];
    const bool known = std::any_of(waiter->keys.begin(), waiter->keys.end(),
                                   [&](const Waiter::Key& other) { return other.text == text; });
    if (known) continue;
    waiter->keys.push_back({.shard = context_.shards_[key]->id(), .text = text, .place = {}});
  }
  for (Waiter::Key& key : waiter->keys) {
    hooks_.waits(key.shard).Add(waiter, key);
    services_.UpdateObserved(key.shard);
  }
  hooks_.waiting().fetch_add(1, std::memory_order_relaxed);
  client.Set(kClientBlocked);
  client.record->flags.fetch_or(kClientBlocked, std::memory_order_relaxed);
  waiter_ = std::move(waiter);
}

void Dispatcher::Unpark(Waiter& waiter) {
  for (const Waiter::Key& key : waiter.keys) {
    hooks_.RemoveWaiter(waiter, key);
    services_.UpdateObserved(key.shard);
  }
  waiter.keys.clear();
  hooks_.waiting().fetch_sub(1, std::memory_order_relaxed);
}

bool Dispatcher::CancelWait(Waiter& waiter) {
  for (const uint32_t shard : waiter.shards) locks_.Add(shard);
  locks_.Lock();
  const bool cancelled = waiter.state == Waiter::State::kWaiting;
  if (cancelled) {
    waiter.state = Waiter::State::kGone;
    Unpark(waiter);
  }
  locks_.Unlock();
  return cancelled;
}

void Dispatcher::CountFailedWait(const Waiter& waiter, std::string_view error) {
  counters_.by_command[waiter.request.command().id()].failed_calls.Increment();
  counters_.error_replies.Increment();
  errors_.Count(error);
}

bool Dispatcher::AddWaitersShards(int db, std::span<const HashedKey> keys,
                                  std::span<const uint32_t> held, std::vector<uint32_t>& wanted) {
  const auto is_held = [&](uint32_t shard) {
    return std::binary_search(held.begin(), held.end(), shard);
  };
  const size_t wanted_before = wanted.size();
  // Serving one may change a key that another waits for, and so on.
  std::vector<std::string_view> to_see;
  for (const HashedKey& key : keys) to_see.push_back(key.text);
  for (size_t i = 0; i < to_see.size(); ++i) {
    const uint32_t shard = keyspace_.ShardOf(KeySlot(to_see[i]));
    if (!is_held(shard)) continue;
    const WaitTable::Line* line = hooks_.waits(shard).Find(db, to_see[i]);
    if (line == nullptr || line->spanning == 0) continue;
    for (const std::shared_ptr<Waiter>& waiter : line->waiters) {
      if (!waiter->spans_shards()) continue;
      for (const uint32_t needed : waiter->shards) {
        if (!is_held(needed)) wanted.push_back(needed);
      }
      positions_.clear();
      FindKeys(waiter->request.command(), waiter->request.args(), positions_);
      for (const KeyPosition& position : positions_) {
        const std::string_view key = waiter->request.args()[position.arg];
        if (std::find(to_see.begin(), to_see.end(), key) == to_see.end()) to_see.push_back(key);
      }
    }
  }
  return wanted.size() != wanted_before;
}

void Dispatcher::LockWithWaiters(int db, std::span<const HashedKey> keys) {
  locks_.Lock();
  std::vector<uint32_t> wanted;
  while (!locks_.holds_all() && AddWaitersShards(db, keys, locks_.ids(), wanted)) {
    wanted.insert(wanted.end(), locks_.ids().begin(), locks_.ids().end());
    locks_.Unlock();
    for (const uint32_t shard : wanted) locks_.Add(shard);
    locks_.Lock();
    wanted.clear();
  }
}

bool Dispatcher::Holds(const Waiter& waiter, std::span<const uint32_t> held) const {
  return std::includes(held.begin(), held.end(), waiter.shards.begin(), waiter.shards.end());
}

void Dispatcher::ServeReady(std::span<const uint32_t> held) {
  // The list grows while what is served changes further keys.
  for (size_t i = 0; i < ready_.size(); ++i) {
    const ReadyKey ready = ready_[i];
    if (!std::binary_search(held.begin(), held.end(), ready.shard) || !ServeLine(ready, held)) {
      later_.push_back(ready);
    }
  }
  ready_.clear();
}

bool Dispatcher::ServeLine(const ReadyKey& ready, std::span<const uint32_t> held) {
  if (!TryLine(ready, held)) return false;
  PassTurn(ready);
  return true;
}

void Dispatcher::PassTurn(const ReadyKey& ready) {
  if (!hooks_.leases(ready.shard).PassTurn(ready.db, ready.text)) return;
  // Those in its line who are not ready to load need not wait for anybody now.
  hooks_.WakeWaitersOf(ready.shard, ready.db, ready.text);
  services_.UpdateObserved(ready.shard);
}

bool Dispatcher::TryLine(const ReadyKey& ready, std::span<const uint32_t> held) {
  Shard& shard = keyspace_.shard(ready.shard);
  shard.mu().AssertHeld();
  const HashedKey key = HashedKey::Of(ready.text);
  WaitTable::Line* line = hooks_.waits(ready.shard).Find(ready.db, ready.text);
  if (line == nullptr) return true;
  for (auto next = line->waiters.begin();;) {
    const bool there = shard.Find(ready.db, key, context_.now_) != nullptr;
    if (!there && line->when_deleted == 0) return true;
    const std::shared_ptr<Waiter> waiter = *next++;
    const bool last = next == line->waiters.end();
    if (there || waiter->when_deleted) {
      if (!Holds(*waiter, held)) return false;
      Retry(*waiter, ready.text);
    }
    // Only the waiter itself can have left the line; if it was the last, the line is gone too.
    if (last) return true;
  }
}

void Dispatcher::ServeLater() {
  while (true) {
    later_.insert(later_.end(), std::make_move_iterator(ready_.begin()),
                  std::make_move_iterator(ready_.end()));
    ready_.clear();
    if (later_.empty()) break;
    std::vector<ReadyKey> keys;
    keys.swap(later_);
    for (const ReadyKey& ready : keys) {
      std::vector<std::shared_ptr<Waiter>> waiters;
      {
        Shard& shard = keyspace_.shard(ready.shard);
        MutexLock lock(shard.mu());
        if (const WaitTable::Line* line = hooks_.waits(ready.shard).Find(ready.db, ready.text)) {
          waiters.assign(line->waiters.begin(), line->waiters.end());
        }
      }
      const HashedKey key = HashedKey::Of(ready.text);
      for (const std::shared_ptr<Waiter>& waiter : waiters) {
        for (const uint32_t shard : waiter->shards) locks_.Add(shard);
        locks_.Lock();
        Shard& shard = keyspace_.shard(ready.shard);
        shard.mu().AssertHeld();
        const bool there = shard.Find(ready.db, key, context_.now_) != nullptr;
        if (there || waiter->when_deleted) Retry(*waiter, ready.text);
        locks_.Unlock();
      }
      MutexLock lock(keyspace_.shard(ready.shard).mu());
      PassTurn(ready);
    }
  }
  PublishEvents();
}

void Dispatcher::BindRetry(Waiter& waiter, std::string_view changed_key, ReplyWriter& reply) {
  CommandContext& context = retry_context_;
  context.command_ = &waiter.request.command();
  context.args_ = waiter.request.args();
  context.blobs_ = &waiter.request.blobs();
  context.reply_ = &reply;
  context.client_ = &waiter.client;
  context.settings_ = settings_;
  context.now_ = context_.now_;
  context.access_clock_ = AccessClock(settings_->access_options(), context_.now_);
  BindKeys(waiter.request.command(), waiter.request.args(), context);
  context.waiting_since_ = waiter.since;
  context.retry_key_ = changed_key;
  context.retry_keys_.clear();
  for (size_t i = 0; i < context.keys_.size(); ++i) {
    const bool waited_for =
        std::any_of(waiter.keys.begin(), waiter.keys.end(),
                    [&](const Waiter::Key& key) { return key.text == context.keys_[i].text; });
    if (waited_for) context.retry_keys_.push_back(i);
  }
}

void Dispatcher::Retry(Waiter& waiter, std::string_view changed_key) {
  if (waiter.state != Waiter::State::kWaiting) return;
  // CLIENT UNBLOCK came first: the client's thread is about to hear of it.
  if ((waiter.client.record->flags.load(std::memory_order_relaxed) & kClientBlocked) == 0) return;

  OutputBuffer out;
  ReplyWriter reply(out, waiter.client.resp);
  BindRetry(waiter, changed_key, reply);
  // What it changes is not told by the client that the thread is serving.
  Client* const running = std::exchange(thread_tracking.client, nullptr);
  const uint64_t began = CycleCount();
  const Command& command = waiter.request.command();
  command.spec().handler(retry_context_);
  const auto nanoseconds =
      static_cast<int64_t>(static_cast<double>(CycleCount() - began) * nanos_per_cycle_);
  thread_tracking.client = running;
  counters_.dirty.Add(std::exchange(retry_context_.dirty_, 0));
  std::vector<KeyspaceEvent>& events = retry_context_.events_;
  context_.events_.insert(context_.events_.end(), std::make_move_iterator(events.begin()),
                          std::make_move_iterator(events.end()));
  events.clear();
  if (std::exchange(retry_context_.block_requested_, false)) return;  // It goes on waiting.

  if (reply.error_count() != 0) CountFailedWait(waiter, reply.last_error());
  // Not when it began to wait: only now it has been done.
  if (nanoseconds >= notable_nanoseconds_) {
    environment_.NoteDuration(waiter.client, command, waiter.request.args(), nanoseconds);
  }
  waiter.client.record->flags.fetch_and(~kClientBlocked, std::memory_order_relaxed);
  waiter.state = Waiter::State::kServed;
  Unpark(waiter);
  WaitResult result{.reply = out.Pieces(), .leases = {}};
  if (waiter.client.leases != nullptr) result.leases = waiter.client.leases->TakeAll();
  environment_.EndWait(*waiter.client.record, std::move(result));
}

void Dispatcher::EndLeases(std::span<const std::shared_ptr<Lease>> leases) {
  const MonoTime now = MonoNow();
  for (const std::shared_ptr<Lease>& lease : leases) {
    if (!lease->follows_connection || !lease->LiveAt(now)) continue;
    MutexLock lock(keyspace_.shard(lease->shard).mu());
    if (!hooks_.leases(lease->shard).Lose(*lease, now)) continue;
    hooks_.WakeWaitersOf(lease->shard, lease->db, lease->key);
    services_.UpdateObserved(lease->shard);
  }
}

void Dispatcher::WakeWaitersOf(uint32_t shard_id, int db, std::string_view key) {
  {
    MutexLock lock(keyspace_.shard(shard_id).mu());
    hooks_.WakeWaitersOf(shard_id, db, key);
  }
  ServeWaiters(UnixMillisNow());
}

void Dispatcher::EndOverdueLeases(LeaseCap& cap) {
  const MonoTime now = MonoNow();
  for (const std::shared_ptr<const Lease>& lease : cap.Overdue(now)) {
    MutexLock lock(keyspace_.shard(lease->shard).mu());
    // Looking for it ends it.
    if (hooks_.leases(lease->shard).Find(lease->db, lease->key, now) != nullptr) continue;
    hooks_.WakeWaitersOf(lease->shard, lease->db, lease->key);
    services_.UpdateObserved(lease->shard);
  }
  ServeWaiters(UnixMillisNow());
}

void Dispatcher::SweepLeases(uint32_t first, uint32_t step) {
  if (hooks_.lease_budget().used.load(std::memory_order_relaxed) == 0) return;
  const MonoTime now = MonoNow();
  for (uint32_t id = first; id < keyspace_.shard_count(); id += step) {
    MutexLock lock(keyspace_.shard(id).mu());
    LeaseTable& leases = hooks_.leases(id);
    if (leases.empty()) continue;
    leases.Sweep(now);
    services_.UpdateObserved(id);
  }
}

}  // namespace larder
