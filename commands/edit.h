// How handlers look up and change collections.
//
//   const FoundValue<Hash> found = FindForRead<Hash>(ctx, 0);
//   if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
//   if (!found) return ctx.reply().Null();
//   ... found.value().Get(field) ...
//
//   const FoundValue<Hash> found = FindForWrite<Hash>(ctx, 0);
//   if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
//   Edit<Hash> hash(ctx, 0, found.entry);  // A missing key is created, if there is something in
//   it. const bool added = hash->Set(field, value); hash.Done(kNotifyHash, "hset");        //
//   Without Done nothing has changed.
//
// A type T (storage/hash.h and its like) is a handle made of an Object: T(object), object(),
// empty(), static T Create() and kMayBeEmpty, which is true of streams alone.
//
// Concurrency: as CommandContext; the key's shard is locked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "commands/command_context.h"
#include "storage/object.h"

namespace larder {

template <typename T>
struct FoundValue {
  Entry* entry = nullptr;  // Null if the key is missing or holds something else.
  bool wrong_type = false;

  explicit operator bool() const { return entry != nullptr; }
  // REQUIRES: entry != nullptr. To read; changes go through Edit.
  T value() const { return T(entry->object()); }
};

template <typename T>
FoundValue<T> AsValue(Entry* entry) {
  if (entry != nullptr && entry->type() != T::kType) return {.wrong_type = true};
  return {.entry = entry};
}

// Counts as an access, hit or miss.
template <typename T>
FoundValue<T> FindForRead(CommandContext& ctx, size_t key) {
  return AsValue<T>(ctx.Find(key));
}

template <typename T>
FoundValue<T> FindForWrite(CommandContext& ctx, size_t key) {
  return AsValue<T>(ctx.FindForWrite(key));
}

// One change of one collection. Removes the key if nothing is left in it.
template <typename T>
class Edit {
 public:
  // Without an entry it starts with an empty value, which becomes the key's when Done.
  Edit(CommandContext& ctx, size_t key, Entry* entry)
      : ctx_(ctx), key_(key), entry_(entry), value_(Begin(ctx, key, entry)) {
    if (entry != nullptr) bytes_before_ = AllocatedBytes(entry->object());
  }
  ~Edit() {
    if (open_) Close(/*changed=*/false);
  }
  Edit(const Edit&) = delete;
  Edit& operator=(const Edit&) = delete;

  T* operator->() { return &value_; }
  T& operator*() { return value_; }

  // Something has changed: tells who watches the key and who listens for `event` (and for a second
  // one, if given), and counts `changes`. True if the key is gone because nothing was left in it.
  bool Done(uint32_t notify_class, std::string_view event, int64_t changes = 1,
            std::string_view second_event = {}) {
    LARDER_DCHECK(open_);
    const bool kept = Close(/*changed=*/true);
    ctx_.MarkDirty(changes);
    if (!kept && entry_ == nullptr) return true;  // It never was there.
    ctx_.Notify(notify_class, event, key_);
    if (!second_event.empty()) ctx_.Notify(notify_class, second_event, key_);
    if (kept) return false;
    ctx_.EraseEmptied(key_);
    ctx_.Notify(kNotifyGeneric, "del", key_);
    return true;
  }

  // The same for what is no change of the key to those who watch it: what groups know of a stream.
  // Who listens for an event has to be told apart. REQUIRES: the key was there.
  void DoneUnwatched(int64_t changes = 1) {
    LARDER_DCHECK(open_ && entry_ != nullptr);
    Close(/*changed=*/false);
    ctx_.MarkDirty(changes);
  }

 private:
  static T Begin(CommandContext& ctx, size_t key, Entry* entry) {
    if (entry == nullptr) return T::Create();
    ctx.BeginEdit(key, entry);
    return T(entry->object());
  }

  // False if nothing is left in the value.
  bool Close(bool changed) {
    open_ = false;
    const bool kept = T::kMayBeEmpty || !value_.empty();
    if (entry_ != nullptr) {
      LARDER_DCHECK(kept || changed);
      ctx_.EndEdit(key_, entry_, value_.object(), bytes_before_, changed);
      return kept;
    }
    if (kept && changed) {
      ctx_.SetObject(key_, value_.object(), kNoExpiry);
    } else {
      Destroy(value_.object());
    }
    return kept;
  }

  CommandContext& ctx_;
  const size_t key_;
  Entry* const entry_;
  T value_;
  size_t bytes_before_ = 0;
  bool open_ = true;
};

}  // namespace larder
