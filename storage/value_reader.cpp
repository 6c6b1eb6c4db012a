#include "storage/value_reader.h"

#include <cmath>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "base/text.h"
#include "storage/hash.h"
#include "storage/intset.h"
#include "storage/list.h"
#include "storage/listpack.h"
#include "storage/old_encodings.h"
#include "storage/serial_format.h"
#include "storage/set.h"
#include "storage/sorted_set.h"
#include "storage/stream.h"

namespace larder {
namespace {

constexpr std::string_view kEmpty = "a collection without elements";
constexpr std::string_view kTwice = "an element that is there twice";
constexpr std::string_view kBadListpack = "a corrupt listpack";
constexpr std::string_view kBadZiplist = "a corrupt ziplist";

// Field times beyond this are none that anybody could have set.
constexpr uint64_t kMaxFieldExpiry = (uint64_t{1} << 48) - 2;

// A collection while it is built; freed unless it is taken.
template <typename T>
class Building {
 public:
  Building() : value_(T::Create()) {}
  ~Building() {
    if (!taken_) Destroy(value_.object());
  }
  Building(const Building&) = delete;
  Building& operator=(const Building&) = delete;

  T* operator->() { return &value_; }
  T& operator*() { return value_; }
  LooseValue Take() {
    taken_ = true;
    return LooseValue(value_.object());
  }

 private:
  T value_;
  bool taken_ = false;
};

bool AddField(Hash& hash, std::string_view name, std::string_view value, UnixMillis expiry,
              const EncodingLimits& limits) {
  // At the beginning of time no field has expired, so that none replaces another unnoticed.
  return hash.Set(name, value, {.now = Hash::kBeforeAllTime, .limits = limits, .expiry = expiry});
}

bool AddMember(SortedSet& sorted_set, std::string_view member, double score,
               const EncodingLimits& limits) {
  if (std::isnan(score)) return false;
  return sorted_set.Add(member, score, {}, limits).outcome == AddOutcome::kAdded;
}

bool IsSetListpack(std::string_view bytes) {
  absl::flat_hash_set<std::string, TextHash, TextEqual> members;
  return Listpack::Validate(
      bytes, [&](const ListpackValue& value) { return members.insert(value.Text()).second; });
}

// The elements of a ziplist; nothing if it is corrupt. The caller frees it.
std::optional<Listpack> ListpackOfZiplist(std::string_view ziplist) {
  Listpack listpack = Listpack::Create();
  const bool whole = ReadZiplist(ziplist, [&](const ListpackValue& value) {
    listpack.Append(value);
    return true;
  });
  if (whole) return listpack;
  listpack.Free();
  return std::nullopt;
}

std::optional<double> ScoreIn(const ListpackValue& value) {
  if (value.is_integer) return static_cast<double>(value.integer);
  return ParseDouble(value.text);
}

// Whether the scores in a listpack of members and scores are numbers, and the pairs in order.
bool PairsAscend(Listpack pairs) {
  std::string last_member;
  std::optional<double> last_score;
  for (auto at = pairs.First(); at != Listpack::kNone; at = pairs.Next(at)) {
    std::string member = pairs.At(at).Text();
    at = pairs.Next(at);
    const std::optional<double> score = ScoreIn(pairs.At(at));
    if (!score) return false;
    const bool ascends =
        !last_score || *last_score < *score || (*last_score == *score && last_member < member);
    if (!ascends) return false;
    last_member = std::move(member);
    last_score = score;
  }
  return true;
}

uint64_t FromBigEndian(const char* bytes) {
  uint64_t number = 0;
  for (unsigned i = 0; i < 8; ++i) number = number << 8 | static_cast<uint8_t>(bytes[i]);
  return number;
}

StreamId IdIn(const char* bytes) { return {FromBigEndian(bytes), FromBigEndian(bytes + 8)}; }

// Whether the entries of a node, deleted ones included, follow one another and `last`, which
// becomes the ID of the last one; and some are alive, for without them a node is removed.
bool EntriesAscend(const StreamNode& node, StreamId first_id, std::optional<StreamId>& last) {
  StreamEntryView entry;
  for (bool there = node.First(entry); there; there = node.Next(entry)) {
    if (entry.id < first_id || (last && entry.id <= *last)) return false;
    last = entry.id;
  }
  return node.live() > 0;
}

}  // namespace

std::optional<LooseValue> ValueReader::Read(uint8_t type) {
  switch (type) {
    case serial::kString:
      return ReadString();
    case serial::kList:
      return ReadList();
    case serial::kListZiplist:
      return ReadListZiplist();
    case serial::kListQuicklist:
      return ReadQuicklist(/*with_containers=*/false);
    case serial::kListQuicklist2:
      return ReadQuicklist(/*with_containers=*/true);
    case serial::kSet:
      return ReadSet();
    case serial::kSetIntset:
      return ReadIntset();
    case serial::kSetListpack:
      return ReadSetListpack();
    case serial::kZSet:
      return ReadSortedSet(/*binary_scores=*/false);
    case serial::kZSet2:
      return ReadSortedSet(/*binary_scores=*/true);
    case serial::kZSetZiplist:
      return ReadSortedSetZiplist();
    case serial::kZSetListpack:
      return ReadSortedSetListpack();
    case serial::kHash:
      return ReadHash();
    case serial::kHashZipmap:
      return ReadHashZipmap();
    case serial::kHashZiplist:
      return ReadHashZiplist();
    case serial::kHashListpack:
      return ReadHashListpack(/*timed=*/false, /*with_earliest=*/false);
    case serial::kTimedHashEarly:
      return ReadTimedHash(/*from_earliest=*/false);
    case serial::kTimedHash:
      return ReadTimedHash(/*from_earliest=*/true);
    case serial::kTimedHashListpackEarly:
      return ReadHashListpack(/*timed=*/true, /*with_earliest=*/false);
    case serial::kTimedHashListpack:
      return ReadHashListpack(/*timed=*/true, /*with_earliest=*/true);
    case serial::kStreamListpacks:
      return ReadStream(1);
    case serial::kStreamListpacks2:
      return ReadStream(2);
    case serial::kStreamListpacks3:
      return ReadStream(3);
    default:
      return Fail("no such type");
  }
}

std::optional<LooseValue> ValueReader::ReadString() {
  std::string text;
  if (!reader_.String(text)) return std::nullopt;
  return LooseValue(std::move(text));
}

// ---- Lists

std::optional<LooseValue> ValueReader::ReadList() {
  uint64_t count = 0;
  if (!reader_.Count(count, 1)) return std::nullopt;
  if (count == 0) return Fail(kEmpty);
  const ListPacking packing = ListPacking::Of(limits_);
  Building<List> list;
  for (; count > 0; --count) {
    if (!reader_.String(text_)) return std::nullopt;
    list->Push(ListEnd::kTail, text_, packing);
  }
  return list.Take();
}

std::optional<LooseValue> ValueReader::ReadListZiplist() {
  if (!reader_.String(text_)) return std::nullopt;
  const ListPacking packing = ListPacking::Of(limits_);
  Building<List> list;
  const bool whole = ReadZiplist(text_, [&](const ListpackValue& value) {
    list->Push(ListEnd::kTail, value, packing);
    return true;
  });
  if (!whole) return Fail(kBadZiplist);
  if (list->empty()) return Fail(kEmpty);
  return list.Take();
}

std::optional<LooseValue> ValueReader::ReadQuicklist(bool with_containers) {
  uint64_t nodes = 0;
  if (!reader_.Count(nodes, 1)) return std::nullopt;
  const ListPacking packing = ListPacking::Of(limits_);
  Building<List> list;
  for (; nodes > 0; --nodes) {
    uint64_t container = serial::kPackedNode;
    if (with_containers && !reader_.Length(container)) return std::nullopt;
    if (!reader_.String(text_)) return std::nullopt;
    if (container == serial::kPlainNode) {
      if (text_.empty()) return Fail("a large element that is empty");
      list->AppendPlain(text_, packing);
      continue;
    }
    if (container != serial::kPackedNode) return Fail("no such kind of node");
    std::optional<Listpack> node;
    if (!with_containers) {
      node = ListpackOfZiplist(text_);
    } else if (Listpack::Validate(text_)) {
      node = Listpack::CopyOf(text_);
    }
    if (!node) return Fail(with_containers ? kBadListpack : kBadZiplist);
    // Redis has written empty nodes at times; without them the list is the same.
    node->empty() ? node->Free() : list->AppendListpack(*node, packing);
  }
  if (list->empty()) return Fail(kEmpty);
  return list.Take();
}

// ---- Sets

std::optional<LooseValue> ValueReader::ReadSet() {
  uint64_t count = 0;
  if (!reader_.Count(count, 1)) return std::nullopt;
  if (count == 0) return Fail(kEmpty);
  Building<Set> set;
  for (; count > 0; --count) {
    if (!reader_.String(text_)) return std::nullopt;
    if (!set->Add(text_, limits_)) return Fail(kTwice);
  }
  return set.Take();
}

std::optional<LooseValue> ValueReader::ReadIntset() {
  if (!reader_.String(text_)) return std::nullopt;
  if (!Intset::Validate(text_)) return Fail("a corrupt intset");
  return LooseValue(Set::Adopt(Intset::CopyOf(text_), limits_).object());
}

std::optional<LooseValue> ValueReader::ReadSetListpack() {
  if (!reader_.String(text_)) return std::nullopt;
  if (!IsSetListpack(text_)) return Fail(kBadListpack);
  Listpack members = Listpack::CopyOf(text_);
  if (members.empty()) {
    members.Free();
    return Fail(kEmpty);
  }
  return LooseValue(Set::Adopt(members, limits_).object());
}

// ---- Sorted sets

std::optional<LooseValue> ValueReader::ReadSortedSet(bool binary_scores) {
  uint64_t count = 0;
  if (!reader_.Count(count, 2)) return std::nullopt;
  if (count == 0) return Fail(kEmpty);
  Building<SortedSet> sorted_set;
  for (; count > 0; --count) {
    double score = 0;
    if (!reader_.String(text_)) return std::nullopt;
    if (!(binary_scores ? reader_.BinaryDouble(score) : reader_.TextDouble(score))) {
      return std::nullopt;
    }
    if (!AddMember(*sorted_set, text_, score, limits_)) return Fail(kTwice);
  }
  return sorted_set.Take();
}

std::optional<LooseValue> ValueReader::ReadSortedSetZiplist() {
  if (!reader_.String(text_)) return std::nullopt;
  const std::optional<Listpack> pairs = ListpackOfZiplist(text_);
  if (!pairs) return Fail(kBadZiplist);
  return AdoptSortedSet(*pairs);
}

std::optional<LooseValue> ValueReader::ReadSortedSetListpack() {
  if (!reader_.String(text_)) return std::nullopt;
  if (!Listpack::Validate(text_)) return Fail(kBadListpack);
  return AdoptSortedSet(Listpack::CopyOf(text_));
}

std::optional<LooseValue> ValueReader::AdoptSortedSet(Listpack pairs) {
  if (!pairs.empty() && SortedSet::IsValid(pairs.bytes()) && PairsAscend(pairs)) {
    return LooseValue(SortedSet::Adopt(pairs, limits_).object());
  }
  pairs.Free();
  return Fail("a listpack that is no sorted set");
}

// ---- Hashes

std::optional<LooseValue> ValueReader::ReadHash() {
  uint64_t count = 0;
  if (!reader_.Count(count, 2)) return std::nullopt;
  if (count == 0) return Fail(kEmpty);
  Building<Hash> hash;
  std::string name;
  for (; count > 0; --count) {
    if (!reader_.String(name) || !reader_.String(text_)) return std::nullopt;
    if (!AddField(*hash, name, text_, kNoExpiry, limits_)) return Fail(kTwice);
  }
  return hash.Take();
}

std::optional<LooseValue> ValueReader::ReadTimedHash(bool from_earliest) {
  int64_t earliest = 0;
  uint64_t count = 0;
  if (from_earliest && !reader_.Milliseconds(earliest)) return std::nullopt;
  if (earliest < 0 || static_cast<uint64_t>(earliest) > kMaxFieldExpiry) {
    return Fail("no such time");
  }
  if (!reader_.Count(count, 3)) return std::nullopt;
  if (count == 0) return Fail(kEmpty);
  // The earliest one is written as 1, for 0 says that there is none.
  const uint64_t base = from_earliest ? static_cast<uint64_t>(earliest) - 1 : 0;
  Building<Hash> hash;
  std::string name;
  for (; count > 0; --count) {
    uint64_t time = 0;
    if (!reader_.Length(time) || !reader_.String(name) || !reader_.String(text_)) {
      return std::nullopt;
    }
    UnixMillis expiry = kNoExpiry;
    if (time != 0) {
      if (time > kMaxFieldExpiry || base + time > kMaxFieldExpiry) return Fail("no such time");
      expiry = static_cast<UnixMillis>(base + time);
    }
    if (!AddField(*hash, name, text_, expiry, limits_)) return Fail(kTwice);
  }
  return hash.Take();
}

std::optional<LooseValue> ValueReader::ReadHashZipmap() {
  if (!reader_.String(text_)) return std::nullopt;
  Building<Hash> hash;
  const bool whole = ReadZipmap(text_, [&](std::string_view name, std::string_view value) {
    return AddField(*hash, name, value, kNoExpiry, limits_);
  });
  if (!whole) return Fail("a corrupt zipmap");
  if (hash->empty()) return Fail(kEmpty);
  return hash.Take();
}

std::optional<LooseValue> ValueReader::ReadHashZiplist() {
  if (!reader_.String(text_)) return std::nullopt;
  const std::optional<Listpack> fields = ListpackOfZiplist(text_);
  if (!fields) return Fail(kBadZiplist);
  return AdoptHash(*fields, /*timed=*/false);
}

std::optional<LooseValue> ValueReader::ReadHashListpack(bool timed, bool with_earliest) {
  int64_t earliest = 0;  // The listpack says it as well.
  if (with_earliest && !reader_.Milliseconds(earliest)) return std::nullopt;
  if (!reader_.String(text_)) return std::nullopt;
  if (!Listpack::Validate(text_)) return Fail(kBadListpack);
  return AdoptHash(Listpack::CopyOf(text_), timed);
}

std::optional<LooseValue> ValueReader::AdoptHash(Listpack fields, bool timed) {
  if (!fields.empty() && IsHashListpack(fields.bytes(), timed)) {
    return LooseValue(Hash::Adopt(fields, timed, limits_).object());
  }
  fields.Free();
  return Fail("a listpack that is no hash");
}

// ---- Streams

bool ValueReader::ReadId(StreamId& id) { return reader_.Length(id.ms) && reader_.Length(id.seq); }

bool ValueReader::ReadRawId(StreamId& id) {
  char bytes[sizeof(StreamId)];
  if (!reader_.Raw(bytes, sizeof(bytes))) return false;
  id = IdIn(bytes);
  return true;
}

bool ValueReader::ReadStreamNodes(Stream& stream) {
  uint64_t nodes = 0;
  if (!reader_.Count(nodes, 2)) return false;
  std::optional<StreamId> last;
  for (; nodes > 0; --nodes) {
    if (!reader_.String(text_)) return false;
    if (text_.size() != sizeof(StreamId)) return reader_.Fail("a stream node without an ID");
    const StreamId first_id = IdIn(text_.data());
    if (last && first_id <= *last) return reader_.Fail("stream nodes that are not in order");
    if (!reader_.String(text_)) return false;
    if (!StreamNode::Validate(text_)) return reader_.Fail("a corrupt stream node");
    Listpack entries = Listpack::CopyOf(text_);
    if (!EntriesAscend(StreamNode(first_id, entries), first_id, last)) {
      entries.Free();
      return reader_.Fail("a corrupt stream node");
    }
    stream.AdoptNode(first_id, entries);
  }
  return true;
}

bool ValueReader::ReadStreamFigures(Stream& stream, int version) {
  uint64_t length = 0;
  StreamId last_id;
  if (!reader_.Length(length) || !ReadId(last_id)) return false;
  if (length != stream.size()) return reader_.Fail("a stream with another number of entries");
  StreamId first;
  StreamCursor forward(stream, StreamId::Min(), StreamId::Max());
  if (forward.Next()) first = forward.id();
  StreamCursor backward(stream, StreamId::Min(), StreamId::Max(), StreamCursor::Order::kBackward);
  if (backward.Next() && last_id < backward.id()) return reader_.Fail("a stream with a wrong ID");

  StreamId first_id;
  StreamId max_deleted_id;
  uint64_t entries_added = length;
  if (version >= 2 &&
      !(ReadId(first_id) && ReadId(max_deleted_id) && reader_.Length(entries_added))) {
    return false;
  }
  stream.set_last_id(last_id);
  stream.set_first_id(first);
  stream.set_max_deleted_id(max_deleted_id);
  stream.set_entries_added(entries_added);
  return true;
}

bool ValueReader::ReadGroupPending(StreamGroup& group) {
  uint64_t pending = 0;
  if (!reader_.Count(pending, sizeof(StreamId))) return false;
  for (; pending > 0; --pending) {
    StreamId id;
    PendingEntry delivery;  // Whose it is, the consumers will say.
    if (!ReadRawId(id) || !reader_.Milliseconds(delivery.delivered_at) ||
        !reader_.Length(delivery.deliveries)) {
      return false;
    }
    if (group.FindPending(id) != nullptr) return reader_.Fail(kTwice);
    group.Deliver(id, delivery);
  }
  return true;
}

bool ValueReader::ReadConsumer(StreamGroup& group, int version) {
  UnixMillis seen_time = 0;
  UnixMillis active_time = 0;
  uint64_t pending = 0;
  if (!reader_.String(text_) || !reader_.Milliseconds(seen_time)) return false;
  if (version >= 3 && !reader_.Milliseconds(active_time)) return false;
  if (group.FindConsumer(text_) != nullptr) return reader_.Fail(kTwice);
  StreamConsumer& consumer = group.AddConsumer(text_, seen_time);
  if (!reader_.Count(pending, sizeof(StreamId))) return false;
  for (; pending > 0; --pending) {
    StreamId id;
    if (!ReadRawId(id)) return false;
    const PendingEntry* const found = group.FindPending(id);
    if (found == nullptr || found->consumer != nullptr) {
      return reader_.Fail("a pending entry that is not the consumer's");
    }
    PendingEntry delivery = *found;
    delivery.consumer = &consumer;
    group.Deliver(id, delivery);
  }
  return true;
}

bool ValueReader::ReadGroup(Stream& stream, int version) {
  StreamId last_id;
  if (!reader_.String(text_) || !ReadId(last_id)) return false;
  int64_t entries_read = stream.CountUpTo(last_id);
  if (version >= 2) {
    uint64_t stored = 0;
    if (!reader_.Length(stored)) return false;
    entries_read = static_cast<int64_t>(stored);
  }
  if (entries_read < StreamGroup::kUnknownRead) return reader_.Fail("a negative number of entries");
  if (stream.FindGroup(text_) != nullptr) return reader_.Fail(kTwice);
  StreamGroup& group = stream.AddGroup(text_, last_id, entries_read);
  if (!ReadGroupPending(group)) return false;
  uint64_t consumers = 0;
  if (!reader_.Count(consumers, 10)) return false;
  for (; consumers > 0; --consumers) {
    if (!ReadConsumer(group, version)) return false;
  }
  return true;
}

std::optional<LooseValue> ValueReader::ReadStream(int version) {
  Building<Stream> stream;
  uint64_t groups = 0;
  if (!ReadStreamNodes(*stream) || !ReadStreamFigures(*stream, version) ||
      !reader_.Count(groups, 5)) {
    return std::nullopt;
  }
  for (; groups > 0; --groups) {
    if (!ReadGroup(*stream, version)) return std::nullopt;
  }
  return stream.Take();
}

}  // namespace larder
