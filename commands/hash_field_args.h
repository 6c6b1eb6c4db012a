// Arguments that the commands about the times of hash fields share. Where the client's input is
// bad, these reply with the error that Redis gives and return false.
//
// Concurrency: thread-confined, like the context they get.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "commands/argument_parsers.h"
#include "storage/types.h"

namespace larder {

class CommandContext;

// FIELDS numfields field [field ...], or with values field value [field value ...].
struct FieldArgs {
  size_t first = 0;  // 0: not given.
  size_t count = 0;

  bool given() const { return first != 0; }
};

// Where nothing but the fields stands from argument 2 on (HTTL, HPERSIST, HGETDEL).
bool ParseOnlyFields(CommandContext& ctx, FieldArgs& fields);

// Where options may stand before and behind the fields: argument `index` is FIELDS, and becomes its
// last argument. `bad_count` is the error for a count that is none.
bool TakeFields(CommandContext& ctx, size_t& index, size_t arguments_each,
                std::string_view bad_count, FieldArgs& fields);

// What is no option: replies and returns false.
bool RefuseUnknownArgument(CommandContext& ctx, size_t index);
// After all arguments.
bool RequireFields(CommandContext& ctx, const FieldArgs& fields);

// Argument `arg` as the time at which a field goes. It may be past or now, but not negative.
bool ParseFieldExpiry(CommandContext& ctx, size_t arg, TimeUnit unit, TimeOrigin origin,
                      UnixMillis& expiry);

// [EX seconds|PX milliseconds|EXAT unix-seconds|PXAT unix-milliseconds|`keyword`], the keyword
// being KEEPTTL or PERSIST.
class FieldExpiryOption {
 public:
  explicit FieldExpiryOption(std::string_view keyword) : keyword_(keyword) {}

  enum class Taken : uint8_t { kNo, kYes, kRefused };
  // Takes the option that starts at `index`, which becomes its last argument.
  Taken Take(CommandContext& ctx, size_t& index);

  bool has_time() const { return has_time_; }
  bool has_keyword() const { return given_ && !has_time_; }
  UnixMillis expiry() const { return expiry_; }  // REQUIRES: has_time().

 private:
  const std::string_view keyword_;
  bool given_ = false;
  bool has_time_ = false;
  UnixMillis expiry_ = kNoExpiry;
};

}  // namespace larder
