#include "eviction/lease_table.h"

#include <iterator>
#include <utility>

#include "base/check.h"
#include "eviction/stampede_figures.h"
#include "storage/database_key.h"

namespace larder {

LeaseTable::~LeaseTable() {
  budget_.used.fetch_sub(static_cast<int64_t>(records_.size()), std::memory_order_relaxed);
}

LeaseTable::Record* LeaseTable::Find(int db, std::string_view key, MonoTime now) {
  if (records_.empty()) return nullptr;
  const auto found = records_.find(DatabaseKey(db, key));
  if (found == records_.end()) return nullptr;
  if (!HasEnded(found->second, now)) return &found->second;
  Expire(found);
  return nullptr;
}

bool LeaseTable::HasEnded(const Record& record, MonoTime now) {
  return record.until <= now || (record.tags != nullptr && record.tags->IsOutdated());
}

LeaseTable::Election LeaseTable::Grant(int db, std::string_view key, Terms terms, MonoTime now) {
  const auto in_line = FindInLine(db, key);
  if (in_line == records_.end() && !HasRoom()) return {};
  auto lease = std::make_shared<Lease>();
  lease->shard = shard_;
  lease->db = db;
  lease->key = key;
  lease->number = ++last_number_;
  lease->holder = terms.holder;
  lease->granted_at = now;
  lease->deadline = now + terms.duration;
  lease->follows_connection = terms.follows_connection;
  lease->after_invalidation = terms.after_invalidation;
  if (in_line != records_.end()) {
    Record& record = in_line->second;
    if (!record.cap->TakeTurn(*record.ticket, lease)) return {.lease = nullptr, .held_back = true};
    record.ticket.reset();
    record.lease = lease;
    record.until = lease->deadline;
    record.figures = std::move(terms.figures);
    return {.lease = std::move(lease)};
  }
  if (terms.cap != nullptr && terms.gets_in_line) {
    if (const auto ticket = terms.cap->TakeOrWait(lease)) {
      Insert(db, key, {.until = MonoTime::max(), .cap = std::move(terms.cap), .ticket = *ticket});
      return {.lease = nullptr, .held_back = true};
    }
  } else if (terms.cap != nullptr && !terms.cap->Take(lease)) {
    return {.lease = nullptr, .held_back = true};
  }
  Insert(db, key,
         {.lease = lease,
          .until = lease->deadline,
          .figures = std::move(terms.figures),
          .cap = std::move(terms.cap)});
  return {.lease = std::move(lease)};
}

std::optional<std::chrono::nanoseconds> LeaseTable::Fill(int db, std::string_view key,
                                                         uint64_t number, MonoTime now) {
  const auto found = FindLease(db, key, number, now);
  if (found == records_.end()) return std::nullopt;
  const std::chrono::nanoseconds load_time = now - found->second.lease->granted_at;
  End(found);
  return load_time;
}

bool LeaseTable::Release(int db, std::string_view key, uint64_t number, MonoTime now) {
  const auto found = FindLease(db, key, number, now);
  if (found == records_.end()) return false;
  End(found);
  return true;
}

bool LeaseTable::Lose(const Lease& lease, MonoTime now) {
  const auto found = FindLease(lease.db, lease.key, lease.number, now);
  if (found == records_.end()) return false;
  Expire(found);
  return true;
}

void LeaseTable::Hold(int db, std::string_view key, MonoTime until) {
  if (HasRoom()) Insert(db, key, {.until = until});
}

void LeaseTable::HoldNegative(int db, std::string_view key, MonoTime until, TagStampPtr tags) {
  if (HasRoom()) Insert(db, key, {.is_negative = true, .until = until, .tags = std::move(tags)});
}

bool LeaseTable::Void(int db, std::string_view key) {
  if (records_.empty()) return false;
  const auto found = records_.find(DatabaseKey(db, key));
  if (found == records_.end()) return false;
  End(found);
  return true;
}

void LeaseTable::VoidDatabase(int db) {
  for (auto record = records_.begin(); record != records_.end();) {
    const auto next = std::next(record);
    if (DatabaseOf(record->first) == db) End(record);
    record = next;
  }
}

void LeaseTable::Sweep(MonoTime now) {
  for (auto record = records_.begin(); record != records_.end();) {
    const auto next = std::next(record);
    if (HasEnded(record->second, now)) Expire(record);
    record = next;
  }
}

void LeaseTable::LeaveLine(int db, std::string_view key) {
  const auto found = FindInLine(db, key);
  if (found != records_.end()) End(found);
}

bool LeaseTable::PassTurn(int db, std::string_view key) {
  const auto found = FindInLine(db, key);
  if (found == records_.end() || !found->second.cap->HasTurn(*found->second.ticket)) return false;
  End(found);
  return true;
}

LeaseTable::Records::iterator LeaseTable::FindInLine(int db, std::string_view key) {
  if (records_.empty()) return records_.end();
  const auto found = records_.find(DatabaseKey(db, key));
  return found != records_.end() && found->second.ticket ? found : records_.end();
}

LeaseTable::Records::iterator LeaseTable::FindLease(int db, std::string_view key, uint64_t number,
                                                    MonoTime now) {
  const Record* const record = Find(db, key, now);
  if (record == nullptr || record->lease == nullptr || record->lease->number != number) {
    return records_.end();
  }
  return records_.find(DatabaseKey(db, key));
}

void LeaseTable::Insert(int db, std::string_view key, Record record) {
  const bool inserted = records_.emplace(DatabaseKey(db, key), std::move(record)).second;
  LARDER_DCHECK(inserted);
  budget_.used.fetch_add(1, std::memory_order_relaxed);
}

void LeaseTable::End(Records::iterator record) {
  const Record ended = std::move(record->second);
  records_.erase(record);
  budget_.used.fetch_sub(1, std::memory_order_relaxed);
  if (ended.lease != nullptr) ended.lease->ended.store(true, std::memory_order_relaxed);
  if (ended.cap == nullptr) return;
  const LeaseCap::Turns turns =
      ended.ticket ? ended.cap->Leave(*ended.ticket) : ended.cap->GiveBack(ended.lease);
  if (listener_ == nullptr) return;
  for (const LeaseCap::WaitingKey& key : turns) listener_->OnTurn(key);
}

void LeaseTable::Expire(Records::iterator record) {
  const Record& expired = record->second;
  if (expired.lease != nullptr && expired.figures != nullptr)
    expired.figures->Count(StampedeFigures::kLeasesLost);
  End(record);
}

}  // namespace larder
