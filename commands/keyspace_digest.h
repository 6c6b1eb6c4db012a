// DEBUG DIGEST and DIGEST-VALUE: one figure for all that is stored, equal to the one that Redis
// computes of the same data, whatever the order in which it was stored.
//
// A value's digest chains SHA-1 over its parts; the digests of keys are combined by exclusive or,
// which has no order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace larder {

class Entry;

class KeyspaceDigest {
 public:
  KeyspaceDigest() = default;

  // The digest of one value with its type and whether it expires (but not when).
  static KeyspaceDigest OfValue(const Entry& entry);
  // Adds a key with its value; the order of calls does not matter.
  void AddKey(const Entry& entry);
  void Xor(const KeyspaceDigest& other);
  // What comes after depends on this number and on everything before.
  void MixNumber(uint32_t number);

  bool empty() const { return *this == KeyspaceDigest(); }
  std::string Hex() const;  // 40 digits.

  friend bool operator==(const KeyspaceDigest&, const KeyspaceDigest&) = default;

 private:
  static constexpr size_t kBytes = 20;

  void XorHash(std::string_view bytes);
  void Mix(std::string_view bytes);
  void AddSet(const Entry& entry);
  void AddStream(const Entry& entry);
  void AddValue(const Entry& entry);
  void AddSortedSet(const Entry& entry);
  void AddList(const Entry& entry);
  void AddHash(const Entry& entry);

  std::array<uint8_t, kBytes> bytes_{};
};

}  // namespace larder
