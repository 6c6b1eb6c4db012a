// CACHE.*: what only a cache is asked for.

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include "base/allocator.h"
#include "base/clock.h"
#include "base/text.h"
#include "commands/command_context.h"
#include "commands/families.h"
#include "eviction/miss_ratio_curve.h"

namespace larder {
namespace {

constexpr std::string_view kCurveIsOff =
    "ERR the miss-ratio curve is not being recorded: CONFIG SET miss-ratio-curve yes starts it";
constexpr std::string_view kNoSuchPolicy =
    "ERR no such policy: one of lru, lfu, random, fifo, s3fifo and adaptive is wanted";

struct MrcArguments {
  std::optional<ModelPolicy> policy;  // Nothing: all.
  bool reset = false;
};

// By the name that a report has for it, or that maxmemory-policy has.
std::optional<ModelPolicy> PolicyNamed(std::string_view name) {
  constexpr std::string_view kAllKeys = "allkeys-";
  if (EqualsIgnoreCase(name.substr(0, kAllKeys.size()), kAllKeys)) {
    name.remove_prefix(kAllKeys.size());
  }
  for (ModelPolicy policy : kModelPolicies) {
    if (EqualsIgnoreCase(name, NameOf(policy))) return policy;
  }
  return std::nullopt;
}

// False, and an error has been replied, if they are wrong.
bool ParseMrc(CommandContext& ctx, MrcArguments& arguments) {
  for (size_t i = 1; i < ctx.argc(); ++i) {
    if (EqualsIgnoreCase(ctx.arg(i), "reset")) {
      arguments.reset = true;
    } else if (EqualsIgnoreCase(ctx.arg(i), "policy") && i + 1 < ctx.argc()) {
      arguments.policy = PolicyNamed(ctx.arg(++i));
      if (!arguments.policy) {
        ctx.reply().Error(kNoSuchPolicy);
        return false;
      }
    } else {
      ctx.reply().Error(error_text::kSyntax);
      return false;
    }
  }
  return true;
}

void ReplyPoints(ReplyWriter& reply, const MissRatioCurve::PolicyReport& policy) {
  reply.Map(2);
  reply.Bulk("sampling-rate");
  reply.Double(policy.sampling_rate);
  reply.Bulk("points");
  reply.Array(policy.points.size());
  for (const MissRatioCurve::Point& point : policy.points) {
    reply.Array(2);
    reply.Integer(point.maxmemory_bytes);
    reply.Double(point.miss_ratio);
  }
}

void ReplyCurves(ReplyWriter& reply, const MissRatioCurve::Report& report) {
  reply.Map(report.policies.size());
  for (const MissRatioCurve::PolicyReport& policy : report.policies) {
    reply.Bulk(policy.name);
    ReplyPoints(reply, policy);
  }
}

void ReplyReport(ReplyWriter& reply, const MissRatioCurve::Report& report, MonoTime now) {
  const auto integer = [&](std::string_view name, int64_t value) {
    reply.Bulk(name);
    reply.Integer(value);
  };
  reply.Map(9);
  reply.Bulk("policy");
  report.policy_in_force ? reply.Bulk(NameOf(*report.policy_in_force)) : reply.Null();
  integer("maxmemory", report.maxmemory_bytes);
  integer("overhead-bytes", report.overhead_bytes);
  integer("seconds", std::chrono::duration_cast<std::chrono::seconds>(now - report.since).count());
  integer("requests", static_cast<int64_t>(report.requests));
  integer("sampled-requests", static_cast<int64_t>(report.sampled_requests));
  integer("sampled-keys", static_cast<int64_t>(report.sampled_keys));
  integer("memory-bytes", static_cast<int64_t>(report.memory_bytes));
  reply.Bulk("curves");
  ReplyCurves(reply, report);
}

void CacheMrc(CommandContext& ctx) {
  MrcArguments arguments;
  if (!ParseMrc(ctx, arguments)) return;
  const MonoTime now = MonoNow();
  MissRatioCurve& curve = ctx.server().miss_ratio_curve();
  MissRatioCurve::Report report = curve.Take(static_cast<int64_t>(AllocatedBytes()));
  if (!report.enabled) return ctx.reply().Error(kCurveIsOff);
  if (arguments.policy) {
    std::erase_if(report.policies, [&](const MissRatioCurve::PolicyReport& policy) {
      return policy.name != NameOf(*arguments.policy);
    });
  }
  if (arguments.reset) curve.Reset(now);
  ReplyReport(ctx.reply(), report, now);
}

// clang-format off
constexpr CommandSpec kCacheCommands[] = {
    {"cache.mrc", -1, kLoading | kStale, kNoKeys, kAclCache, &CacheMrc, "0.1.0", "O(1)",
     "Foretells the share of reads that miss with other amounts of memory and other policies.",
     "[POLICY policy] [RESET]", {.tips = "nondeterministic_output"}},
};
// clang-format on
static_assert(IsWellFormed(kCacheCommands));

}  // namespace

constinit const CommandFamily kCacheFamily = {"cache", kCacheCommands};

}  // namespace larder
