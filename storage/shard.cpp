#include "storage/shard.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "base/allocator.h"
#include "base/check.h"
#include "base/numbers.h"
#include "storage/hash.h"
#include "storage/lazy_free.h"
#include "storage/snapshot.h"

namespace larder {
namespace {

// A flushed table up to this size is freed at once: some 50 microseconds.
constexpr uint32_t kBucketsFreedInPlace = 64;

// Room for a blob that is being appended to: doubling at first, later by an eighth, so that bytes
// are copied a constant number of times on average and little is wasted.
size_t GrownCapacity(size_t size) {
  constexpr size_t kMiB = size_t{1} << 20;
  return size + std::min(size, std::max(kMiB, size / 8));
}

// What is freed in so many allocations would hold the lock for a hundred microseconds.
constexpr size_t kFreedInPlace = 2048;

bool TakesLongToFree(const Object& object) { return FreeEffort(object) > kFreedInPlace; }

std::optional<uint64_t> Packed(const Freshness* freshness) {
  if (freshness == nullptr) [[likely]]
    return std::nullopt;
  return freshness->Pack();
}

Blob* Share(const Entry& entry) {
  BlobRef own = BlobRef::Adopt(entry.blob());
  BlobRef shared = own;
  own.Detach();
  return shared.Detach();
}

}  // namespace

Shard::Shard(uint32_t id, const ShardOptions& options)
    : id_(id),
      observer_(options.observer),
      lazy_free_(options.lazy_free),
      pinned_keys_(options.pinned_keys) {}

Shard::~Shard() = default;

// ---- Looking ahead

void Shard::PrefetchBucket(int db, uint64_t hash) const {
  if (const Table* table = TableOf(db)) table->PrefetchBucket(hash);
}

void Shard::PrefetchEntry(int db, uint64_t hash, bool to_end) const {
  if (const Table* table = TableOf(db)) table->PrefetchEntry(hash, to_end);
}

bool Shard::PrefetchValue(int db, uint64_t hash) const {
  const Table* table = TableOf(db);
  return table != nullptr && table->PrefetchValue(hash);
}

const MemberTable* Shard::LikelyMembers(int db, uint64_t hash) const {
  const Table* table = TableOf(db);
  const Entry* entry = table == nullptr ? nullptr : table->LikelyEntry(hash);
  if (entry == nullptr || entry->type() == ValueType::kString) return nullptr;
  const auto members = OperationsOf(entry->type()).members;
  return members == nullptr ? nullptr : members(entry->object());
}

// ---- Reading

Entry* Shard::Find(int db, const HashedKey& key, UnixMillis now) {
  Table* table = TableOf(db);
  if (table == nullptr) return nullptr;
  const Table::Place place = table->Find(key);
  if (!place) return nullptr;
  Entry* entry = place.entry();
  if (!entry->ExpiredAt(now)) [[likely]]
    return entry;
  if (MayRemoveExpired()) {
    RemoveExpired(db, *table, table->BucketIndex(key.hash), place, key.hash);
    ShrinkAfterErase(db, *table);
  }
  return nullptr;
}

size_t Shard::size(int db) const {
  const Table* table = TableOf(db);
  return table == nullptr ? 0 : table->size();
}

size_t Shard::volatile_size(int db) const {
  const Table* table = TableOf(db);
  return table == nullptr ? 0 : table->volatile_size();
}

int64_t Shard::AverageTtl(int db, UnixMillis now, Random& random) {
  constexpr int kWanted = 16;
  constexpr int kTries = 64;
  const Table* table = TableOf(db);
  if (table == nullptr || table->volatile_size() == 0) return 0;
  int64_t sum = 0;
  int found = 0;
  for (int i = 0; i < kTries && found < kWanted; ++i) {
    const Entry* entry = table->RandomEntry(random);
    if (!entry->has_expiry() || entry->ExpiredAt(now)) continue;
    // Divided before it is added up: a TTL may be close to the largest number there is.
    sum += (entry->expiry() - now) / kWanted;
    ++found;
  }
  return found == 0 ? 0 : sum / found * kWanted;
}

Entry* Shard::RandomEntry(int db, Random& random) {
  const Table* table = TableOf(db);
  return table == nullptr || table->size() == 0 ? nullptr : table->RandomEntry(random);
}

Entry* Shard::FindLike(uint64_t hash, int bits, absl::FunctionRef<bool(Entry&)> wanted, int& db) {
  for (db = 0; db <= static_cast<int>(other_tables_.size()); ++db) {
    const Table* table = TableOf(db);
    if (table == nullptr) continue;
    if (Entry* entry = table->FindLike(hash, bits, wanted)) return entry;
  }
  return nullptr;
}

uint64_t Shard::Scan(int db, uint64_t cursor, const std::function<void(Entry&)>& visit) {
  const Table* table = TableOf(db);
  return table == nullptr ? 0 : table->Scan(cursor, visit);
}

uint64_t Shard::Relocate(int db, uint64_t cursor, absl::FunctionRef<void*(void*, size_t)> move) {
  Table* table = TableOf(db);
  return table == nullptr ? 0 : table->Relocate(cursor, move);
}

// ---- Changing

std::unique_ptr<Table>& Shard::PlaceOf(int db) {
  if (other_tables_.size() < static_cast<size_t>(db)) other_tables_.resize(static_cast<size_t>(db));
  return other_tables_[static_cast<size_t>(db) - 1];
}

Table& Shard::UsableTable(int db) {
  if (db == 0) {
    first_table_.Prepare(epoch_);
    return first_table_;
  }
  std::unique_ptr<Table>& table = PlaceOf(db);
  if (table == nullptr) table = std::make_unique<Table>();
  table->Prepare(epoch_);
  return *table;
}

void Shard::RunHooks(int db, Table& table, uint64_t hash, std::string_view key, KeyChange change) {
  if (table.walk().pending) HandOver(table, table.BucketIndex(hash));
  if ((hooks_ & kObserved) != 0 && observer_ != nullptr) {
    observer_->OnKeyChanging(*this, db, key, change);
  }
}

Entry* Shard::SetString(int db, const HashedKey& key, std::string_view value, UnixMillis expiry,
                        const Freshness* freshness) {
  if (value.size() <= kMaxIntegerText) {
    if (const auto integer = ParseInt64(value)) {
      return Put(db, key, Entry::Value::Integer(*integer).With(Packed(freshness)), expiry);
    }
  }
  return PutText(db, key, value, StringEncoding::kInline, expiry, freshness);
}

Entry* Shard::SetText(int db, const HashedKey& key, std::string_view value, UnixMillis expiry) {
  return PutText(db, key, value, StringEncoding::kInline, expiry, nullptr);
}

Entry* Shard::SetBlob(int db, const HashedKey& key, BlobRef value, UnixMillis expiry,
                      const Freshness* freshness) {
  const Entry::Cut cut = Entry::CutText(key.text.size(), value->size(), expiry != kNoExpiry,
                                        /*has_freshness=*/freshness != nullptr);
  if (cut.in_entry != 0) return SetString(db, key, value->view(), expiry, freshness);
  Blob* blob = value.Detach();
  return Put(db, key, Entry::Value::OfBlob(blob).With(Packed(freshness)), expiry);
}

Entry* Shard::SetRawString(int db, const HashedKey& key, std::string_view value,
                           UnixMillis expiry) {
  return PutText(db, key, value, StringEncoding::kInlineRaw, expiry, nullptr);
}

Entry* Shard::PutText(int db, const HashedKey& key, std::string_view value, StringEncoding encoding,
                      UnixMillis expiry, const Freshness* freshness) {
  const std::optional<uint64_t> packed = Packed(freshness);
  const Entry::Cut cut =
      Entry::CutText(key.text.size(), value.size(), expiry != kNoExpiry, packed.has_value());
  if (cut.in_blob == 0) {
    return Put(db, key, Entry::Value::Text(value, encoding).With(packed), expiry);
  }
  Blob* blob = BlobRef::CopyOf(value.substr(0, cut.in_blob)).Detach();
  return Put(db, key, Entry::Value::OfBlob(blob, value.substr(cut.in_blob)).With(packed), expiry);
}

Entry* Shard::SetInteger(int db, const HashedKey& key, int64_t value, UnixMillis expiry) {
  return Put(db, key, Entry::Value::Integer(value), expiry);
}

Entry* Shard::Put(int db, const HashedKey& key, const Entry::Value& value, UnixMillis expiry) {
  Table& table = UsableTable(db);
  const Table::Place place = table.Find(key);
  BeforeMutation(db, table, key.hash, key.text);
  if (place) return Replace(table, key.hash, place, value, expiry);
  Entry* entry = Entry::Create(key.text, value, expiry, /*access=*/0);
  table.Insert(key.hash, entry);
  TellInserted(key.hash, *entry);
  GrowIfNeeded(table);
  return entry;
}

Entry* Shard::Replace(Table& table, uint64_t hash, Table::Place place, const Entry::Value& value,
                      UnixMillis expiry) {
  Entry* entry = place.entry();
  const Table::Counted before(*entry);
  // The old value goes last: the new one may be a view of it.
  if (entry->type() != ValueType::kString) {
    FreeObject(entry->object());
    entry = Entry::Rewrite(entry, value, expiry);
  } else {
    const BlobRef old_blob = entry->IsBlob() ? BlobRef::Adopt(entry->blob()) : BlobRef();
    TagStampPtr old_tags(entry->tags());
    entry = Entry::Rewrite(entry, value, expiry);
    if (entry->tags() == old_tags.get()) old_tags.release();  // It goes on with the key.
  }
  table.Update(hash, place, entry, before);
  TellVolatility(hash, *entry, before.has_expiry);
  return entry;
}

Entry* Shard::SetObject(int db, const HashedKey& key, const Object& object, UnixMillis expiry) {
  return Put(db, key, Entry::Value::OfObject(object), expiry);
}

void Shard::BeginEdit(int db, const HashedKey& key, Entry* entry) {
  LARDER_DCHECK(entry->type() != ValueType::kString);
  Table& table = *TableOf(db);
  if (table.walk().pending) [[unlikely]]
    HandOver(table, table.BucketIndex(key.hash));
}

void Shard::EndEdit(int db, const HashedKey& key, Entry* entry, const Object& object,
                    size_t bytes_before, bool changed) {
  Table& table = *TableOf(db);
  LARDER_DCHECK(table.Find(key) && table.Find(key).entry() == entry);
  entry->SetObject(object);
  table.AddBytes(object.type,
                 static_cast<int64_t>(AllocatedBytes(object)) - static_cast<int64_t>(bytes_before));
  if (entry->has_timed_fields()) [[unlikely]]
    table.NoteDueFields(key.hash, *entry);
  if (changed && (hooks_ & kObserved) != 0 && observer_ != nullptr) [[unlikely]]
    observer_->OnKeyChanging(*this, db, key.text, KeyChange::kWritten);
}

Entry* Shard::MakeRaw(int db, const HashedKey& key, Entry* entry) {
  LARDER_DCHECK(entry->type() == ValueType::kString);
  if (entry->IsBlob() || entry->string_encoding() == StringEncoding::kInlineRaw) return entry;
  Table& table = *TableOf(db);
  StringValue value;
  entry->ReadString(value);
  const auto raw = Entry::Value::Text(value.view(), StringEncoding::kInlineRaw);
  return Replace(table, key.hash, table.Find(key), raw.With(entry->value().freshness),
                 entry->expiry());
}

std::span<char> Shard::EditString(int db, const HashedKey& key, Entry*& entry, size_t size) {
  if (entry == nullptr) entry = SetString(db, key, {}, kNoExpiry);
  LARDER_DCHECK(entry->type() == ValueType::kString);
  // A bitmap is mostly written where it stands already.
  if (hooks_ == 0 && entry->string_encoding() == StringEncoding::kInlineRaw &&
      !entry->has_freshness()) {
    const size_t old_size = entry->StringSize();
    if (size <= old_size) return {entry->value_bytes(), old_size};
  }
  Table& table = *TableOf(db);
  const Table::Place place = table.Find(key);
  LARDER_DCHECK(place && place.entry() == entry);
  BeforeMutation(db, table, key.hash, key.text);

  StringValue old;
  entry->ReadString(old);
  const size_t old_size = old.size();
  size = std::max(size, old_size);
  if (entry->IsBlob() && entry->rest().empty()) {
    if (entry->has_freshness()) entry = ChangeFreshness(table, key.hash, place, std::nullopt);
    EditBlob(table, place, size);
  } else if (size > Entry::kMaxInlineBytes) {
    BlobRef blob = BlobRef::Create(size);
    std::memcpy(blob->data(), old.view().data(), old_size);
    blob->set_size(size);
    Blob* raw = blob.Detach();
    entry = Replace(table, key.hash, place, Entry::Value::OfBlob(raw), entry->expiry());
  } else {
    // By way of the stack: old and new text may overlap in the entry, and no longer text than this
    // is held there.
    char text[Entry::kMaxInlineBytes];
    std::memcpy(text, old.view().data(), old_size);
    std::memset(text + old_size, 0, size - old_size);
    entry = Replace(table, key.hash, place,
                    Entry::Value::Text({text, size}, StringEncoding::kInlineRaw), entry->expiry());
    return {entry->value_bytes(), size};
  }
  char* bytes = entry->blob()->data();
  std::memset(bytes + old_size, 0, size - old_size);
  return {bytes, size};
}

// Makes the blob ours alone and `size` bytes long; new bytes are left as they are.
void Shard::EditBlob(Table& table, Table::Place place, size_t size) {
  Entry* entry = place.entry();
  const size_t old_bytes = entry->allocated_bytes();
  BlobRef blob = BlobRef::Adopt(entry->blob());
  if (!blob.unique()) {
    // A reply or a snapshot is still reading it.
    BlobRef copy = BlobRef::Create(size);
    std::memcpy(copy->data(), blob->data(), blob->size());
    blob = std::move(copy);
  } else if (size > blob->capacity()) {
    blob.Reserve(GrownCapacity(size));
  }
  blob->set_size(size);
  Blob* raw = blob.Detach();
  entry->SetBlobPointer(raw);
  table.AddBytes(ValueType::kString,
                 static_cast<int64_t>(entry->allocated_bytes()) - static_cast<int64_t>(old_bytes));
}

Entry* Shard::SetExpiry(int db, const HashedKey& key, Entry* entry, UnixMillis expiry) {
  Table& table = *TableOf(db);
  const Table::Place place = table.Find(key);
  LARDER_DCHECK(place && place.entry() == entry);
  BeforeMutation(db, table, key.hash, key.text);
  const Table::Counted before(*entry);
  entry = Entry::ChangeExpiry(entry, expiry);
  table.Update(key.hash, place, entry, before);
  TellVolatility(key.hash, *entry, before.has_expiry);
  return entry;
}

Entry* Shard::SetFreshness(int db, const HashedKey& key, Entry* entry, const Freshness* freshness) {
  Table& table = *TableOf(db);
  const Table::Place place = table.Find(key);
  LARDER_DCHECK(place && place.entry() == entry);
  BeforeMutation(db, table, key.hash, key.text);
  TagStamp* const tags = entry->tags();
  if (tags == nullptr || freshness == nullptr) {
    return ChangeFreshness(table, key.hash, place, Packed(freshness));
  }
  tags->set_own_freshness(freshness->Pack());
  return entry;
}

void Shard::SetTags(int db, const HashedKey& key, Entry* entry, TagStampPtr tags) {
  LARDER_DCHECK(entry->has_freshness() && entry->tags() == nullptr);
  Table& table = *TableOf(db);
  tags->set_own_freshness(*entry->value().freshness);
  ChangeFreshness(table, key.hash, table.Find(key), tags.release()->Pack());
}

Entry* Shard::ChangeFreshness(Table& table, uint64_t hash, Table::Place place,
                              std::optional<uint64_t> packed) {
  const Table::Counted before(*place.entry());
  const TagStampPtr old_tags(place.entry()->tags());
  Entry* entry = Entry::ChangeFreshness(place.entry(), packed);
  table.Update(hash, place, entry, before);
  return entry;
}

// Takes the entry out of the table.
Entry* Shard::Unlink(int db, Table& table, const HashedKey& key, Table::Place place,
                     KeyChange change) {
  BeforeMutation(db, table, key.hash, key.text, change);
  TellErasing(*place.entry());
  ForgetPin(db, key.text);
  Entry* entry = table.Remove(table.BucketIndex(key.hash), place);
  ShrinkAfterErase(db, table);
  return entry;
}

bool Shard::Erase(int db, const HashedKey& key, Reclaim reclaim, KeyChange change) {
  Table* table = TableOf(db);
  if (table == nullptr) return false;
  const Table::Place place = table->Find(key);
  if (!place) return false;
  Free(Unlink(db, *table, key, place, change), reclaim);
  return true;
}

void Shard::Free(Entry* entry, Reclaim reclaim) {
  const bool large = entry->type() != ValueType::kString && TakesLongToFree(entry->object());
  if (lazy_free_ != nullptr &&
      (large || (reclaim == Reclaim::kBackground && LazyFree::IsWorthIt(*entry)))) {
    lazy_free_->Add(entry);
  } else {
    Entry::Destroy(entry);
  }
}

void Shard::FreeObject(const Object& object) {
  if (lazy_free_ == nullptr || !TakesLongToFree(object)) return Destroy(object);
  // What is freed in the background is an entry.
  lazy_free_->Add(Entry::Create({}, Entry::Value::OfObject(object), kNoExpiry, /*access=*/0));
}

Shard::Detached::~Detached() {
  if (entry_ != nullptr) Entry::Destroy(entry_);
}

std::unique_ptr<Shard::Detached> Shard::Clone(const Entry& entry) {
  Entry::Value value = entry.value();
  Blob* blob = nullptr;
  if (entry.IsBlob()) {
    blob = Share(entry);
    value = Entry::Value::OfBlob(blob, entry.rest()).With(value.freshness);
  }
  Object object;
  if (entry.type() != ValueType::kString) {
    object = larder::Clone(entry.object());
    value = Entry::Value::OfObject(object);
  }
  if (const TagStamp* tags = entry.tags()) value.freshness = tags->Clone().release()->Pack();
  Entry* copy = Entry::Create(entry.key(), value, entry.expiry(), entry.access());
  return std::unique_ptr<Detached>(new Detached(copy));
}

std::unique_ptr<Shard::Detached> Shard::Extract(int db, const HashedKey& key, Entry* entry) {
  Table& table = *TableOf(db);
  const Table::Place place = table.Find(key);
  LARDER_CHECK(place && place.entry() == entry);
  const bool pinned = IsPinned(db, key.text);
  Entry* taken = Unlink(db, table, key, place, KeyChange::kWritten);
  return std::unique_ptr<Detached>(new Detached(taken, pinned));
}

Entry* Shard::Attach(int db, const HashedKey& key, std::unique_ptr<Detached> value) {
  Entry* source = std::exchange(value->entry_, nullptr);
  Entry* entry = Put(db, key, source->value(), source->expiry());
  InheritAccess(*entry, source->access());
  Entry::DestroyShell(source);
  if (value->pinned_) Pin(db, key, std::numeric_limits<int64_t>::max());
  return entry;
}

// ---- Pinned keys

void Shard::NotePins(int64_t more) {
  if (more == 0) return;
  if (pinned_keys_ != nullptr) pinned_keys_->fetch_add(more, std::memory_order_relaxed);
  has_pins_ = !pins_->empty();
  if (!has_pins_) pins_.reset();
}

bool Shard::Pin(int db, const HashedKey& key, int64_t most) {
  Table& table = *TableOf(db);
  LARDER_DCHECK(table.Find(key));
  if (IsPinned(db, key.text)) return true;
  // Two threads that pin at once may both find the last room; that much the bound may be exceeded.
  if (pinned_keys_ != nullptr && pinned_keys_->load(std::memory_order_relaxed) >= most)
    return false;
  BeforeMutation(db, table, key.hash, key.text);
  if (pins_ == nullptr) pins_ = std::make_unique<PinnedKeys>();
  NotePins(static_cast<int64_t>(pins_->Insert(db, key.text)));
  return true;
}

bool Shard::Unpin(int db, const HashedKey& key) {
  if (!IsPinned(db, key.text)) return false;
  Table& table = *TableOf(db);
  BeforeMutation(db, table, key.hash, key.text);
  ForgetPin(db, key.text);
  TellInserted(key.hash, *table.Find(key).entry());
  return true;
}

void Shard::ForEachPinned(int db, absl::FunctionRef<void(const Entry&)> visit) const {
  if (!has_pins_) return;
  for (const std::string& name : pins_->names(db)) {
    visit(*TableOf(db)->Find(HashedKey::Of(name)).entry());
  }
}

void Shard::Flush(int db, Reclaim reclaim) {
  Table* table = TableOf(db);
  if (table == nullptr || table->bucket_count() == 0) return;
  if (access_bits_ == AccessBits::kQueues) {
    residents_->OnFlushed(*this, table->size(), table->volatile_size());
  }
  if (has_pins_) NotePins(-static_cast<int64_t>(pins_->Clear(db)));
  Table flushed = std::move(*table);
  if (db != 0) PlaceOf(db).reset();
  if (flushed.walk().pending) {
    flushed_.push_back(std::move(flushed));
  } else {
    Discard(std::move(flushed), reclaim);
  }
}

void Shard::Discard(Table&& table, Reclaim reclaim) {
  const bool small = table.bucket_count() <= kBucketsFreedInPlace;
  if (lazy_free_ == nullptr || (reclaim == Reclaim::kNow && small)) {
    Table(std::move(table)).Clear();
  } else {
    lazy_free_->Add(std::move(table));
  }
}

void Shard::SwapDatabases(int a, int b) {
  if (a == b) return;
  ++database_swaps_;
  if (has_pins_) pins_->Swap(a, b);
  if (a > b) std::swap(a, b);
  std::unique_ptr<Table>& second = PlaceOf(b);  // The higher one first: it makes places for both.
  if (a != 0) {
    std::swap(PlaceOf(a), second);
    return;
  }
  if (second == nullptr) second = std::make_unique<Table>();
  first_table_.Swap(*second);
  if (second->bucket_count() == 0) second.reset();
}

// ---- Growing and shrinking

void Shard::GrowIfNeeded(Table& table) {
  if (!table.WantsToGrow()) [[likely]]
    return table.PrefetchGrowth();
  if (table.walk().pending) HandOver(table, table.split_index());
  table.Grow();
}

void Shard::ShrinkIfNeeded(int db, Table& table, size_t& budget) {
  for (; budget > 0 && table.WantsToShrink(); --budget) {
    if (table.walk().pending) {
      HandOver(table, table.merge_index());
      HandOver(table, table.last_index());
    }
    table.Shrink();
  }
  if (table.size() == 0 && table.bucket_count() == 1) {
    table.Clear();
    if (db != 0) PlaceOf(db).reset();
  }
}

// ---- Expiry

void Shard::RemoveExpired(int db, Table& table, uint32_t index, Table::Place place, uint64_t hash) {
  Entry* entry = place.entry();
  BeforeMutation(db, table, hash, entry->key(), KeyChange::kExpired);
  TellErasing(*entry);
  ForgetPin(db, entry->key());
  table.Remove(index, place);
  if (observer_ != nullptr) observer_->OnKeyExpired(*this, db, entry->key());
  Free(entry, Reclaim::kBackground);
}

bool Shard::ExpireFieldsAt(int db, Table& table, uint32_t index, Table::Place place, UnixMillis now,
                           size_t& budget) {
  Entry* entry = place.entry();
  Hash hash(entry->object());
  if (hash.due_tick() > TickOf(now - 1)) return true;
  if (table.walk().pending) [[unlikely]]
    HandOver(table, index);
  const size_t bytes_before = AllocatedBytes(entry->object());
  budget = std::max<size_t>(budget, 1);  // So that every look makes progress.
  const size_t fields = hash.EraseExpired(now, budget);
  entry->SetObject(hash.object());
  table.AddBytes(entry->type(), static_cast<int64_t>(AllocatedBytes(entry->object())) -
                                    static_cast<int64_t>(bytes_before));
  if (fields == 0) return true;
  const bool emptied = hash.empty();
  if (observer_ != nullptr) {
    if ((hooks_ & kObserved) != 0) {
      observer_->OnKeyChanging(*this, db, entry->key(), KeyChange::kExpired);
    }
    observer_->OnFieldsExpired(*this, db, entry->key(), fields, emptied);
  }
  if (!emptied) return true;
  TellErasing(*entry);
  ForgetPin(db, entry->key());
  table.Remove(index, place);
  Free(entry, Reclaim::kBackground);
  return false;
}

Entry* Shard::ExpireFields(int db, const HashedKey& key, Entry* entry, UnixMillis now) {
  // Of a table: what a lookup can spare. The active cycle removes the rest.
  constexpr size_t kBucketsAtOnce = 16;
  if (!entry->has_timed_fields() || !MayRemoveExpired()) return entry;
  Table& table = *TableOf(db);
  const Table::Place place = table.Find(key);
  LARDER_DCHECK(place && place.entry() == entry);
  size_t budget = kBucketsAtOnce;
  if (ExpireFieldsAt(db, table, table.BucketIndex(key.hash), place, now, budget)) return entry;
  ShrinkAfterErase(db, table);
  return nullptr;
}

size_t Shard::ExpireBucket(int db, Table& table, uint32_t index, UnixMillis now, size_t& budget) {
  table.PrefetchEntries(index);
  size_t expired = 0;
  unsigned position = 0;
  while (const Table::Place place = table.PlaceAt(index, position)) {
    if (!place.entry()->ExpiredAt(now)) {
      const bool timed = place.entry()->has_timed_fields();
      if (!timed || ExpireFieldsAt(db, table, index, place, now, budget)) ++position;
      continue;
    }
    // The chain's last entry takes its position: look there again. Any hash of the bucket does.
    RemoveExpired(db, table, index, place, index);
    ++expired;
  }
  table.RefreshTick(index);
  return expired;
}

Shard::ExpireResult Shard::ExpireSome(UnixMillis now, size_t max_buckets) {
  ExpireResult result;
  if (HoldsExpired()) return result;
  const uint64_t tick = TickOf(now - 1);  // A key expires the millisecond after its expiry.
  size_t budget = max_buckets;
  for (int db = 0; db <= static_cast<int>(other_tables_.size()) && budget > 0; ++db) {
    Table* table = TableOf(db);
    if (table == nullptr) continue;
    if (table->HasDue(tick)) {
      uint32_t index;
      while ((index = table->NextDue(tick, budget)) != Table::kNone) {
        result.expired += ExpireBucket(db, *table, index, now, budget);
      }
      // What became due behind the walk. A bound of this very tick may be of a key that lives on
      // for some milliseconds, and waits for the next call.
      result.more |= tick > 0 && table->HasDue(tick - 1);
    }
    // Only now, since merging would move keys that are due behind the walk.
    if (budget > 0) ShrinkIfNeeded(db, *table, budget);
  }
  result.more |= budget == 0;
  return result;
}

// ---- Snapshot

void Shard::BeginSnapshot(SnapshotSink* sink) {
  LARDER_CHECK(sink_ == nullptr);
  sink_ = sink;
  epoch_ = (epoch_ + 1) & Bucket::kVersionMask;
  for (int db = 0; db <= static_cast<int>(other_tables_.size()); ++db) {
    if (Table* table = TableOf(db)) {
      // Once in 16 million snapshots: versions of the last round must not look like this one's.
      if (epoch_ == 0) table->ResetVersions(Bucket::kVersionMask);
      table->walk() = {.pending = table->size() != 0, .db = db, .next = 0};
    }
  }
  hooks_ |= kSnapshot;
}

void Shard::HandOver(Table& table, uint32_t index) {
  Bucket& bucket = table.bucket(index);
  if (bucket.version() == epoch_) return;
  bucket.set_version(epoch_);
  SnapshotSink& sink = *sink_;
  table.ForEachIn(index, [&](const Entry* entry) { sink.OnEntry(id_, table.walk().db, *entry); });
}

bool Shard::WalkTable(Table& table, size_t& budget) {
  Table::Walk& walk = table.walk();
  if (!walk.pending) return true;
  for (; walk.next < table.bucket_count(); ++walk.next) {
    if (budget == 0) return false;
    --budget;
    if (table.bucket(walk.next).version() == epoch_) continue;
    table.PrefetchEntries(walk.next);
    HandOver(table, walk.next);
  }
  walk.pending = false;
  return true;
}

bool Shard::StepSnapshot(size_t max_buckets) {
  size_t budget = max_buckets;
  // Flushed tables first: they hold memory that nobody wants any more.
  while (!flushed_.empty()) {
    if (!WalkTable(flushed_.back(), budget)) return false;
    Discard(std::move(flushed_.back()), Reclaim::kBackground);
    flushed_.pop_back();
  }
  for (int db = 0; db <= static_cast<int>(other_tables_.size()); ++db) {
    Table* table = TableOf(db);
    if (table != nullptr && !WalkTable(*table, budget)) return false;
  }
  return true;
}

void Shard::EndSnapshot() {
  for (Table& table : flushed_) Discard(std::move(table), Reclaim::kBackground);
  flushed_.clear();
  for (int db = 0; db <= static_cast<int>(other_tables_.size()); ++db) {
    if (Table* table = TableOf(db)) table->walk().pending = false;
  }
  sink_ = nullptr;
  hooks_ &= static_cast<uint8_t>(~kSnapshot);
}

// ---- The rest

void Shard::AddUsageTo(UsageByType& usage) const {
  for (int db = 0; db <= static_cast<int>(other_tables_.size()); ++db) {
    if (const Table* table = TableOf(db)) table->AddUsageTo(usage);
  }
}

size_t Shard::memory_bytes() const {
  size_t bytes = first_table_.bytes();
  for (const auto& table : other_tables_) {
    if (table != nullptr) bytes += SizeClass(sizeof(Table)) + table->bytes();
  }
  for (const Table& table : flushed_) bytes += table.bytes();
  return bytes;
}

void Shard::set_access_bits(AccessBits bits, ResidentListener* listener) {
  LARDER_DCHECK((listener != nullptr) == (bits == AccessBits::kQueues));
  access_bits_ = bits;
  residents_ = listener;
}

void Shard::InheritAccess(Entry& entry, uint32_t access) {
  constexpr uint32_t kListeners = 0xf;
  if (access_bits_ == AccessBits::kQueues) {
    access = (access & ~kListeners) | (entry.access() & kListeners);
  }
  entry.set_access(access);
}

void Shard::set_observed(bool observed) {
  hooks_ = static_cast<uint8_t>(observed ? hooks_ | kObserved : hooks_ & ~kObserved);
}

void Shard::set_lazy_expiry(bool enabled) { lazy_expiry_ = enabled; }

void Shard::CheckInvariants() const {
  for (int db = 0; db <= static_cast<int>(other_tables_.size()); ++db) {
    if (const Table* table = TableOf(db)) table->CheckInvariants();
    if (!has_pins_) continue;
    for (const std::string& name : pins_->names(db)) {
      LARDER_CHECK(TableOf(db)->Find(HashedKey::Of(name)));
    }
  }
  for (const Table& table : flushed_) table.CheckInvariants();
}

}  // namespace larder
