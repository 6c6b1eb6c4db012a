// All commands of the process, findable by name, numbered, and asked about their keys.
//
// Concurrency: immutable after construction (rename-command acts on construction).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "commands/command_spec.h"

namespace larder {

// A row as the running server knows it.
class Command {
 public:
  const CommandSpec& spec() const { return *spec_; }
  // "get", "config|get": what statistics, ACL and errors call it.
  const std::string& full_name() const { return full_name_; }
  // Dense, from 0: the index of per-command statistics.
  uint32_t id() const { return id_; }
  std::string_view group() const { return group_; }
  // The row's flags.
  uint32_t flags() const { return spec_->flags; }
  bool Has(uint32_t flag) const { return (spec_->flags & flag) != 0; }
  // All ACL categories, derived ones included.
  uint32_t acl_categories() const { return acl_categories_; }
  // The argument that is its only key; 0 if it has none, or may have several.
  size_t single_key_arg() const { return single_key_arg_; }
  // The argument that is a member (or field) of the key's collection, or the first of them; 0 if it
  // names none. The last one of `argc` for commands that put a score before it.
  size_t MemberArg(size_t argc) const {
    if (member_arg_ >= argc) return 0;
    return member_is_last_ ? argc - 1 : member_arg_;
  }
  // Whether it names no key and wants no shard locked.
  bool keyless() const { return keyless_; }
  // Whether its keys are not simply first, last, step.
  bool movable_keys() const { return movable_keys_; }
  const Command* container() const { return container_; }
  std::span<const std::unique_ptr<Command>> subcommands() const { return subcommands_; }
  const Command* FindSubcommand(std::string_view name) const;
  bool ArityFits(size_t argc) const {
    const int64_t count = static_cast<int64_t>(argc);
    return spec_->arity >= 0 ? count == spec_->arity : count >= -spec_->arity;
  }

 private:
  friend class CommandTable;
  const CommandSpec* spec_ = nullptr;
  std::string full_name_;
  uint32_t id_ = 0;
  std::string_view group_;
  uint32_t acl_categories_ = 0;
  uint16_t single_key_arg_ = 0;
  uint16_t member_arg_ = 0;
  bool member_is_last_ = false;
  bool keyless_ = false;
  bool movable_keys_ = false;
  const Command* container_ = nullptr;
  std::vector<std::unique_ptr<Command>> subcommands_;
};

// One key among a request's arguments.
struct KeyPosition {
  uint32_t arg = 0;
  uint32_t flags = 0;  // KeyFlags, derived ones filled in.
};

class CommandTable {
 public:
  // `renames`: from old to new name, as rename-command says; an empty new name removes the command.
  explicit CommandTable(std::span<const CommandFamily> families,
                        std::span<const std::pair<std::string, std::string>> renames = {});

  // Case-insensitive; null if there is none.
  const Command* Find(std::string_view name) const;
  // The command of a request: the subcommand if args[0] is a container and args[1] one of its own,
  // the container itself if args[1] is missing or unknown to it, null if args[0] is unknown.
  const Command* Resolve(std::span<const std::string_view> args) const;

  std::span<const Command* const> commands() const { return commands_; }  // Top level, by name.
  // Every command and subcommand; its position is its id.
  std::span<const Command* const> all() const { return all_; }

 private:
  void Add(const CommandFamily& family, const CommandSpec& spec, std::string_view name);

  std::vector<std::unique_ptr<Command>> owned_;
  std::vector<const Command*> commands_;
  std::vector<const Command*> all_;
  // Open addressing over the lower-cased name: a lookup is one hash of at most 16 bytes and one
  // comparison.
  struct NameSlot {
    uint64_t hash = 0;
    const Command* command = nullptr;
    std::string_view name;
  };
  std::vector<NameSlot> slots_;
  uint64_t slot_mask_ = 0;
};

// The flags of a row's key specification, derived ones filled in.
uint32_t KeyFlagsOf(const Command& command, const KeySpec& spec);

// The keys of a request. REQUIRES: command.ArityFits(args.size()). False if the arguments make no
// sense as the specification reads them (a count that is no number, or larger than what is there);
// `keys` then holds what could be found.
bool FindKeys(const Command& command, std::span<const std::string_view> args,
              std::vector<KeyPosition>& keys);

// Every family that Larder has, in registry.cpp: a new one is one line there.
std::span<const CommandFamily> AllCommandFamilies();

}  // namespace larder
