// A command is a row. Everything that somebody asks about a command's shape (arity errors, COMMAND
// and its DOCS, ACL categories, shard locking, cluster routing, refusal when out of memory, what
// MULTI may queue) is read or derived from its CommandSpec; no other place lists command names.
//
// Rows are constexpr data; CommandTable (command_table.h) makes them findable.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace larder {

class CommandContext;
using CommandHandler = void (*)(CommandContext&);

// What COMMAND INFO lists, by Redis's names; the last group is for the dispatcher alone.
enum CommandFlag : uint32_t {
  kWrite = 1u << 0,
  kReadOnly = 1u << 1,
  kDenyOom = 1u << 2,
  kAdmin = 1u << 3,
  kPubSubFlag = 1u << 4,
  kNoScript = 1u << 5,
  kBlocking = 1u << 6,
  kLoading = 1u << 7,
  kStale = 1u << 8,
  kSkipMonitor = 1u << 9,
  kSkipSlowlog = 1u << 10,
  kAsking = 1u << 11,
  kFast = 1u << 12,
  kNoAuth = 1u << 13,
  kMayReplicate = 1u << 14,
  kNoAsyncLoading = 1u << 15,
  kAllowBusy = 1u << 16,
  kNoMulti = 1u << 17,
  kNoMandatoryKeys = 1u << 18,
  kTouchesArbitraryKeys = 1u << 19,
  kSentinelFlag = 1u << 20,
  kOnlySentinel = 1u << 21,
  kProtected = 1u << 22,  // Refused unless enable-debug-command and the like allow it.

  // Not shown. How much of the keyspace the handler touches beyond its keys:
  kShardByShard = 1u << 24,  // Visits every shard, locking one at a time through ForEachShard.
  kAllShards = 1u << 25,     // Runs with every shard locked.
  // The rest.
  kControlsMulti = 1u << 26,  // Runs at once inside MULTI instead of being queued.
  kRunsInPubSub = 1u << 27,   // Allowed on a RESP2 connection that has subscriptions.
  kRunsQueue = 1u << 28,      // EXEC: the dispatcher runs what MULTI queued.
};

// ACL categories. Those that flags imply (@write, @read, @fast, @slow, @admin, @dangerous, @pubsub,
// @blocking) are derived; rows name only the rest.
enum AclCategory : uint32_t {
  kAclNone = 0,
  kAclKeyspace = 1u << 0,
  kAclRead = 1u << 1,
  kAclWrite = 1u << 2,
  kAclSet = 1u << 3,
  kAclSortedSet = 1u << 4,
  kAclList = 1u << 5,
  kAclHash = 1u << 6,
  kAclString = 1u << 7,
  kAclBitmap = 1u << 8,
  kAclHyperLogLog = 1u << 9,
  kAclGeo = 1u << 10,
  kAclStream = 1u << 11,
  kAclPubSub = 1u << 12,
  kAclAdmin = 1u << 13,
  kAclFast = 1u << 14,
  kAclSlow = 1u << 15,
  kAclBlocking = 1u << 16,
  kAclDangerous = 1u << 17,
  kAclConnection = 1u << 18,
  kAclTransaction = 1u << 19,
  kAclScripting = 1u << 20,
  kAclCache = 1u << 21,
};

// What a command does with a key, as COMMAND INFO's key specifications say it.
enum KeyFlag : uint32_t {
  kKeyRw = 1u << 0,  // Reads the value and changes it.
  kKeyRo = 1u << 1,
  kKeyOw = 1u << 2,  // Overwrites without reading.
  kKeyRm = 1u << 3,  // Removes the key.
  kKeyAccess = 1u << 4,
  kKeyUpdate = 1u << 5,
  kKeyInsert = 1u << 6,
  kKeyDelete = 1u << 7,
  kKeyNotKey = 1u << 8,  // Routed like a key, but not one (sharded channels).
  kKeyIncomplete = 1u << 9,
  kKeyVariableFlags = 1u << 10,
};

// The argument that is a key where no specification can tell; 0 if there is none.
using KeyLocator = size_t (*)(std::span<const std::string_view> args);

// Where some of a command's keys stand among its arguments.
struct KeySpec {
  // kUnknown: keys that no specification can find (those that SORT's BY makes up).
  enum class Begin : uint8_t { kIndex, kKeyword, kUnknown };
  enum class Find : uint8_t { kRange, kCount, kUnknown };

  Begin begin = Begin::kIndex;
  Find find = Find::kRange;
  int16_t index = 0;  // kIndex: the first key's argument. kKeyword: where to start looking
  std::string_view keyword = {};  // (negative: from the end, backwards).
  // kRange: the last key, relative to the first, negative from the end; every step-th; 1/limit of
  // the arguments. kCount: index of the argument that holds the count, of the first key, step; all
  // relative to where the search began.
  int16_t last = 0;
  int16_t step = 1;
  int16_t limit = 0;
  int16_t count_at = 0;
  int16_t first = 0;
  uint32_t flags = 0;           // KeyFlags; 0: derived from the command (RO ACCESS, or RW UPDATE).
  std::string_view notes = {};  // What COMMAND INFO adds in words.
  // With kKeyVariableFlags: a request without this word behind its first key and value uses its
  // keys only as `flags_without_word` say.
  std::string_view word = {};
  uint32_t flags_without_word = 0;
  // With kKeyVariableFlags: the flags in one request, where a word does not say it all.
  uint32_t (*flags_in)(std::span<const std::string_view> args) = nullptr;
  KeyLocator locate = nullptr;  // kUnknown: how a key is found nevertheless.
};

struct KeySpecs {
  static constexpr size_t kMax = 4;
  std::array<KeySpec, kMax> specs{};
  uint8_t count = 0;

  constexpr std::span<const KeySpec> view() const { return {specs.data(), count}; }
  // Keys(1,1,1) + Keys(2,2,1): several specifications, in order.
  constexpr KeySpecs operator+(const KeySpecs& more) const {
    KeySpecs sum = *this;
    for (const KeySpec& spec : more.view()) sum.specs[sum.count++] = spec;
    return sum;
  }
  // Keys(1, 1, 1).WithNotes("..."): about the last specification.
  constexpr KeySpecs WithNotes(std::string_view notes) const {
    KeySpecs with_notes = *this;
    with_notes.specs[count - 1].notes = notes;
    return with_notes;
  }
  // UnknownKeys(...).LocatedBy(&...): the last specification hides a key that the arguments name.
  constexpr KeySpecs LocatedBy(KeyLocator locate) const {
    KeySpecs located = *this;
    located.specs[count - 1].locate = locate;
    return located;
  }
  // The last specification's flags are other ones in a request without the option `word`.
  constexpr KeySpecs Without(std::string_view word, uint32_t flags) const {
    KeySpecs variable = *this;
    variable.specs[count - 1].word = word;
    variable.specs[count - 1].flags_without_word = flags;
    return variable;
  }
  // The last specification's flags are those that `flags_in` finds in a request.
  constexpr KeySpecs WithFlagsIn(uint32_t (*flags_in)(std::span<const std::string_view>)) const {
    KeySpecs variable = *this;
    variable.specs[count - 1].flags_in = flags_in;
    return variable;
  }
};

inline constexpr KeySpecs kNoKeys{};

// First, last (negative: counted from the end) and step, as COMMAND reports them.
constexpr KeySpecs Keys(int first, int last, int step, uint32_t flags = 0) {
  KeySpecs keys;
  keys.specs[0].index = static_cast<int16_t>(first);
  keys.specs[0].last = static_cast<int16_t>(last < 0 ? last : last - first);
  keys.specs[0].step = static_cast<int16_t>(step);
  keys.specs[0].flags = flags;
  keys.count = 1;
  return keys;
}

// The argument at `position` says how many keys follow it (EVAL's numkeys).
constexpr KeySpecs CountedKeysAt(int position, uint32_t flags = 0) {
  KeySpecs keys;
  keys.specs[0].find = KeySpec::Find::kCount;
  keys.specs[0].index = static_cast<int16_t>(position);
  keys.specs[0].count_at = 0;
  keys.specs[0].first = 1;
  keys.specs[0].flags = flags;
  keys.count = 1;
  return keys;
}

// Keys stand behind a keyword; `limit` 2 means that half of the arguments left are keys (XREAD).
constexpr KeySpecs KeysAfter(std::string_view keyword, int start_from, int last, int step,
                             int limit, uint32_t flags = 0) {
  KeySpecs keys;
  keys.specs[0].begin = KeySpec::Begin::kKeyword;
  keys.specs[0].keyword = keyword;
  keys.specs[0].index = static_cast<int16_t>(start_from);
  keys.specs[0].last = static_cast<int16_t>(last);
  keys.specs[0].step = static_cast<int16_t>(step);
  keys.specs[0].limit = static_cast<int16_t>(limit);
  keys.specs[0].flags = flags;
  keys.count = 1;
  return keys;
}

// Keys that only running the command tells.
constexpr KeySpecs UnknownKeys(uint32_t flags) {
  KeySpecs keys;
  keys.specs[0].begin = KeySpec::Begin::kUnknown;
  keys.specs[0].find = KeySpec::Find::kUnknown;
  keys.specs[0].flags = flags;
  keys.count = 1;
  return keys;
}

struct CommandSpec;

// What few commands have; COMMAND INFO and DOCS show it.
struct CommandExtras {
  std::span<const CommandSpec> subcommands = {};
  // Space-separated, e.g. "nondeterministic_output request_policy:all_shards".
  std::string_view tips = {};
  // "version: change" lines separated by '\n'.
  std::string_view history = {};
  std::string_view deprecated_since = {};
  std::string_view replaced_by = {};
  // Whether a request touches keys that only running it tells: it then runs with every shard
  // locked.
  bool (*needs_all_shards)(std::span<const std::string_view> args) = nullptr;
};

struct CommandSpec {
  std::string_view name;  // Lower case; of a subcommand without its container.
  int arity;              // As Redis counts: with the name; negative means at least.
  uint32_t flags;         // CommandFlags.
  KeySpecs keys;
  uint32_t acl;            // AclCategories beyond the derived ones.
  CommandHandler handler;  // Null for a container that cannot be called by itself.
  std::string_view since;  // Redis's version that has it first.
  std::string_view cost;
  std::string_view summary;
  // The arguments, for COMMAND DOCS and the documentation: names are values to be filled in,
  // capital words are literal, [] optional, | alternatives, () grouping, ... repeats the item
  // before:
  //   "key value [NX|XX] [GET] [EX seconds|PX milliseconds|KEEPTTL]"
  std::string_view syntax = {};
  CommandExtras extras = {};
};

// A family of commands: the group that COMMAND DOCS names, and its rows.
struct CommandFamily {
  std::string_view group;
  std::span<const CommandSpec> commands;
};

// What the build refuses in a table: unsorted or upper-case names, write and read at once, an arity
// that leaves no room for the keys.
constexpr bool IsWellFormed(std::span<const CommandSpec> table) {
  for (size_t i = 0; i < table.size(); ++i) {
    const CommandSpec& row = table[i];
    if (i > 0 && !(table[i - 1].name < row.name)) return false;
    for (char c : row.name) {
      if (c >= 'A' && c <= 'Z') return false;
    }
    if ((row.flags & kWrite) != 0 && (row.flags & kReadOnly) != 0) return false;
    const int least_arguments = row.arity < 0 ? -row.arity : row.arity;
    for (const KeySpec& spec : row.keys.view()) {
      // "destkey [sourcekey ...]": only the first specification must find a key.
      if (&spec != row.keys.specs.data() && spec.last < 0) continue;
      if (spec.begin == KeySpec::Begin::kIndex && spec.index >= least_arguments &&
          (row.flags & kNoMandatoryKeys) == 0 && (spec.flags & kKeyNotKey) == 0) {
        return false;
      }
    }
    if (row.handler == nullptr && row.extras.subcommands.empty()) return false;
    if (!IsWellFormed(row.extras.subcommands)) return false;
  }
  return true;
}

}  // namespace larder
