#include "storage/stream_node.h"

#include "base/check.h"

namespace larder {
namespace {

constexpr int64_t kDeleted = 1;
constexpr int64_t kSameFields = 2;

// Flags, ms and seq.
constexpr int64_t kEntryHead = 3;

}  // namespace

StreamNode StreamNode::Create(StreamId first_id, std::span<const std::string_view> fields) {
  Listpack entries = Listpack::Create();
  entries.Append(int64_t{0});
  entries.Append(int64_t{0});
  entries.Append(static_cast<int64_t>(fields.size() / 2));
  for (size_t i = 0; i < fields.size(); i += 2) entries.Append(fields[i]);
  entries.Append(int64_t{0});
  return {first_id, entries};
}

void StreamNode::Append(StreamId id, std::span<const std::string_view> fields) {
  const bool same_fields = HasMasterFields(fields);
  const auto pairs = static_cast<int64_t>(fields.size() / 2);
  entries_.Append(same_fields ? kSameFields : int64_t{0});
  entries_.Append(static_cast<int64_t>(id.ms - first_id_.ms));
  entries_.Append(static_cast<int64_t>(id.seq - first_id_.seq));
  if (same_fields) {
    for (size_t i = 1; i < fields.size(); i += 2) entries_.Append(fields[i]);
    entries_.Append(kEntryHead + pairs);
  } else {
    entries_.Append(pairs);
    for (const std::string_view part : fields) entries_.Append(part);
    entries_.Append(kEntryHead + 1 + 2 * pairs);
  }
  entries_.Replace(entries_.First(), live() + 1);
}

void StreamNode::MarkDeleted(StreamEntryView& entry) {
  LARDER_DCHECK(!entry.deleted);
  // As long as it was: nothing behind it moves.
  entries_.Replace(entry.flags, kDeleted | (entry.same_fields ? kSameFields : 0));
  entry.deleted = true;
}

void StreamNode::CountDeleted(int64_t count) {
  entries_.Replace(entries_.First(), live() - count);
  entries_.Replace(DeletedPosition(), deleted() + count);
}

void StreamNode::ForEachField(
    const StreamEntryView& entry,
    absl::FunctionRef<void(const ListpackValue& field, const ListpackValue& value)> visit) const {
  Listpack::Position field =
      entry.same_fields ? entries_.Next(MasterFieldCount()) : Listpack::kNone;
  Listpack::Position at = entry.values;
  for (uint32_t i = 0; i < entry.field_count; ++i) {
    if (entry.same_fields) {
      visit(entries_.At(field), entries_.At(at));
      field = entries_.Next(field);
    } else {
      const Listpack::Position value = entries_.Next(at);
      visit(entries_.At(at), entries_.At(value));
      at = value;
    }
    at = entries_.Next(at);
  }
}

bool StreamNode::First(StreamEntryView& entry) const {
  const Listpack::Position count = MasterFieldCount();
  entry.master_field_count = static_cast<uint32_t>(entries_.At(count).integer);
  Listpack::Position at = entries_.Next(count);
  for (uint32_t i = 0; i < entry.master_field_count; ++i) at = entries_.Next(at);
  return Read(entries_.Next(at), entry);  // Past the zero.
}

bool StreamNode::Last(StreamEntryView& entry) const {
  entry.master_field_count = static_cast<uint32_t>(entries_.At(MasterFieldCount()).integer);
  return ReadBefore(Listpack::kNone, entry);
}

Listpack::Position StreamNode::EndOf(const StreamEntryView& entry) const {
  Listpack::Position at = entry.values;
  const uint32_t parts = entry.same_fields ? entry.field_count : 2 * entry.field_count;
  for (uint32_t i = 0; i < parts; ++i) at = entries_.Next(at);
  return entries_.Next(at);  // Past the number of elements.
}

bool StreamNode::Read(Listpack::Position flags, StreamEntryView& entry) const {
  if (flags == Listpack::kNone) return false;
  const int64_t bits = entries_.At(flags).integer;
  Listpack::Position at = entries_.Next(flags);
  entry.id.ms = first_id_.ms + static_cast<uint64_t>(entries_.At(at).integer);
  at = entries_.Next(at);
  entry.id.seq = first_id_.seq + static_cast<uint64_t>(entries_.At(at).integer);
  at = entries_.Next(at);
  entry.flags = flags;
  entry.deleted = (bits & kDeleted) != 0;
  entry.same_fields = (bits & kSameFields) != 0;
  if (entry.same_fields) {
    entry.field_count = entry.master_field_count;
  } else {
    entry.field_count = static_cast<uint32_t>(entries_.At(at).integer);
    at = entries_.Next(at);
  }
  entry.values = at;
  return true;
}

bool StreamNode::ReadBefore(Listpack::Position position, StreamEntryView& entry) const {
  Listpack::Position at =
      position == Listpack::kNone ? entries_.Last() : entries_.Previous(position);
  // In the master's place stands 0.
  const int64_t elements = entries_.At(at).integer;
  if (elements == 0) return false;
  for (int64_t i = 0; i < elements; ++i) at = entries_.Previous(at);
  return Read(at, entry);
}

bool StreamNode::HasMasterFields(std::span<const std::string_view> fields) const {
  const Listpack::Position count = MasterFieldCount();
  if (entries_.At(count).integer != static_cast<int64_t>(fields.size() / 2)) return false;
  Listpack::Position at = entries_.Next(count);
  for (size_t i = 0; i < fields.size(); i += 2) {
    if (!entries_.Equals(at, fields[i])) return false;
    at = entries_.Next(at);
  }
  return true;
}

namespace {

// Takes the elements of a node one after the other, and says whether each is what must come next.
class LayoutChecker {
 public:
  bool Take(const ListpackValue& value) {
    switch (next_) {
      case Next::kLive:
        return TakeCount(value, live_, Next::kErased);
      case Next::kErased:
        return TakeCount(value, deleted_, Next::kFieldCount);
      case Next::kFieldCount:
        return TakeCount(value, master_fields_, Next::kFields) && Expect(master_fields_);
      case Next::kFields:
        return TakePart(Next::kMasterEnd);
      case Next::kMasterEnd:
        next_ = Next::kFlags;
        return value.is_integer && value.integer == 0;
      case Next::kFlags:
        return TakeFlags(value);
      case Next::kMs:
        next_ = Next::kSeq;
        return value.is_integer;
      case Next::kSeq:
        return TakeSeq(value);
      case Next::kOwnFieldCount: {
        int64_t fields = 0;
        elements_ = kEntryHead + 1;
        return TakeCount(value, fields, Next::kParts) && Expect(2 * fields);
      }
      case Next::kParts:
        return TakePart(Next::kElements);
      case Next::kElements:
        next_ = Next::kFlags;
        return value.is_integer && value.integer == elements_;
    }
    return false;
  }

  bool IsComplete() const {
    return next_ == Next::kFlags && live_found_ == live_ && deleted_found_ == deleted_;
  }

 private:
  enum class Next : uint8_t {
    kLive,
    kErased,
    kFieldCount,
    kFields,
    kMasterEnd,  // The master.
    kFlags,
    kMs,
    kSeq,
    kOwnFieldCount,
    kParts,
    kElements,
  };
  // More than a listpack can have elements.
  static constexpr int64_t kMaxCount = int64_t{1} << 31;

  bool TakeCount(const ListpackValue& value, int64_t& count, Next next) {
    next_ = next;
    count = value.integer;
    return value.is_integer && count >= 0 && count < kMaxCount;
  }
  // So many parts follow; none: go on behind them.
  bool Expect(int64_t parts) {
    parts_left_ = parts;
    elements_ += parts;
    if (parts == 0) next_ = next_ == Next::kFields ? Next::kMasterEnd : Next::kElements;
    return true;
  }
  bool TakePart(Next next) {
    if (--parts_left_ == 0) next_ = next;
    return true;
  }
  bool TakeFlags(const ListpackValue& value) {
    next_ = Next::kMs;
    if (!value.is_integer || value.integer < 0 || value.integer > (kDeleted | kSameFields)) {
      return false;
    }
    same_fields_ = (value.integer & kSameFields) != 0;
    ++((value.integer & kDeleted) != 0 ? deleted_found_ : live_found_);
    return true;
  }
  bool TakeSeq(const ListpackValue& value) {
    if (!value.is_integer) return false;
    next_ = same_fields_ ? Next::kParts : Next::kOwnFieldCount;
    elements_ = kEntryHead;
    return !same_fields_ || Expect(master_fields_);
  }

  Next next_ = Next::kLive;
  bool same_fields_ = false;
  int64_t live_ = 0;
  int64_t deleted_ = 0;
  int64_t live_found_ = 0;
  int64_t deleted_found_ = 0;
  int64_t master_fields_ = 0;
  int64_t parts_left_ = 0;
  int64_t elements_ = 0;  // Of the entry, as its last element has to say.
};

}  // namespace

bool StreamNode::Validate(std::string_view bytes) {
  LayoutChecker layout;
  const auto take = [&layout](const ListpackValue& value) { return layout.Take(value); };
  return Listpack::Validate(bytes, take) && layout.IsComplete();
}

}  // namespace larder
