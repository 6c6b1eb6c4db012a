// MEMORY: what the memory goes to.

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/allocator.h"
#include "base/numbers.h"
#include "commands/command_context.h"
#include "commands/families.h"
#include "commands/help_reply.h"
#include "commands/keyspace_figures.h"
#include "commands/memory_figures.h"

namespace larder {
namespace {

MemoryFigures CollectFor(CommandContext& ctx, const KeyspaceFigures& keyspace) {
  return CollectMemory(ctx.server().process_memory(), keyspace.keys, keyspace.table_bytes);
}

void MemoryUsage(CommandContext& ctx) {
  for (size_t i = 3; i < ctx.argc(); i += 2) {
    if (!EqualsIgnoreCase(ctx.arg(i), "SAMPLES") || i + 1 == ctx.argc()) {
      return ctx.reply().Error(error_text::kSyntax);
    }
    // How much of a collection is looked at. Larder keeps account of every value and has no need
    // to sample, but what Redis refuses is refused.
    const std::optional<int64_t> samples = ParseInt64(ctx.arg(i + 1));
    if (!samples) return ctx.reply().Error(error_text::kNotAnInteger);
    if (*samples < 0) return ctx.reply().Error(error_text::kSyntax);
  }
  const Entry* entry = ctx.Peek(0);
  if (entry == nullptr) return ctx.reply().Null();
  ctx.reply().Integer(static_cast<int64_t>(entry->allocated_bytes()) +
                      DatabaseFigures::kTableBytesPerKey);
}

class FieldWriter {
 public:
  explicit FieldWriter(ReplyWriter& reply) : reply_(reply) {}

  void Integer(std::string_view name, int64_t value) {
    reply_.Bulk(name);
    reply_.Integer(value);
  }
  void Double(std::string_view name, double value) {
    reply_.Bulk(name);
    reply_.Double(value);
  }

 private:
  ReplyWriter& reply_;
};

void MemoryStats(CommandContext& ctx) {
  const KeyspaceFigures keyspace = CollectKeyspace(ctx);
  const MemoryFigures memory = CollectFor(ctx, keyspace);
  ctx.reply().Map(27 + keyspace.databases.size());
  FieldWriter field(ctx.reply());
  field.Integer("peak.allocated", memory.peak_bytes);
  field.Integer("total.allocated", memory.used_bytes);
  field.Integer("startup.allocated", memory.startup_bytes);
  field.Integer("replication.backlog", 0);
  field.Integer("clients.slaves", 0);
  field.Integer("clients.normal", memory.client_bytes);
  field.Integer("cluster.links", 0);
  field.Integer("aof.buffer", 0);
  field.Integer("lua.caches", 0);
  field.Integer("functions.caches", 0);
  for (const DatabaseFigures& database : keyspace.databases) {
    ctx.reply().Bulk(absl::StrCat("db.", database.db));
    ctx.reply().Map(3);
    field.Integer("overhead.hashtable.main", database.table_bytes());
    // Expiries stand in the entries, and a slot's keys in one shard: neither has a table.
    field.Integer("overhead.hashtable.expires", 0);
    field.Integer("overhead.hashtable.slot-to-keys", 0);
  }
  field.Integer("overhead.total", memory.overhead_bytes());
  field.Integer("keys.count", memory.keys);
  field.Integer("keys.bytes-per-key", memory.bytes_per_key());
  field.Integer("dataset.bytes", memory.dataset_bytes());
  field.Double("dataset.percentage", memory.dataset_percent());
  field.Double("peak.percentage", memory.peak_percent());
  field.Integer("allocator.allocated", static_cast<int64_t>(memory.allocator.allocated));
  field.Integer("allocator.active", static_cast<int64_t>(memory.allocator.active));
  field.Integer("allocator.resident", static_cast<int64_t>(memory.allocator.resident));
  field.Double("allocator-fragmentation.ratio", memory.allocator_fragmentation_ratio());
  field.Integer("allocator-fragmentation.bytes", memory.allocator_fragmentation_bytes());
  field.Double("allocator-rss.ratio", memory.allocator_resident_ratio());
  field.Integer("allocator-rss.bytes", memory.allocator_resident_overhead_bytes());
  field.Double("rss-overhead.ratio", memory.resident_overhead_ratio());
  field.Integer("rss-overhead.bytes", memory.resident_overhead_bytes());
  field.Double("fragmentation", memory.fragmentation_ratio());
  field.Integer("fragmentation.bytes", memory.fragmentation_bytes());
}

// What is worth a word, with the figures behind it.
std::vector<std::string> MemoryProblems(const MemoryFigures& memory) {
  constexpr int64_t kWorthMentioning = 10 << 20;
  std::vector<std::string> problems;
  if (memory.peak_bytes > memory.used_bytes + memory.used_bytes / 2) {
    problems.push_back(absl::StrFormat(
        "Peak: at its height the server held %d bytes, over 150%% of the %d it holds now. The "
        "allocator may keep pages of that time; MEMORY PURGE gives back what it can.",
        memory.peak_bytes, memory.used_bytes));
  }
  if (memory.fragmentation_ratio() > 1.4 && memory.fragmentation_bytes() > kWorthMentioning) {
    problems.push_back(
        absl::StrFormat("Fragmentation: %d bytes are resident for %d in use (a ratio of %.2f).",
                        memory.resident_bytes, memory.used_bytes, memory.fragmentation_ratio()));
  }
  if (memory.allocator_fragmentation_ratio() > 1.1 &&
      memory.allocator_fragmentation_bytes() > kWorthMentioning) {
    problems.push_back(absl::StrFormat(
        "Allocator: %d bytes are free in pages that are not (a ratio of %.2f). Values of changing "
        "sizes do that.",
        memory.allocator_fragmentation_bytes(), memory.allocator_fragmentation_ratio()));
  }
  if (memory.client_bytes > memory.used_bytes / 4 && memory.client_bytes > kWorthMentioning) {
    problems.push_back(absl::StrFormat(
        "Clients: their buffers take %d bytes. See CLIENT LIST for those that do not read "
        "(omem), and client-output-buffer-limit.",
        memory.client_bytes));
  }
  return problems;
}

void MemoryDoctor(CommandContext& ctx) {
  constexpr int64_t kTooLittle = 5 << 20;
  const MemoryFigures memory = CollectFor(ctx, CollectKeyspace(ctx));
  if (memory.used_bytes < kTooLittle) {
    return ctx.reply().Verbatim(
        "This server is empty or holds very little: there is nothing to diagnose yet.\n");
  }
  const std::vector<std::string> problems = MemoryProblems(memory);
  if (problems.empty()) return ctx.reply().Verbatim("No memory problem was found.\n");
  std::string text = "Memory problems were found:\n\n";
  for (const std::string& problem : problems) absl::StrAppend(&text, " * ", problem, "\n\n");
  ctx.reply().Verbatim(text);
}

void MemoryMallocStats(CommandContext& ctx) { ctx.reply().Verbatim(AllocatorReport()); }

void MemoryPurge(CommandContext& ctx) {
  ReleaseFreeMemory();
  ctx.reply().Ok();
}

void MemoryHelp(CommandContext& ctx) {
  static constexpr std::array<std::string_view, 11> kLines = {
      "DOCTOR",
      "    Return memory problems reports.",
      "MALLOC-STATS",
      "    Return internal statistics report from the memory allocator.",
      "PURGE",
      "    Attempt to purge dirty pages for reclamation by the allocator.",
      "STATS",
      "    Return information about the memory usage of the server.",
      "USAGE <key> [SAMPLES <count>]",
      "    Return memory in bytes used by <key> and its value. Nested values are",
      "    sampled up to <count> times (default: 5, 0 means sample all).",
  };
  ReplyHelp(ctx, kLines);
}

constexpr std::string_view kTips =
    "nondeterministic_output request_policy:all_shards response_policy:special";

// clang-format off
constexpr CommandSpec kMemorySubcommands[] = {
    {"doctor", 2, kShardByShard, kNoKeys, kAclNone, &MemoryDoctor, "4.0.0", "O(1)",
     "Reports on memory in words.", "", {.tips = kTips}},
    {"help", 2, kLoading | kStale, kNoKeys, kAclNone, &MemoryHelp, "4.0.0", "O(1)",
     "Lists the subcommands.", ""},
    {"malloc-stats", 2, 0, kNoKeys, kAclNone, &MemoryMallocStats, "4.0.0",
     "Depends on how much memory is allocated, could be slow",
     "Shows the allocator's own report.", "", {.tips = kTips}},
    {"purge", 2, 0, kNoKeys, kAclNone, &MemoryPurge, "4.0.0",
     "Depends on how much memory is allocated, could be slow",
     "Gives free pages back to the operating system.", "",
     {.tips = "request_policy:all_shards response_policy:all_succeeded"}},
    {"stats", 2, kShardByShard, kNoKeys, kAclNone, &MemoryStats, "4.0.0", "O(1)",
     "Shows in figures what memory goes to.", "", {.tips = kTips}},
    {"usage", -3, kReadOnly, Keys(2, 2, 1, kKeyRo), kAclNone, &MemoryUsage, "4.0.0", "O(1)",
     "Tells how many bytes a key and its value occupy.", "key [SAMPLES count]"},
};

constexpr CommandSpec kMemoryCommands[] = {
    {"memory", -2, 0, kNoKeys, kAclNone, nullptr, "4.0.0", "Depends on subcommand.",
     "Container of the commands about memory.", "", {.subcommands = kMemorySubcommands}},
};
// clang-format on
static_assert(IsWellFormed(kMemoryCommands));

}  // namespace

const CommandFamily kMemoryFamily = {"server", kMemoryCommands};

}  // namespace larder
