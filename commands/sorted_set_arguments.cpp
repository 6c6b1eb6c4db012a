#include "commands/sorted_set_arguments.h"

#include <cmath>
#include <cstdlib>
#include <string>

#include "base/numbers.h"
#include "commands/command_context.h"
#include "protocol/error_text.h"

namespace larder {
namespace {

// Here Redis takes whatever strtod takes, up to the first zero byte: spaces before the number, an
// empty text, and what over- or underflows.
std::optional<double> ParseLoosely(std::string_view text) {
  if (const std::optional<double> parsed = ParseDouble(text)) return parsed;
  const std::string terminated(text);
  char* end = nullptr;
  const double value = std::strtod(terminated.c_str(), &end);
  if (*end != '\0' || std::isnan(value)) return std::nullopt;
  return value;
}

bool ParseScoreBound(std::string_view text, double& bound, bool& excludes) {
  excludes = text.starts_with('(');
  if (excludes) text.remove_prefix(1);
  const std::optional<double> parsed = ParseLoosely(text);
  if (!parsed) return false;
  bound = *parsed;
  return true;
}

bool ParseLexBound(std::string_view text, LexBound& bound) {
  using Kind = LexBound::Kind;
  if (text == "-" || text == "+") {
    bound.kind = text == "-" ? Kind::kBeforeAll : Kind::kBehindAll;
    return true;
  }
  if (!text.starts_with('(') && !text.starts_with('[')) return false;
  bound.kind = text[0] == '(' ? Kind::kExcluded : Kind::kIncluded;
  bound.member = text.substr(1);
  return true;
}

}  // namespace

bool ParseScore(CommandContext& ctx, size_t arg, double& score) {
  const std::optional<double> parsed = ParseDouble(ctx.arg(arg));
  if (!parsed) {
    ctx.reply().Error(error_text::kNotAFloat);
    return false;
  }
  score = *parsed;
  return true;
}

bool ParseScoreRange(CommandContext& ctx, size_t min_arg, size_t max_arg, ScoreRange& range) {
  if (ParseScoreBound(ctx.arg(min_arg), range.min, range.excludes_min) &&
      ParseScoreBound(ctx.arg(max_arg), range.max, range.excludes_max)) {
    return true;
  }
  ctx.reply().Error(error_text::kScoreBoundNotAFloat);
  return false;
}

bool ParseLexRange(CommandContext& ctx, size_t min_arg, size_t max_arg, LexRange& range) {
  if (ParseLexBound(ctx.arg(min_arg), range.min) && ParseLexBound(ctx.arg(max_arg), range.max)) {
    return true;
  }
  ctx.reply().Error(error_text::kLexBoundInvalid);
  return false;
}

}  // namespace larder
