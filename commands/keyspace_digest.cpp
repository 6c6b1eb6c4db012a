#include "commands/keyspace_digest.h"

#include <algorithm>
#include <arpa/inet.h>

#include "base/check.h"
#include "base/numbers.h"
#include "storage/entry.h"
#include "storage/hash.h"
#include "storage/list.h"
#include "storage/set.h"
#include "storage/sorted_set.h"
#include "storage/stream.h"
#include <openssl/evp.h>

namespace larder {
namespace {

std::array<uint8_t, 20> Sha1(const void* data, size_t size) {
  std::array<uint8_t, 20> hash{};
  LARDER_CHECK(EVP_Digest(data, size, hash.data(), nullptr, EVP_sha1(), nullptr) == 1);
  return hash;
}

}  // namespace

KeyspaceDigest KeyspaceDigest::OfValue(const Entry& entry) {
  KeyspaceDigest digest;
  digest.AddValue(entry);
  return digest;
}

void KeyspaceDigest::AddKey(const Entry& entry) {
  KeyspaceDigest digest;
  digest.Mix(entry.key());
  digest.AddValue(entry);
  XorHash({reinterpret_cast<const char*>(digest.bytes_.data()), kBytes});
}

void KeyspaceDigest::Xor(const KeyspaceDigest& other) {
  for (size_t i = 0; i < kBytes; ++i) bytes_[i] ^= other.bytes_[i];
}

void KeyspaceDigest::MixNumber(uint32_t number) {
  const uint32_t in_network_order = htonl(number);
  Mix({reinterpret_cast<const char*>(&in_network_order), sizeof(in_network_order)});
}

std::string KeyspaceDigest::Hex() const {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : bytes_) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

void KeyspaceDigest::XorHash(std::string_view bytes) {
  const std::array<uint8_t, kBytes> hash = Sha1(bytes.data(), bytes.size());
  for (size_t i = 0; i < kBytes; ++i) bytes_[i] ^= hash[i];
}

void KeyspaceDigest::Mix(std::string_view bytes) {
  XorHash(bytes);
  bytes_ = Sha1(bytes_.data(), kBytes);
}

void KeyspaceDigest::AddList(const Entry& entry) {
  List(entry.object()).ForEach(ListEnd::kHead, 0, [this](const ListpackValue& value) {
    char digits[kMaxIntegerText];
    Mix(value.View(digits));
    return true;
  });
}

void KeyspaceDigest::AddSet(const Entry& entry) {
  Set(entry.object()).ForEach([this](const SetMember& member) {
    char digits[kMaxIntegerText];
    XorHash(member.View(digits));
    return true;
  });
}

// The digests of fields are combined like those of keys, for they have no order either.
void KeyspaceDigest::AddHash(const Entry& entry) {
  Hash(entry.object()).ForEach(Hash::kBeforeAllTime, [this](const HashField& field) {
    char digits[kMaxIntegerText];
    KeyspaceDigest digest;
    digest.Mix(field.name.View(digits));
    digest.Mix(field.value.View(digits));
    if (field.expiry != kNoExpiry) digest.XorHash("!!hexpire!!");
    XorHash({reinterpret_cast<const char*>(digest.bytes_.data()), kBytes});
    return true;
  });
}

void KeyspaceDigest::AddSortedSet(const Entry& entry) {
  SortedSet(entry.object()).ForEach([this](std::string_view member, double score) {
    char text[kMaxDoubleText];
    KeyspaceDigest digest;
    digest.Mix(member);
    digest.Mix({text, FormatDouble(score, text)});
    XorHash({reinterpret_cast<const char*>(digest.bytes_.data()), kBytes});
  });
}

// Entries have an order. Redis spells their IDs with a point here, and leaves the groups out.
void KeyspaceDigest::AddStream(const Entry& entry) {
  StreamCursor cursor(Stream(entry.object()), StreamId::Min(), StreamId::Max());
  while (cursor.Next()) {
    char id[StreamId::kMaxText];
    const size_t size = cursor.id().Format(id);
    *std::find(id, id + size, '-') = '.';
    Mix({id, size});
    cursor.ForEachField([this](const ListpackValue& field, const ListpackValue& value) {
      char digits[kMaxIntegerText];
      Mix(field.View(digits));
      Mix(value.View(digits));
    });
  }
}

void KeyspaceDigest::AddValue(const Entry& entry) {
  // Between hashes and streams Redis counts modules.
  const auto type = static_cast<uint32_t>(entry.type());
  MixNumber(entry.type() == ValueType::kStream ? type + 1 : type);
  if (entry.type() == ValueType::kString) {
    StringValue value;
    entry.ReadString(value);
    Mix(value.view());
  }
  if (entry.type() == ValueType::kList) AddList(entry);
  if (entry.type() == ValueType::kSet) AddSet(entry);
  if (entry.type() == ValueType::kSortedSet) AddSortedSet(entry);
  if (entry.type() == ValueType::kHash) AddHash(entry);
  if (entry.type() == ValueType::kStream) AddStream(entry);
  if (entry.has_expiry()) XorHash("!!expire!!");
}

}  // namespace larder
