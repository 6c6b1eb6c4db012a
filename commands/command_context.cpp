#include "commands/command_context.h"

#include <algorithm>
#include <utility>

#include "commands/thread_counters.h"
#include "commands/watch_table.h"
#include "eviction/lease_table.h"
#include "eviction/miss_ratio_curve.h"
#include "eviction/stampede_rule.h"

namespace larder {

BlobRef CommandContext::TakeBlob(size_t arg_index) {
  if (blobs_ == nullptr) return {};
  for (auto& [index, blob] : *blobs_) {
    if (index == arg_index) return std::move(blob);
  }
  return {};
}

bool CommandContext::ClockHolds(Shard& shard) const {
  shard.mu().AssertHeld();
  return shard.access_bits() ==
         (access_clock_.shares_bits() ? Shard::AccessBits::kQueues : Shard::AccessBits::kClock);
}

void CommandContext::TouchIn(Shard& shard, uint64_t hash, Entry& entry) {
  shard.mu().AssertHeld();
  if (!ClockHolds(shard)) [[unlikely]]
    return;
  // What has just come has been counted.
  if (access_clock_.shares_bits() && AccessClock::EverTouched(entry.access())) {
    eviction_domains_->OnHit(shard, hash, entry);
  }
  access_clock_.Touch(entry, *random_);
}

void CommandContext::NoteRead(const HashedKey& key, const Entry* entry) {
  MissRatioCurve& curve = services_->miss_ratio_curve();
  const KeyId id = MissRatioCurve::IdOf(key.hash, db());
  if (!curve.Samples(id)) {
    ++unsampled_reads_;
    if (entry == nullptr) ++unsampled_misses_;
    return;
  }
  MissRatioCurve::Read read{.id = id,
                            .now = now_,
                            .other_requests = std::exchange(unsampled_reads_, 0),
                            .other_misses = std::exchange(unsampled_misses_, 0)};
  if (entry != nullptr) read.found = MissRatioCurve::Holding::Of(*entry);
  curve.OnRead(read);
}

void CommandContext::NoteStore(const HashedKey& key, const Entry& entry) {
  MissRatioCurve& curve = services_->miss_ratio_curve();
  const KeyId id = MissRatioCurve::IdOf(key.hash, db());
  if (curve.Samples(id)) curve.OnStore(id, MissRatioCurve::Holding::Of(entry), now_);
}

void CommandContext::NoteErase(const HashedKey& key) {
  MissRatioCurve& curve = services_->miss_ratio_curve();
  const KeyId id = MissRatioCurve::IdOf(key.hash, db());
  if (curve.Samples(id)) curve.OnErase(id);
}

void CommandContext::Touch(size_t key, Entry& entry) {
  const uint64_t bit = key < 64 ? uint64_t{1} << key : 0;
  // An entry that has come in place of another is to begin its own life.
  if ((touched_ & bit) != 0 && AccessClock::EverTouched(entry.access())) return;
  touched_ |= bit;
  TouchIn(*shards_[key], keys_[key].hash, entry);
}

void CommandContext::NoteLookup(size_t key, Entry& entry) {
  if (client_->Is(kClientNoTouch) || access_clock_.ignores_reads()) [[unlikely]]
    return;
  Touch(key, entry);
}

void CommandContext::NoteChange(size_t key, Entry& entry) {
  if (access_clock_.ignores_reads()) [[unlikely]]
    Touch(key, entry);
}

void CommandContext::NotePlaced(size_t key, Entry& entry) {
  if (access_clock_.ignores_reads()) [[unlikely]]
    TouchIn(*shards_[key], keys_[key].hash, entry);
}

Entry* CommandContext::Inspect(size_t key) {
  Entry* entry = Peek(key);
  if (settings_->miss_ratio_curve) [[unlikely]]
    NoteRead(keys_[key], entry);
  if (entry == nullptr) {
    counters_->CountMiss(keys_[key].text);
    Notify(kNotifyKeyMiss, "keymiss", key);
    return nullptr;
  }
  counters_->CountHit(keys_[key].text);
  return entry;
}

Entry* CommandContext::Find(size_t key) {
  Entry* entry = Inspect(key);
  if (entry != nullptr) NoteLookup(key, *entry);
  return entry;
}

Entry* CommandContext::FindForWrite(size_t key) {
  Entry* entry = Peek(key);
  if (entry != nullptr) NoteLookup(key, *entry);
  return entry;
}

bool CommandContext::IsHidden(size_t key) const {
  return keys_[key].text != retry_key_ &&
         std::find(retry_keys_.begin(), retry_keys_.end(), key) != retry_keys_.end();
}

Entry* CommandContext::PeekIn(int db, size_t key) {
  if (retrying_ && IsHidden(key)) [[unlikely]]
    return nullptr;
  Shard& shard = *shards_[key];
  shard.mu().AssertHeld();
  return shard.Find(db, keys_[key], now_);
}

Found CommandContext::FindString(size_t key, StringValue& value) {
  Entry* entry = Find(key);
  if (entry == nullptr) return Found::kNothing;
  if (entry->type() != ValueType::kString) return Found::kWrongType;
  entry->ReadString(value);
  return Found::kValue;
}

Entry* CommandContext::SetString(size_t key, std::string_view value, UnixMillis expiry,
                                 const Freshness* freshness) {
  Shard& shard = *shards_[key];
  shard.mu().AssertHeld();
  NotifyIfNew(key);
  Entry* entry = shard.SetString(db(), keys_[key], value, expiry, freshness);
  Stored(key, *entry);
  MarkDirty();
  return entry;
}

Entry* CommandContext::SetStringFromArg(size_t key, size_t arg_index, UnixMillis expiry,
                                        const Freshness* freshness) {
  if (blobs_ != nullptr && !blobs_->empty()) [[unlikely]] {
    if (BlobRef blob = TakeBlob(arg_index)) {
      Shard& shard = *shards_[key];
      shard.mu().AssertHeld();
      NotifyIfNew(key);
      Entry* entry = shard.SetBlob(db(), keys_[key], std::move(blob), expiry, freshness);
      Stored(key, *entry);
      MarkDirty();
      return entry;
    }
  }
  return SetString(key, args_[arg_index], expiry, freshness);
}

Entry* CommandContext::SetText(size_t key, std::string_view value, UnixMillis expiry) {
  Shard& shard = *shards_[key];
  shard.mu().AssertHeld();
  NotifyIfNew(key);
  Entry* entry = shard.SetText(db(), keys_[key], value, expiry);
  Stored(key, *entry);
  MarkDirty();
  return entry;
}

Entry* CommandContext::SetRawString(size_t key, std::string_view value, UnixMillis expiry) {
  Shard& shard = *shards_[key];
  shard.mu().AssertHeld();
  NotifyIfNew(key);
  Entry* entry = shard.SetRawString(db(), keys_[key], value, expiry);
  Stored(key, *entry);
  MarkDirty();
  return entry;
}

Entry* CommandContext::SetBlob(size_t key, BlobRef value, UnixMillis expiry) {
  Shard& shard = *shards_[key];
  shard.mu().AssertHeld();
  NotifyIfNew(key);
  Entry* entry = shard.SetBlob(db(), keys_[key], std::move(value), expiry);
  Stored(key, *entry);
  MarkDirty();
  return entry;
}

Entry* CommandContext::SetInteger(size_t key, int64_t value, UnixMillis expiry) {
  Shard& shard = *shards_[key];
  shard.mu().AssertHeld();
  NotifyIfNew(key);
  Entry* entry = shard.SetInteger(db(), keys_[key], value, expiry);
  Stored(key, *entry);
  MarkDirty();
  return entry;
}

std::span<char> CommandContext::EditString(size_t key, Entry*& entry, size_t size) {
  Shard& shard = *shards_[key];
  shard.mu().AssertHeld();
  NotifyIfNew(key);
  MarkDirty();
  if (entry == nullptr) {
    entry = shard.SetString(db(), keys_[key], {}, kNoExpiry);
    Stored(key, *entry);
  }
  NoteChange(key, *entry);
  return shard.EditString(db(), keys_[key], entry, size);
}

void CommandContext::MakeRaw(size_t key, Entry*& entry) {
  Shard& shard = *shards_[key];
  shard.mu().AssertHeld();
  entry = shard.MakeRaw(db(), keys_[key], entry);
}

Entry* CommandContext::SetObject(size_t key, const Object& object, UnixMillis expiry) {
  Shard& shard = *shards_[key];
  shard.mu().AssertHeld();
  NotifyIfNew(key);
  Entry* entry = shard.SetObject(db(), keys_[key], object, expiry);
  Stored(key, *entry);
  return entry;
}

void CommandContext::BeginEdit(size_t key, Entry* entry) {
  Shard& shard = *shards_[key];
  shard.mu().AssertHeld();
  shard.BeginEdit(db(), keys_[key], entry);
}

void CommandContext::EndEdit(size_t key, Entry* entry, const Object& object, size_t bytes_before,
                             bool changed) {
  Shard& shard = *shards_[key];
  shard.mu().AssertHeld();
  if (changed) NoteChange(key, *entry);
  shard.EndEdit(db(), keys_[key], entry, object, bytes_before, changed);
  if (settings_->miss_ratio_curve && changed) [[unlikely]]
    NoteStore(keys_[key], *entry);
}

Entry* CommandContext::SetExpiry(size_t key, Entry* entry, UnixMillis expiry) {
  Shard& shard = *shards_[key];
  shard.mu().AssertHeld();
  MarkDirty();
  NoteChange(key, *entry);
  return shard.SetExpiry(db(), keys_[key], entry, expiry);
}

Entry* CommandContext::SetFreshness(size_t key, Entry* entry, const Freshness& freshness) {
  Shard& shard = *shards_[key];
  shard.mu().AssertHeld();
  return shard.SetFreshness(db(), keys_[key], entry, &freshness);
}

void CommandContext::SetTags(size_t key, Entry* entry, TagStampPtr tags) {
  Shard& shard = *shards_[key];
  shard.mu().AssertHeld();
  shard.SetTags(db(), keys_[key], entry, std::move(tags));
}

LeaseTable& CommandContext::leases(size_t key) { return services_->leases(shards_[key]->id()); }

const StampedeRule* CommandContext::RuleFor(size_t key) const {
  return settings_->stampede_rules->Match(keys_[key].text);
}

const std::shared_ptr<StampedeFigures>& CommandContext::FiguresFor(size_t key) const {
  const StampedeRule* const rule = RuleFor(key);
  return rule == nullptr ? services_->stampede_figures() : rule->figures;
}

void CommandContext::LeasesChanged(size_t key) {
  services_->WakeWaitersOf(shards_[key]->id(), db(), keys_[key].text);
  services_->UpdateObserved(shards_[key]->id());
}

void CommandContext::WakeAtEndOfLease(size_t key) {
  LeaseTable::Record* const record = leases(key).Find(db(), keys_[key].text, MonoTime::min());
  LARDER_DCHECK(record != nullptr);
  if (record->ticket) return;
  if (std::exchange(record->wake_set, true)) return;
  services_->WakeWaitersAt(record->until, shards_[key]->id(), db(), keys_[key].text);
}

size_t CommandContext::WaiterCount(size_t key) {
  return services_->WaitersOf(shards_[key]->id(), db(), keys_[key].text);
}

bool CommandContext::Erase(size_t key, Shard::Reclaim reclaim) {
  Shard& shard = *shards_[key];
  shard.mu().AssertHeld();
  if (!shard.Erase(db(), keys_[key], reclaim)) return false;
  if (settings_->miss_ratio_curve) [[unlikely]]
    NoteErase(keys_[key]);
  MarkDirty();
  return true;
}

void CommandContext::EraseEmptied(size_t key) {
  Shard& shard = *shards_[key];
  shard.mu().AssertHeld();
  shard.Erase(db(), keys_[key], Shard::Reclaim::kNow);
  if (settings_->miss_ratio_curve) [[unlikely]]
    NoteErase(keys_[key]);
}

// The analysis cannot follow a lock that is taken only when it is not held already.
void CommandContext::ForEachShard(absl::FunctionRef<bool(Shard&)> visit)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  for (uint32_t id = 0; id < keyspace_->shard_count(); ++id) {
    Shard& shard = keyspace_->shard(id);
    if (!all_shards_locked_) shard.mu().Lock();
    const bool go_on = visit(shard);
    if (!all_shards_locked_) shard.mu().Unlock();
    if (!go_on) return;
  }
}

void CommandContext::WithShard(uint32_t shard_id, absl::FunctionRef<void(Shard&)> visit)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  Shard& shard = keyspace_->shard(shard_id);
  if (!all_shards_locked_) shard.mu().Lock();
  visit(shard);
  if (!all_shards_locked_) shard.mu().Unlock();
}

void CommandContext::WithKey(std::string_view key,
                             absl::FunctionRef<void(Shard&, const HashedKey&)> visit) {
  const HashedKey hashed = HashedKey::Of(key);
  WithShard(keyspace_->ShardOf(hashed.slot), [&](Shard& shard) { visit(shard, hashed); });
}

Entry* CommandContext::FindNamed(const HashedKey& key) {
  LARDER_DCHECK(all_shards_locked_);
  Shard& shard = keyspace_->ShardFor(key);
  shard.mu().AssertHeld();
  Entry* entry = shard.Find(db(), key, now_);
  if (settings_->miss_ratio_curve) [[unlikely]]
    NoteRead(key, entry);
  if (entry == nullptr) {
    counters_->CountMiss(key.text);
    NotifyIn(db(), kNotifyKeyMiss, "keymiss", key.text);
    return nullptr;
  }
  counters_->CountHit(key.text);
  if (!client_->Is(kClientNoTouch) && !access_clock_.ignores_reads())
    TouchIn(shard, key.hash, *entry);
  return entry;
}

void CommandContext::NotifyDatabaseChanging(Shard& shard, int db) {
  services_->leases(shard.id()).VoidDatabase(db);
  services_->WakeWaiters(shard.id(), db);
  WatchTable& watches = services_->watches(shard.id());
  if (watches.empty()) return;
  watches.ForEach([&](int watched_db, std::string_view key) {
    if (watched_db != db) return;
    shard.mu().AssertHeld();
    // As in Redis, emptying a database concerns those who watch a key that is in it.
    if (shard.Find(db, HashedKey::Of(key), now_) != nullptr) watches.OnKeyChanging(db, key);
  });
}

void CommandContext::NotifyDatabasesSwapping(Shard& shard, int a, int b) {
  services_->leases(shard.id()).VoidDatabase(a);
  services_->leases(shard.id()).VoidDatabase(b);
  services_->WakeWaiters(shard.id(), a);
  services_->WakeWaiters(shard.id(), b);
  WatchTable& watches = services_->watches(shard.id());
  if (watches.empty()) return;
  watches.ForEach([&](int watched_db, std::string_view key) {
    if (watched_db != a && watched_db != b) return;
    shard.mu().AssertHeld();
    // Both are looked up in any case, which removes what has expired. Left for later it would be
    // found under the other number, where its end would count as a change of a key never there.
    const HashedKey hashed = HashedKey::Of(key);
    const bool in_a = shard.Find(a, hashed, now_) != nullptr;
    const bool in_b = shard.Find(b, hashed, now_) != nullptr;
    if (in_a || in_b) watches.OnKeyChanging(watched_db, key);
  });
}

void CommandContext::BlockClient(Block block) {
  LARDER_DCHECK(!in_transaction_);
  block_ = std::move(block);
  block_keys_.clear();
  block_requested_ = true;
}

void CommandContext::BlockOnKeys(Block block, std::span<const size_t> keys) {
  LARDER_DCHECK(!keys.empty());
  BlockClient(std::move(block));
  block_keys_.assign(keys.begin(), keys.end());
}

void CommandContext::QueueEvent(uint32_t notify_class, std::string_view event, int db,
                                std::string_view key) {
  events_.push_back({notify_class, event, db, std::string(key)});
}

}  // namespace larder
