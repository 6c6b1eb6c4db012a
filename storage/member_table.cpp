#include "storage/member_table.h"

#include "base/blob.h"
#include "base/check.h"

namespace larder {

Entry* MemberTable::Insert(const HashedKey& member, const Entry::Value& value, UnixMillis expiry) {
  table_.Prepare(/*version=*/0);
  Entry* entry = Entry::Create(member.text, value, expiry, /*access=*/0);
  table_.Insert(member.hash, entry);
  if (table_.WantsToGrow()) {
    table_.Grow();
  } else {
    table_.PrefetchGrowth();
  }
  return entry;
}

Entry* MemberTable::Assign(Entry* entry, const Entry::Value& value, UnixMillis expiry) {
  const Table::Counted before(*entry);
  // The old blob goes last: the new value may be a view of it.
  const BlobRef old_blob = entry->IsBlob() ? BlobRef::Adopt(entry->blob()) : BlobRef();
  const void* const old_address = entry;
  entry = Entry::Rewrite(entry, value, expiry);
  if (entry == old_address && !before.has_expiry && expiry == kNoExpiry) {
    // Where it was, in a class of the same size: only what it points to may count differently.
    table_.AddBytes(before.type, static_cast<int64_t>(entry->allocated_bytes()) -
                                     static_cast<int64_t>(before.bytes));
    return entry;
  }
  const uint64_t hash = HashKeyText(entry->key());
  const Table::Place place = table_.PlaceOf(hash, old_address);
  LARDER_CHECK(place);
  table_.Update(hash, place, entry, before);
  return entry;
}

bool MemberTable::Erase(const HashedKey& member) {
  Entry* entry = Extract(member);
  if (entry == nullptr) return false;
  Entry::Destroy(entry);
  return true;
}

Entry* MemberTable::Extract(const HashedKey& member) {
  const Table::Place place = table_.Find(member);
  return place ? Remove(table_.BucketIndex(member.hash), place) : nullptr;
}

Entry* MemberTable::ExtractRandom(Random& random) {
  uint32_t index = 0;
  const Table::Place place = table_.RandomPlace(random, index);
  return Remove(index, place);
}

Entry* MemberTable::Remove(uint32_t index, Table::Place place) {
  Entry* entry = table_.Remove(index, place);
  if (table_.WantsToShrink()) table_.Shrink();
  return entry;
}

void MemberTable::Reserve(size_t members) {
  table_.Prepare(/*version=*/0);
  table_.Reserve(members);
}

void MemberTable::ForEach(absl::FunctionRef<bool(Entry&)> visit) const {
  bool go_on = true;
  for (uint32_t index = 0, end = table_.bucket_count(); index < end && go_on; ++index) {
    if (index + 1 < end) table_.PrefetchEntries(index + 1);
    table_.ForEachIn(index, [&](Entry* entry) { go_on = go_on && visit(*entry); });
  }
}

}  // namespace larder
