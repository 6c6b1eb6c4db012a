// Arguments and replies that the sorted-set commands have in common. Where the client's input is
// bad, the parsers reply with the error that Redis gives and return false.
//
// Concurrency: thread-confined, like the context they get.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/reply_writer.h"
#include "storage/score_range.h"

namespace larder {

class CommandContext;

// Argument `arg` as a number that is not NaN.
bool ParseScore(CommandContext& ctx, size_t arg, double& score);
// "5", "(5" or "-inf" twice.
bool ParseScoreRange(CommandContext& ctx, size_t min_arg, size_t max_arg, ScoreRange& range);
// "[a", "(a", "-" or "+" twice. The range views the arguments.
bool ParseLexRange(CommandContext& ctx, size_t min_arg, size_t max_arg, LexRange& range);

// Members with their scores in an array: flat in RESP2, pairs in RESP3. Without scores, members.
class MemberReply {
 public:
  MemberReply(ReplyWriter& reply, bool with_scores)
      : reply_(reply), with_scores_(with_scores), in_pairs_(with_scores && reply.resp3()) {}

  void Header(size_t members) { reply_.Array(with_scores_ && !in_pairs_ ? members * 2 : members); }
  void operator()(std::string_view member, double score) const {
    if (in_pairs_) reply_.Array(2);
    reply_.Bulk(member);
    if (with_scores_) reply_.Double(score);
  }

 private:
  ReplyWriter& reply_;
  const bool with_scores_;
  const bool in_pairs_;
};

}  // namespace larder
