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
  if (now < found->second.until) return &found->second;
  Expire(found);
  return nullptr;
}

std::shared_ptr<Lease> LeaseTable::Grant(int db, std::string_view key, Terms terms, MonoTime now) {
  if (!HasRoom()) return nullptr;
  auto lease = std::make_shared<Lease>();
  lease->shard = shard_;
  lease->db = db;
  lease->key = key;
  lease->number = ++last_number_;
  lease->holder = terms.holder;
  lease->granted_at = now;
  lease->deadline = now + terms.duration;
  lease->follows_connection = terms.follows_connection;
  Insert(db, key, {.lease = lease, .until = lease->deadline, .figures = std::move(terms.figures)});
  return lease;
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

void LeaseTable::Hold(int db, std::string_view key, MonoTime until, bool is_negative) {
  if (HasRoom()) Insert(db, key, {.is_negative = is_negative, .until = until});
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
    if (record->second.until <= now) Expire(record);
    record = next;
  }
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
  if (Lease* const lease = record->second.lease.get()) {
    lease->ended.store(true, std::memory_order_relaxed);
  }
  records_.erase(record);
  budget_.used.fetch_sub(1, std::memory_order_relaxed);
}

void LeaseTable::Expire(Records::iterator record) {
  const Record& expired = record->second;
  if (expired.lease != nullptr && expired.figures != nullptr)
    expired.figures->Count(StampedeFigures::kLeasesLost);
  End(record);
}

}  // namespace larder
