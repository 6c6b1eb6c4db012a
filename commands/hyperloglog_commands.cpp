// HyperLogLog: counting different elements in 12 KiB, whatever their number.
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/printed_text.h"
#include "base/text.h"
#include "commands/command_context.h"
#include "commands/families.h"
#include "protocol/error_text.h"
#include "storage/hyperloglog.h"

namespace larder {
namespace {

namespace hll = hyperloglog;

// Whether `entry` holds a HyperLogLog, which `value` then shows; replies with an error if not.
bool ReadHyperLogLog(CommandContext& ctx, const Entry& entry, StringValue& value) {
  if (entry.type() != ValueType::kString) {
    ctx.reply().Error(error_text::kWrongType);
    return false;
  }
  entry.ReadString(value);
  if (hll::HasForm(value.view())) return true;
  ctx.reply().Error(error_text::kNotAHyperLogLog);
  return false;
}

UnixMillis ExpiryOf(const Entry* entry) { return entry != nullptr ? entry->expiry() : kNoExpiry; }

// ---- PFADD

// One HyperLogLog while elements are added. A sparse one is edited in a copy, which costs less than
// to look for the register twice. Of a dense one most elements change nothing, so it is read where
// it stands until one does, and then edited in place.
class Additions {
 public:
  Additions(CommandContext& ctx, Entry* entry, std::string_view bytes)
      : ctx_(ctx), entry_(entry), bytes_(bytes) {
    if (entry != nullptr) {
      if (hll::EncodingOf(bytes_) == hll::Encoding::kDense) return;
      copy_.reserve(bytes_.size() + 16);
      copy_ = bytes_;
      state_ = State::kCopied;
      return;
    }
    copy_ = hll::Empty();
    hll::ForgetCachedCardinality(copy_);
    state_ = State::kCopied;
    changes_ = 1;
  }

  // False if the value turns out to be corrupt.
  bool Add(std::string_view element) {
    const hll::Observation observation = hll::Observe(element);
    hll::Effect effect = hll::Effect::kNone;
    if (state_ == State::kUntouched) {
      effect = hll::Probe(bytes_, observation);
      if (effect == hll::Effect::kRaised) {
        in_place_ = ctx_.EditString(0, entry_, bytes_.size());
        state_ = State::kInPlace;
      }
    }
    if (state_ == State::kInPlace) effect = hll::RaiseDense(in_place_, observation);
    if (state_ == State::kCopied) {
      effect = hll::Raise(copy_, observation, ctx_.settings().encoding.hll_sparse_max_bytes);
    }
    if (effect == hll::Effect::kRaised) ++changes_;
    return effect != hll::Effect::kCorrupt;
  }

  // Stores the result. True if there were changes.
  bool Finish() {
    if (changes_ == 0) {
      ctx_.MakeRaw(0, entry_);
      return false;
    }
    if (state_ == State::kCopied) ctx_.SetRawString(0, copy_, ExpiryOf(entry_));
    ctx_.MarkDirty(changes_ - 1);  // One is counted already.
    return true;
  }

 private:
  enum class State : uint8_t { kUntouched, kInPlace, kCopied };

  CommandContext& ctx_;
  Entry* entry_;
  std::string_view bytes_;  // Until something changes.
  State state_ = State::kUntouched;
  std::span<char> in_place_;
  std::string copy_;
  int64_t changes_ = 0;
};

void PfAdd(CommandContext& ctx) {
  Entry* const entry = ctx.FindForWrite(0);
  StringValue value;
  if (entry != nullptr && !ReadHyperLogLog(ctx, *entry, value)) return;
  Additions additions(ctx, entry, value.view());
  for (size_t i = 2; i < ctx.argc(); ++i) {
    if (additions.Add(ctx.arg(i))) continue;
    // What came before has been added, as in Redis.
    additions.Finish();
    return ctx.reply().Error(error_text::kCorruptHyperLogLog);
  }
  const bool changed = additions.Finish();
  if (changed) ctx.Notify(kNotifyString, "pfadd", 0);
  ctx.reply().Integer(changed ? 1 : 0);
}

// ---- PFCOUNT and PFMERGE

// The union of all keys; says whether one of them is dense. False if an error was replied.
bool MergeKeys(CommandContext& ctx, hll::Registers& registers, bool& dense) {
  registers.fill(0);
  for (size_t key = 0; key < ctx.key_count(); ++key) {
    const Entry* const entry = ctx.Find(key);
    if (entry == nullptr) continue;  // Nothing was added to it.
    StringValue value;
    if (!ReadHyperLogLog(ctx, *entry, value)) return false;
    if (!hll::MergeInto(registers, value.view())) {
      ctx.reply().Error(error_text::kCorruptHyperLogLog);
      return false;
    }
    dense |= hll::EncodingOf(value.view()) == hll::Encoding::kDense;
  }
  return true;
}

void CountOne(CommandContext& ctx) {
  Entry* entry = ctx.Find(0);
  if (entry == nullptr) return ctx.reply().Integer(0);
  StringValue value;
  if (!ReadHyperLogLog(ctx, *entry, value)) return;
  std::optional<uint64_t> cardinality = hll::CachedCardinality(value.view());
  if (cardinality) {
    ctx.MakeRaw(0, entry);
  } else {
    cardinality = hll::EstimateCardinality(value.view());
    if (!cardinality) return ctx.reply().Error(error_text::kCorruptHyperLogLog);
    hll::SetCachedCardinality(ctx.EditString(0, entry, value.size()), *cardinality);
  }
  ctx.reply().Integer(static_cast<int64_t>(*cardinality));
}

void PfCount(CommandContext& ctx) {
  if (ctx.key_count() == 1) return CountOne(ctx);
  hll::Registers registers;
  bool dense = false;
  if (!MergeKeys(ctx, registers, dense)) return;
  ctx.reply().Integer(static_cast<int64_t>(hll::EstimateCardinality(registers)));
}

void PfMerge(CommandContext& ctx) {
  hll::Registers registers;
  bool dense = false;
  if (!MergeKeys(ctx, registers, dense)) return;

  const Entry* const entry = ctx.FindForWrite(0);
  std::string result;
  if (entry == nullptr) {
    result = hll::Empty();
  } else {
    StringValue value;
    entry->ReadString(value);
    result = value.view();
  }
  if (dense && !hll::MakeDense(result)) return ctx.reply().Error(error_text::kCorruptHyperLogLog);
  const size_t sparse_max_bytes = ctx.settings().encoding.hll_sparse_max_bytes;
  for (uint32_t index = 0; index < registers.size(); ++index) {
    if (registers[index] == 0) continue;
    hll::Raise(result, {.index = index, .rank = registers[index]}, sparse_max_bytes);
  }
  hll::ForgetCachedCardinality(result);
  ctx.SetRawString(0, result, ExpiryOf(entry));
  ctx.Notify(kNotifyString, "pfadd", 0);
  ctx.reply().Ok();
}

// ---- PFDEBUG and PFSELFTEST

// Makes the value dense if it is not. Nothing and an error replied if it is corrupt.
std::optional<std::string> DenseCopy(CommandContext& ctx, std::string_view bytes) {
  std::string dense(bytes);
  if (hll::MakeDense(dense)) return dense;
  ctx.reply().Error(error_text::kCorruptHyperLogLog);
  return std::nullopt;
}

void DebugGetRegisters(CommandContext& ctx, Entry* entry, std::string_view bytes) {
  const std::optional<std::string> dense = DenseCopy(ctx, bytes);
  if (!dense) return;
  hll::Registers registers{};
  hll::MergeInto(registers, *dense);
  // Redis does so, and its tests look for it.
  if (hll::EncodingOf(bytes) != hll::Encoding::kDense) {
    ctx.SetRawString(0, *dense, ExpiryOf(entry));
  }
  ctx.reply().Array(registers.size());
  for (const uint8_t value : registers) ctx.reply().Integer(value);
}

void DebugDecode(CommandContext& ctx, Entry*, std::string_view bytes) {
  if (hll::EncodingOf(bytes) != hll::Encoding::kSparse) {
    return ctx.reply().Error("ERR HLL encoding is not sparse");
  }
  ctx.reply().Bulk(hll::DescribeRuns(bytes));
}

void DebugEncoding(CommandContext& ctx, Entry*, std::string_view bytes) {
  ctx.reply().Simple(hll::EncodingOf(bytes) == hll::Encoding::kDense ? "dense" : "sparse");
}

void DebugToDense(CommandContext& ctx, Entry* entry, std::string_view bytes) {
  if (hll::EncodingOf(bytes) == hll::Encoding::kDense) return ctx.reply().Integer(0);
  const std::optional<std::string> dense = DenseCopy(ctx, bytes);
  if (!dense) return;
  ctx.SetRawString(0, *dense, ExpiryOf(entry));
  ctx.reply().Integer(1);
}

void PfDebug(CommandContext& ctx) {
  using Subcommand = void (*)(CommandContext&, Entry*, std::string_view);
  static constexpr std::pair<std::string_view, Subcommand> kSubcommands[] = {
      {"getreg", &DebugGetRegisters},
      {"decode", &DebugDecode},
      {"encoding", &DebugEncoding},
      {"todense", &DebugToDense},
  };
  Entry* entry = ctx.FindForWrite(0);
  if (entry == nullptr) return ctx.reply().Error("ERR The specified key does not exist");
  StringValue before;
  if (!ReadHyperLogLog(ctx, *entry, before)) return;
  ctx.MakeRaw(0, entry);
  StringValue value;
  entry->ReadString(value);
  for (const auto& [name, run] : kSubcommands) {
    if (EqualsIgnoreCase(ctx.arg(1), name)) return run(ctx, entry, value.view());
  }
  ctx.reply().Error(absl::StrCat("ERR Unknown PFDEBUG subcommand '", AsPrinted(ctx.arg(1)), "'"));
}

// Random values must come back from where they were put, and change nothing beside them.
bool RegistersKeepTheirValues(Random& random) {
  std::string bytes = hll::Empty();
  hll::MakeDense(bytes);
  hll::Registers expected{};
  for (uint32_t index = 0; index < expected.size(); ++index) {
    const auto rank = static_cast<uint8_t>(random.Uniform(64));
    hll::RaiseDense(bytes, {.index = index, .rank = rank});
    expected[index] = rank;
  }
  hll::Registers found{};
  hll::MergeInto(found, bytes);
  return found == expected;
}

// What is wrong with the estimates of 1, 10, ... 1,000,000 elements; empty if nothing is. Six times
// the standard error is exceeded once in 10^9 runs.
std::string WrongEstimate(Random& random, size_t sparse_max_bytes) {
  constexpr uint64_t kElements = 1000000;
  const double relative_error = 1.04 / std::sqrt(static_cast<double>(hll::kRegisters));
  std::string sparse = hll::Empty();
  std::string dense = hll::Empty();
  hll::MakeDense(dense);
  const uint64_t seed = random.Next();
  uint64_t checkpoint = 1;
  for (uint64_t i = 1; i <= kElements; ++i) {
    const uint64_t element = i ^ seed;
    const hll::Observation observation =
        hll::Observe({reinterpret_cast<const char*>(&element), sizeof(element)});
    hll::RaiseDense(dense, observation);
    hll::Raise(sparse, observation, sparse_max_bytes);
    if (i != checkpoint) continue;

    const auto estimate = static_cast<int64_t>(*hll::EstimateCardinality(dense));
    if (hll::EstimateCardinality(sparse) != static_cast<uint64_t>(estimate)) {
      return "ERR TESTFAILED dense/sparse disagree";
    }
    const auto expected = static_cast<int64_t>(checkpoint);
    const int64_t error = std::abs(expected - estimate);
    // Of ten elements two may share a register.
    const int64_t most =
        checkpoint == 10
            ? 1
            : static_cast<int64_t>(std::ceil(relative_error * 6 * static_cast<double>(checkpoint)));
    if (error > most) {
      return absl::StrCat("ERR TESTFAILED Too big error. card:", checkpoint, " abserr:", error);
    }
    checkpoint *= 10;
  }
  return {};
}

void PfSelfTest(CommandContext& ctx) {
  if (!RegistersKeepTheirValues(ctx.random())) {
    return ctx.reply().Error("ERR TESTFAILED Registers do not keep their values");
  }
  const std::string wrong =
      WrongEstimate(ctx.random(), ctx.settings().encoding.hll_sparse_max_bytes);
  wrong.empty() ? ctx.reply().Ok() : ctx.reply().Error(wrong);
}

constexpr KeySpecs kCounted =
    Keys(1, -1, 1, kKeyRw | kKeyAccess)
        .WithNotes(
            "RW because it may change the internal representation of the key, and propagate to "
            "replicas");

// clang-format off
constexpr CommandSpec kHyperLogLogCommands[] = {
    {"pfadd", -2, kWrite | kDenyOom | kFast, Keys(1, 1, 1, kKeyRw | kKeyInsert), kAclHyperLogLog, &PfAdd,
     "2.8.9", "O(1) for each element.",
     "Adds elements to a HyperLogLog, which is created if need be.", "key [element ...]"},
    {"pfcount", -2, kReadOnly | kMayReplicate, kCounted, kAclHyperLogLog, &PfCount, "2.8.9",
     "O(1) with a small constant for one key, O(N) with a large one for N keys.",
     "Estimates how many different elements were added to HyperLogLogs.", "key [key ...]"},
    {"pfdebug", 3, kWrite | kDenyOom | kAdmin, Keys(2, 2, 1, kKeyRw | kKeyAccess), kAclHyperLogLog, &PfDebug,
     "2.8.9", "N/A", "Shows how a HyperLogLog is held.", "subcommand key"},
    {"pfmerge", -2, kWrite | kDenyOom,
     Keys(1, 1, 1, kKeyRw | kKeyAccess | kKeyInsert) + Keys(2, -1, 1, kKeyRo | kKeyAccess),
     kAclHyperLogLog, &PfMerge, "2.8.9", "O(N) for N keys, with a large constant.",
     "Merges HyperLogLogs into one.", "destkey:key [sourcekey:key ...]"},
    {"pfselftest", 1, kAdmin, kNoKeys, kAclHyperLogLog, &PfSelfTest, "2.8.9", "N/A",
     "Checks that HyperLogLogs estimate as well as they should."},
};
// clang-format on
static_assert(IsWellFormed(kHyperLogLogCommands));

}  // namespace

constinit const CommandFamily kHyperLogLogFamily = {"hyperloglog", kHyperLogLogCommands};

}  // namespace larder
