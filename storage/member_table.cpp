#include "storage/member_table.h"

#include "base/blob.h"
#include "base/check.h"

namespace larder {
namespace {

// Members are found by their hash alone; a slot means nothing here.
HashedKey HashedMember(std::string_view member) {
  return {.text = member, .hash = HashKeyText(member)};
}

}  // namespace

Entry* MemberTable::Find(std::string_view member) const {
  if (table_.size() == 0) return nullptr;
  const Table::Place place = table_.Find(HashedMember(member));
  return place ? place.entry() : nullptr;
}

Entry* MemberTable::Insert(std::string_view member, const Entry::Value& value, UnixMillis expiry) {
  table_.Prepare(/*version=*/0);
  Entry* entry = Entry::Create(member, value, expiry, /*access=*/0);
  table_.Insert(HashKeyText(member), entry);
  if (table_.WantsToGrow()) table_.Grow();
  return entry;
}

Entry* MemberTable::Assign(Entry* entry, const Entry::Value& value, UnixMillis expiry) {
  const HashedKey member = HashedMember(entry->key());
  const Table::Place place = table_.Find(member);
  LARDER_DCHECK(place && place.entry() == entry);
  const size_t old_bytes = entry->allocated_bytes();
  const bool had_expiry = entry->has_expiry();
  // The old blob goes last: the new value may be a view of it.
  const BlobRef old_blob = entry->IsBlob() ? BlobRef::Adopt(entry->blob()) : BlobRef();
  entry = Entry::Rewrite(entry, value, expiry);
  table_.Update(member.hash, place, entry, old_bytes, had_expiry);
  return entry;
}

bool MemberTable::Erase(std::string_view member) {
  Entry* entry = Extract(member);
  if (entry == nullptr) return false;
  Entry::Destroy(entry);
  return true;
}

Entry* MemberTable::Extract(std::string_view member) {
  if (table_.size() == 0) return nullptr;
  const HashedKey hashed = HashedMember(member);
  const Table::Place place = table_.Find(hashed);
  if (!place) return nullptr;
  Entry* entry = table_.Remove(table_.BucketIndex(hashed.hash), place);
  if (table_.WantsToShrink()) table_.Shrink();
  return entry;
}

uint64_t MemberTable::Scan(uint64_t cursor, absl::FunctionRef<void(Entry&)> visit) const {
  return table_.bucket_count() == 0 ? 0 : table_.Scan(cursor, visit);
}

void MemberTable::ForEach(absl::FunctionRef<bool(Entry&)> visit) const {
  for (uint32_t index = 0; index < table_.bucket_count(); ++index) {
    bool go_on = true;
    table_.ForEachIn(index, [&](Entry* entry) { go_on = go_on && visit(*entry); });
    if (!go_on) return;
  }
}

}  // namespace larder
