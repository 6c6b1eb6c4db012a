#include "commands/command_table.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "base/numbers.h"

namespace larder {
namespace {

constexpr size_t kLongestName = 32;

// Lower-cases into `lower` (kLongestName bytes) and hashes; names are short, so eight bytes at a
// time with a multiplication is both enough and fastest.
uint64_t HashName(std::string_view name, char* lower) {
  uint64_t hash = name.size() * 0x9E3779B97F4A7C15ULL;
  size_t i = 0;
  for (; i + 8 <= name.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, name.data() + i, 8);
    // Sets the sixth bit of every byte that is 'A' to 'Z'; bytes with the top bit set stay.
    const uint64_t low = word & 0x7F7F7F7F7F7F7F7FULL;
    const uint64_t above_z = low + 0x2525252525252525ULL;  // Top bit: byte > 'Z'.
    const uint64_t from_a = low + 0x3F3F3F3F3F3F3F3FULL;   // Top bit: byte >= 'A'.
    const uint64_t upper = (from_a & ~above_z & ~word) & 0x8080808080808080ULL;
    word |= upper >> 2;
    std::memcpy(lower + i, &word, 8);
    hash = (hash ^ word) * 0x9E3779B97F4A7C15ULL;
    hash ^= hash >> 32;
  }
  uint64_t tail = 0;
  for (size_t shift = 0; i < name.size(); ++i, shift += 8) {
    lower[i] = AsciiLower(name[i]);
    tail |= static_cast<uint64_t>(static_cast<unsigned char>(lower[i])) << shift;
  }
  hash = (hash ^ tail) * 0x9E3779B97F4A7C15ULL;
  return hash ^ (hash >> 32);
}

uint32_t DeriveAcl(const CommandSpec& spec) {
  uint32_t acl = spec.acl;
  if ((spec.flags & kWrite) != 0) acl |= kAclWrite;
  // Scripts are read-only only by promise, so Redis leaves them out of @read.
  if ((spec.flags & kReadOnly) != 0 && (spec.acl & kAclScripting) == 0) acl |= kAclRead;
  if ((spec.flags & kAdmin) != 0) acl |= kAclAdmin | kAclDangerous;
  if ((spec.flags & kPubSubFlag) != 0) acl |= kAclPubSub;
  acl |= (spec.flags & kFast) != 0 ? kAclFast : kAclSlow;
  if ((spec.flags & kBlocking) != 0) acl |= kAclBlocking;
  return acl;
}

uint16_t SingleKeyArg(const KeySpecs& keys) {
  const KeySpec& key = keys.specs[0];
  const bool single = keys.count == 1 && key.begin == KeySpec::Begin::kIndex &&
                      key.find == KeySpec::Find::kRange && key.last == 0;
  return single ? static_cast<uint16_t>(key.index) : 0;
}

// Those of sets, hashes and sorted sets that take the same time whatever their size find a member.
bool NamesMember(const CommandSpec& spec) {
  return SingleKeyArg(spec.keys) != 0 && (spec.flags & kFast) != 0 &&
         (spec.acl & (kAclSet | kAclHash | kAclSortedSet)) != 0;
}

bool HasMovableKeys(const CommandSpec& spec) {
  // Redis calls keys movable when first-last-step cannot say where they are.
  if (spec.keys.count > 1) {
    // Two ranges side by side (RENAME) can be told as one.
    for (const KeySpec& key : spec.keys.view()) {
      if (key.begin != KeySpec::Begin::kIndex || key.find != KeySpec::Find::kRange) return true;
    }
    return false;
  }
  for (const KeySpec& key : spec.keys.view()) {
    if (key.begin != KeySpec::Begin::kIndex || key.find != KeySpec::Find::kRange) return true;
  }
  return false;
}

// Where the search for keys of `spec` begins, or -1 when its keyword is absent.
int64_t BeginOf(const KeySpec& spec, std::span<const std::string_view> args) {
  if (spec.begin == KeySpec::Begin::kIndex) return spec.index;
  if (spec.begin == KeySpec::Begin::kUnknown) return -1;
  const int64_t argc = static_cast<int64_t>(args.size());
  const bool backwards = spec.index < 0;
  const int64_t start = backwards ? argc + spec.index : spec.index;
  for (int64_t i = start; backwards ? i > 0 : i < argc; i += backwards ? -1 : 1) {
    if (EqualsIgnoreCase(args[static_cast<size_t>(i)], spec.keyword)) return i + 1;
  }
  return -1;
}

// The flags of the keys in one request, which the row may leave to its options.
uint32_t KeyFlagsIn(const Command& command, const KeySpec& spec,
                    std::span<const std::string_view> args) {
  const uint32_t flags = KeyFlagsOf(command, spec);
  if (spec.flags_in != nullptr) return spec.flags_in(args);
  if ((flags & kKeyVariableFlags) == 0 || spec.word.empty()) return flags;
  for (size_t i = static_cast<size_t>(spec.index) + 2; i < args.size(); ++i) {
    if (EqualsIgnoreCase(args[i], spec.word)) return flags & ~kKeyVariableFlags;
  }
  return spec.flags_without_word;
}

bool AppendRange(const Command& command, const KeySpec& spec, int64_t begin,
                 std::span<const std::string_view> args, std::vector<KeyPosition>& keys) {
  const int64_t argc = static_cast<int64_t>(args.size());
  int64_t last = begin + spec.last;
  if (spec.last < 0) {
    last = argc + spec.last;
    if (spec.last == -1 && spec.limit >= 2) last = begin + (argc - begin) / spec.limit - 1;
  }
  if (begin >= argc || last >= argc || last < begin) return false;
  const uint32_t flags = KeyFlagsIn(command, spec, args);
  for (int64_t i = begin; i <= last; i += spec.step) {
    keys.push_back({static_cast<uint32_t>(i), flags});
  }
  return true;
}

bool AppendCounted(const Command& command, const KeySpec& spec, int64_t begin,
                   std::span<const std::string_view> args, std::vector<KeyPosition>& keys) {
  const int64_t argc = static_cast<int64_t>(args.size());
  const int64_t count_at = begin + spec.count_at;
  if (count_at >= argc) return false;
  const std::optional<int64_t> count = ParseInt64(args[static_cast<size_t>(count_at)]);
  const int64_t first = begin + spec.first;
  if (!count || *count < 1 || *count > (argc - first) / spec.step) return false;
  for (int64_t i = 0; i < *count; ++i) {
    keys.push_back({static_cast<uint32_t>(first + i * spec.step), KeyFlagsOf(command, spec)});
  }
  return true;
}

}  // namespace

uint32_t KeyFlagsOf(const Command& command, const KeySpec& spec) {
  if (spec.flags != 0) return spec.flags;
  return command.Has(kWrite) ? kKeyRw | kKeyUpdate : kKeyRo | kKeyAccess;
}

const Command* Command::FindSubcommand(std::string_view name) const {
  for (const auto& subcommand : subcommands_) {
    if (EqualsIgnoreCase(subcommand->spec().name, name)) return subcommand.get();
  }
  return nullptr;
}

CommandTable::CommandTable(std::span<const CommandFamily> families,
                           std::span<const std::pair<std::string, std::string>> renames) {
  for (const CommandFamily& family : families) {
    for (const CommandSpec& spec : family.commands) {
      std::string_view name = spec.name;
      for (const auto& [from, to] : renames) {
        if (EqualsIgnoreCase(from, spec.name)) name = to;
      }
      if (!name.empty()) Add(family, spec, name);
    }
  }
  std::sort(commands_.begin(), commands_.end(),
            [](const Command* a, const Command* b) { return a->full_name() < b->full_name(); });

  const size_t slot_count = std::bit_ceil(commands_.size() * 4);
  slots_.resize(slot_count);
  slot_mask_ = slot_count - 1;
  char lower[kLongestName];
  for (const Command* command : commands_) {
    const std::string& name = command->full_name();
    LARDER_CHECK(name.size() <= kLongestName);
    const uint64_t hash = HashName(name, lower);
    uint64_t slot = hash & slot_mask_;
    while (slots_[slot].command != nullptr) slot = (slot + 1) & slot_mask_;
    slots_[slot] = {.hash = hash, .command = command, .name = name};
  }
}

void CommandTable::Add(const CommandFamily& family, const CommandSpec& spec,
                       std::string_view name) {
  auto make = [&](const CommandSpec& row, std::string full_name, const Command* container) {
    auto command = std::make_unique<Command>();
    command->spec_ = &row;
    command->full_name_ = std::move(full_name);
    command->id_ = static_cast<uint32_t>(all_.size());
    command->group_ = family.group;
    command->acl_categories_ = DeriveAcl(row);
    command->movable_keys_ = HasMovableKeys(row);
    command->single_key_arg_ = SingleKeyArg(row.keys);
    if (NamesMember(row)) {
      command->member_arg_ = static_cast<uint16_t>(command->single_key_arg_ + 1);
      command->member_is_last_ = (row.acl & kAclSortedSet) != 0;
    }
    command->keyless_ = row.keys.count == 0 && (row.flags & kAllShards) == 0 &&
                        row.extras.needs_all_shards == nullptr;
    command->container_ = container;
    all_.push_back(command.get());
    return command;
  };
  auto command = make(spec, ToLower(name), nullptr);
  for (const CommandSpec& row : spec.extras.subcommands) {
    command->subcommands_.push_back(
        make(row, command->full_name_ + "|" + std::string(row.name), command.get()));
  }
  commands_.push_back(command.get());
  owned_.push_back(std::move(command));
}

const Command* CommandTable::Find(std::string_view name) const {
  if (name.empty() || name.size() > kLongestName) return nullptr;
  char lower[kLongestName];
  const uint64_t hash = HashName(name, lower);
  for (uint64_t slot = hash & slot_mask_;; slot = (slot + 1) & slot_mask_) {
    const NameSlot& candidate = slots_[slot];
    if (candidate.command == nullptr) return nullptr;
    if (candidate.hash == hash && candidate.name == std::string_view(lower, name.size())) {
      return candidate.command;
    }
  }
}

const Command* CommandTable::Resolve(std::span<const std::string_view> args) const {
  const Command* command = Find(args[0]);
  if (command == nullptr || command->subcommands().empty() || args.size() < 2) return command;
  const Command* subcommand = command->FindSubcommand(args[1]);
  return subcommand != nullptr ? subcommand : command;
}

bool FindKeys(const Command& command, std::span<const std::string_view> args,
              std::vector<KeyPosition>& keys) {
  bool sound = true;
  for (const KeySpec& spec : command.spec().keys.view()) {
    if (spec.locate != nullptr) {
      const size_t at = spec.locate(args);
      if (at != 0) keys.push_back({static_cast<uint32_t>(at), KeyFlagsOf(command, spec)});
      continue;
    }
    const int64_t begin = BeginOf(spec, args);
    if (begin < 0) continue;  // An optional keyword that is not there brings no keys.
    sound &= spec.find == KeySpec::Find::kRange ? AppendRange(command, spec, begin, args, keys)
                                                : AppendCounted(command, spec, begin, args, keys);
  }
  return sound;
}

}  // namespace larder
