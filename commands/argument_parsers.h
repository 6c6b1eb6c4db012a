// Options and numbers that several families of commands take. Where the client's input is bad,
// these reply with the error that Redis gives and return false; the handler then just returns.
//
// Concurrency: thread-confined, like the context they get.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "protocol/error_text.h"

namespace larder {

class CommandContext;

// Argument `arg` as a 64-bit integer.
bool ParseInteger(CommandContext& ctx, size_t arg, int64_t& value,
                  std::string_view error = error_text::kNotAnInteger);

enum class TimeUnit : uint8_t { kSeconds, kMilliseconds };
enum class TimeOrigin : uint8_t { kNow, kEpoch };

// Argument `arg` as a time to live or a point in time, which must be positive and fit.
bool ParseExpiry(CommandContext& ctx, size_t arg, TimeUnit unit, TimeOrigin origin,
                 UnixMillis& expiry);

// Argument `arg` as how long to block; zero is for ever. Seconds may have a fraction (BLPOP),
// milliseconds are an integer (XREAD).
bool ParseBlockingTimeout(CommandContext& ctx, size_t arg, TimeUnit unit,
                          std::chrono::milliseconds& timeout);
// When a wait of `timeout` that begins now is over; one of zero never is (MonoTime::max()).
MonoTime DeadlineAfter(std::chrono::milliseconds timeout);

// [EX seconds|PX milliseconds|EXAT unix-seconds|PXAT unix-milliseconds], and KEEPTTL or PERSIST.
//
//   ExpiryOption expiry(ExpiryOption::kKeepTtl);
//   for (size_t i = 3; i < ctx.argc(); ++i) {
//     if (!expiry.Take(ctx, i)) return ctx.reply().Error(error_text::kSyntax);
//   }
//   UnixMillis at = kNoExpiry;
//   if (!expiry.Resolve(ctx, at)) return;
//
// Numbers are looked at by Resolve only, for in Redis a syntax error further on comes first.
class ExpiryOption {
 public:
  enum Kind : uint8_t { kNone, kKeepTtl, kPersist, kEx, kPx, kExAt, kPxAt };

  // `also`: which of kKeepTtl and kPersist the command takes besides the times.
  explicit ExpiryOption(Kind also = kNone) : also_(also) {}

  // If argument `index` starts such an option that may stand beside what was taken before, takes it
  // and sets `index` to its last argument. The same option may be given twice; the last one counts.
  bool Take(const CommandContext& ctx, size_t& index);

  // The point in time that a time option names; leaves `expiry` alone if there was none.
  bool Resolve(CommandContext& ctx, UnixMillis& expiry) const;

  bool given() const { return kind_ != kNone; }
  bool has_time() const { return kind_ >= kEx; }
  bool keeps() const { return kind_ == kKeepTtl; }
  bool persists() const { return kind_ == kPersist; }

 private:
  Kind also_;
  Kind kind_ = kNone;
  size_t time_arg_ = 0;
};

}  // namespace larder
