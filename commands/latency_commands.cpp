// LATENCY: what was slow, and how long commands take.

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/printed_text.h"
#include "commands/command_context.h"
#include "commands/families.h"
#include "commands/help_reply.h"
#include "commands/latency_histogram.h"
#include "commands/latency_monitor.h"
#include "commands/sparkline.h"

namespace larder {
namespace {

int64_t UnixSecondsNow(const CommandContext& ctx) { return ctx.now() / 1000; }

void LatencyLatest(CommandContext& ctx) {
  const std::vector<LatencyEvent> events = ctx.server().latency_monitor().All();
  ctx.reply().Array(events.size());
  for (const LatencyEvent& event : events) {
    ctx.reply().Array(4);
    ctx.reply().Bulk(event.name);
    ctx.reply().Integer(event.samples.back().unix_seconds);
    ctx.reply().Integer(event.samples.back().milliseconds);
    ctx.reply().Integer(event.worst_milliseconds);
  }
}

void LatencyHistory(CommandContext& ctx) {
  const auto event = ctx.server().latency_monitor().Find(ctx.arg(2));
  if (!event) return ctx.reply().Array(0);
  ctx.reply().Array(event->samples.size());
  for (const LatencySample& sample : event->samples) {
    ctx.reply().Array(2);
    ctx.reply().Integer(sample.unix_seconds);
    ctx.reply().Integer(sample.milliseconds);
  }
}

// "5s", "12m", "3h" or "2d", as short as a column of the graph is narrow.
std::string ShortAge(int64_t seconds) {
  if (seconds < 60) return absl::StrCat(seconds, "s");
  if (seconds < 3600) return absl::StrCat(seconds / 60, "m");
  if (seconds < 24 * 3600) return absl::StrCat(seconds / 3600, "h");
  return absl::StrCat(seconds / (24 * 3600), "d");
}

void LatencyGraph(CommandContext& ctx) {
  const auto event = ctx.server().latency_monitor().Find(ctx.arg(2));
  if (!event) {
    return ctx.reply().Error(
        absl::StrCat("ERR No samples available for event '", AsPrinted(ctx.arg(2)), "'"));
  }
  std::vector<SparkColumn> columns;
  int64_t high = 0;
  int64_t low = event->samples[0].milliseconds;
  for (const LatencySample& sample : event->samples) {
    high = std::max(high, sample.milliseconds);
    low = std::min(low, sample.milliseconds);
    columns.push_back({static_cast<double>(sample.milliseconds),
                       ShortAge(UnixSecondsNow(ctx) - sample.unix_seconds)});
  }
  std::string text = absl::StrFormat("%s - high %d ms, low %d ms (all time high %d ms)\n",
                                     event->name, high, low, event->worst_milliseconds);
  text.append(80, '-');
  text += '\n';
  text += DrawSparkline(columns);
  ctx.reply().Verbatim(text);
}

void LatencyReset(CommandContext& ctx) {
  ctx.reply().Integer(
      static_cast<int64_t>(ctx.server().latency_monitor().Reset(ctx.args().subspan(2))));
}

// What DOCTOR says of one event: how often, how much, how irregular.
std::string DescribeEvent(size_t number, const LatencyEvent& event, int64_t now) {
  const auto count = static_cast<double>(event.samples.size());
  double sum = 0;
  for (const LatencySample& sample : event.samples) sum += static_cast<double>(sample.milliseconds);
  const double average = std::floor(sum / count);
  double deviation = 0;
  for (const LatencySample& sample : event.samples) {
    deviation += std::abs(static_cast<double>(sample.milliseconds) - average);
  }
  const double period = static_cast<double>(now - event.samples.front().unix_seconds) / count;
  return absl::StrFormat(
      "%d. %s: %d latency spikes (average %.0fms, mean deviation %.0fms, period %.2f sec). Worst "
      "all time event %dms.\n",
      number, event.name, event.samples.size(), average, std::floor(deviation / count), period,
      event.worst_milliseconds);
}

struct Advice {
  std::string_view event;
  std::string_view text;
};
constexpr std::array kAdvice = {
    Advice{latency_event::kCommand,
           "- SLOWLOG GET names the commands that took long. Commands that walk a whole collection "
           "or keyspace (KEYS, SMEMBERS, SORT) have incremental counterparts (SCAN and its kin).\n"
           "- Deleting or overwriting a very large value takes time: UNLINK, FLUSHALL ASYNC and "
           "the lazyfree-* settings move that to the background.\n"},
    Advice{latency_event::kFastCommand,
           "- Commands that should take microseconds were held up, so look outside of the server: "
           "other processes on its cores, a paused virtual machine, swapping, transparent huge "
           "pages.\n"},
    Advice{latency_event::kExpireCycle,
           "- Many keys expire at once. Spread their times by a random amount.\n"},
    Advice{latency_event::kEvictionCycle,
           "- Making room takes long. Large values are slow to free: see lazyfree-lazy-eviction. "
           "Less growth at a time, or more maxmemory, also helps.\n"},
};

void LatencyDoctor(CommandContext& ctx) {
  const std::vector<LatencyEvent> events = ctx.server().latency_monitor().All();
  if (events.empty() && ctx.settings().latency_monitor_threshold_ms == 0) {
    return ctx.reply().Verbatim(
        "Nothing is being watched: latency monitoring is off. Switch it on with \"CONFIG SET "
        "latency-monitor-threshold <milliseconds>\" and ask again after a while.\n");
  }
  if (events.empty()) {
    return ctx.reply().Verbatim("No latency spike has been seen since monitoring began.\n");
  }
  std::string text = "Latency spikes have been seen:\n\n";
  for (size_t i = 0; i < events.size(); ++i) {
    text += DescribeEvent(i + 1, events[i], UnixSecondsNow(ctx));
  }
  std::string advice;
  const int64_t threshold_us = ctx.settings().latency_monitor_threshold_ms * 1000;
  const int64_t slowlog_us = ctx.settings().slowlog_log_slower_than_us;
  if (threshold_us > 0 && (slowlog_us < 0 || slowlog_us > threshold_us)) {
    advice += absl::StrFormat(
        "- The slow log misses commands that were slow enough for this report. Use \"CONFIG SET "
        "slowlog-log-slower-than %d\".\n",
        threshold_us);
  }
  for (const LatencyEvent& event : events) {
    for (const Advice& entry : kAdvice) {
      if (entry.event == event.name) advice += entry.text;
    }
  }
  if (!advice.empty()) absl::StrAppend(&text, "\nWhat may help:\n\n", advice);
  ctx.reply().Verbatim(text);
}

void WriteHistogram(ReplyWriter& reply, const Command& command,
                    std::span<const int64_t> histogram) {
  const std::vector<LatencyStep> steps = LatencySteps(histogram);
  reply.Bulk(command.full_name());
  reply.Map(2);
  reply.Bulk("calls");
  reply.Integer(steps.back().calls);
  reply.Bulk("histogram_usec");
  reply.Map(steps.size());
  for (const LatencyStep& step : steps) {
    reply.Integer(step.microseconds);
    reply.Integer(step.calls);
  }
}

// The command that `name` names, and all of its subcommands if it is a container.
void AppendCommand(const CommandTable& table, std::string_view name,
                   std::vector<const Command*>& commands) {
  const size_t bar = name.find('|');
  const Command* command = table.Find(name.substr(0, bar));
  if (command != nullptr && bar != name.npos)
    command = command->FindSubcommand(name.substr(bar + 1));
  if (command == nullptr) return;
  commands.push_back(command);
  for (const auto& subcommand : command->subcommands()) commands.push_back(subcommand.get());
}

void LatencyHistogramOf(CommandContext& ctx) {
  const CommandTable& table = ctx.server().command_table();
  std::vector<const Command*> commands;
  if (ctx.argc() == 2) commands.assign(table.all().begin(), table.all().end());
  for (size_t i = 2; i < ctx.argc(); ++i) AppendCommand(table, ctx.arg(i), commands);

  const ReplyWriter::DeferredMark mark = ctx.reply().BeginDeferred();
  size_t written = 0;
  for (const Command* command : commands) {
    const std::vector<int64_t> histogram = ctx.server().HistogramOf(command->id());
    if (std::all_of(histogram.begin(), histogram.end(), [](int64_t n) { return n == 0; })) continue;
    WriteHistogram(ctx.reply(), *command, histogram);
    ++written;
  }
  ctx.reply().EndDeferredMap(mark, written);
}

void LatencyHelp(CommandContext& ctx) {
  static constexpr std::array<std::string_view, 14> kLines = {
      "DOCTOR",
      "    Return a human readable latency analysis report.",
      "GRAPH <event>",
      "    Return an ASCII latency graph for the <event> class.",
      "HISTORY <event>",
      "    Return time-latency samples for the <event> class.",
      "LATEST",
      "    Return the latest latency samples for all events.",
      "RESET [<event> ...]",
      "    Reset latency data of one or more <event> classes.",
      "    (default: reset all data for all event classes)",
      "HISTOGRAM [COMMAND ...]",
      "    Return a cumulative distribution of latencies in the format of a histogram for the "
      "specified command names.",
      "    If no commands are specified then all histograms are replied.",
  };
  ReplyHelp(ctx, kLines);
}

constexpr uint32_t kFlags = kAdmin | kNoScript | kLoading | kStale;
constexpr std::string_view kTips =
    "nondeterministic_output request_policy:all_nodes response_policy:special";

// clang-format off
constexpr CommandSpec kLatencySubcommands[] = {
    {"doctor", 2, kFlags, kNoKeys, kAclNone, &LatencyDoctor, "2.8.13", "O(1)",
     "Reports on latency in words, with advice.", "", {.tips = kTips}},
    {"graph", 3, kFlags, kNoKeys, kAclNone, &LatencyGraph, "2.8.13", "O(1)",
     "Draws the latency of an event over time.", "event", {.tips = kTips}},
    {"help", 2, kLoading | kStale, kNoKeys, kAclNone, &LatencyHelp, "2.8.13", "O(1)",
     "Lists the subcommands.", ""},
    {"histogram", -2, kFlags, kNoKeys, kAclNone, &LatencyHistogramOf, "7.0.0",
     "O(N) where N is the number of commands with latency information being retrieved.",
     "Shows how long commands take, as cumulative histograms.", "[command...]", {.tips = kTips}},
    {"history", 3, kFlags, kNoKeys, kAclNone, &LatencyHistory, "2.8.13", "O(1)",
     "Lists the latency samples of an event.", "event", {.tips = kTips}},
    {"latest", 2, kFlags, kNoKeys, kAclNone, &LatencyLatest, "2.8.13", "O(1)",
     "Shows the latest latency sample of every event.", "", {.tips = kTips}},
    {"reset", -2, kFlags, kNoKeys, kAclNone, &LatencyReset, "2.8.13", "O(1)",
     "Forgets the latency samples of some or all events.", "[event...]",
     {.tips = "request_policy:all_nodes response_policy:all_succeeded"}},
};

constexpr CommandSpec kLatencyCommands[] = {
    {"latency", -2, 0, kNoKeys, kAclNone, nullptr, "2.8.13", "Depends on subcommand.",
     "Container of the latency commands.", "", {.subcommands = kLatencySubcommands}},
};
// clang-format on
static_assert(IsWellFormed(kLatencyCommands));

}  // namespace

const CommandFamily kLatencyFamily = {"server", kLatencyCommands};

}  // namespace larder
