// What SCAN, SSCAN, HSCAN and ZSCAN have in common: the cursor, the options and the bounds of one
// call.
//
//   uint64_t cursor = 0;
//   if (!ParseScanCursor(ctx, 2, cursor)) return;
//   const auto found = FindForRead<Hash>(ctx, 0);
//   if (found.wrong_type) return ctx.reply().Error(error_text::kWrongType);
//   if (!found) return ReplyEmptyScan(ctx);  // Even if the options are bad.
//   ScanOptions options;
//   if (!ParseScanOptions(ctx, 3, kScanNoValues, options)) return;
//   ScanReply scan(ctx.reply(), options);
//   scan.Run(cursor, [&](uint64_t place) {  // Visits some, returns where to go on, 0 at the end.
//     return found.value().Scan(place, [&](std::string_view field, std::string_view value) {
//       if (!scan.Wants(field)) return;
//       scan.Bulk(field);
//       scan.Bulk(value);
//     });
//   });
//
// Concurrency: thread-confined.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "base/glob.h"
#include "protocol/reply_writer.h"

namespace larder {

class CommandContext;

struct ScanOptions {
  std::string_view pattern;
  bool any_name = true;  // No MATCH, or one that every name matches.
  std::string_view type;
  bool any_type = true;
  bool no_values = false;
  int64_t count = 10;

  bool Wants(std::string_view name) const { return any_name || GlobMatch(pattern, name); }
};

// Options that not every command of the family takes.
enum ScanTakes : uint32_t { kScanPlain = 0, kScanType = 1, kScanNoValues = 2 };

// These two reply with an error and return false if they cannot make sense of the arguments.
bool ParseScanCursor(CommandContext& ctx, size_t arg, uint64_t& cursor);
bool ParseScanOptions(CommandContext& ctx, size_t first_arg, uint32_t takes, ScanOptions& options);

// Nothing to scan: the end is reached, and nothing was found.
void ReplyEmptyScan(CommandContext& ctx);

// How much one call may still do.
class ScanBudget {
 public:
  explicit ScanBudget(int64_t count)
      : visits_left_(count),
        // As in Redis: a table that is mostly holes must not be walked to its end for one reply.
        steps_left_(count > std::numeric_limits<int64_t>::max() / 10
                        ? std::numeric_limits<int64_t>::max()
                        : count * 10) {}

  bool left() const { return visits_left_ > 0 && steps_left_ > 0; }
  void CountStep() { --steps_left_; }
  void CountVisit() { --visits_left_; }

 private:
  int64_t visits_left_;
  int64_t steps_left_;
};

// Writes the reply of one call over a collection while that is walked.
class ScanReply {
 public:
  ScanReply(ReplyWriter& reply, const ScanOptions& options)
      : reply_(reply), options_(options), budget_(options.count), start_(reply.BeginDeferred()) {}

  // To be asked once for each member that is met, whether it is then replied or not.
  bool Wants(std::string_view name) {
    budget_.CountVisit();
    return options_.Wants(name);
  }
  void Bulk(std::string_view text) {
    reply_.Bulk(text);
    ++elements_;
  }
  // One that the caller writes itself.
  void CountElement() { ++elements_; }

  // Calls `step` with a place to go on from until it returns 0 or the budget is used up.
  template <typename Step>
  void Run(uint64_t place, Step step) {
    do {
      budget_.CountStep();
      place = step(place);
    } while (place != 0 && budget_.left());
    Finish(place);
  }

 private:
  // Puts the cursor and the number of elements before them.
  void Finish(uint64_t cursor);

  ReplyWriter& reply_;
  const ScanOptions& options_;
  ScanBudget budget_;
  const ReplyWriter::DeferredMark start_;
  size_t elements_ = 0;
};

}  // namespace larder
