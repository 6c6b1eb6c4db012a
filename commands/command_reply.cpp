#include "commands/command_reply.h"

#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <vector>

#include "base/text.h"
#include "commands/command_docs.h"

namespace larder {
namespace {

struct BitName {
  uint32_t bit;
  std::string_view name;
};

// In the order in which Redis lists them. What is missing here is not shown by Redis either.
constexpr std::array kFlagNames = {
    BitName{kWrite, "write"},
    BitName{kReadOnly, "readonly"},
    BitName{kDenyOom, "denyoom"},
    BitName{kAdmin, "admin"},
    BitName{kPubSubFlag, "pubsub"},
    BitName{kNoScript, "noscript"},
    BitName{kBlocking, "blocking"},
    BitName{kLoading, "loading"},
    BitName{kStale, "stale"},
    BitName{kSkipMonitor, "skip_monitor"},
    BitName{kSkipSlowlog, "skip_slowlog"},
    BitName{kAsking, "asking"},
    BitName{kFast, "fast"},
    BitName{kNoAuth, "no_auth"},
    BitName{kNoMandatoryKeys, "no_mandatory_keys"},
    BitName{kNoAsyncLoading, "no_async_loading"},
    BitName{kNoMulti, "no_multi"},
};

constexpr std::array kAclNames = {
    BitName{kAclKeyspace, "@keyspace"},
    BitName{kAclRead, "@read"},
    BitName{kAclWrite, "@write"},
    BitName{kAclSet, "@set"},
    BitName{kAclSortedSet, "@sortedset"},
    BitName{kAclList, "@list"},
    BitName{kAclHash, "@hash"},
    BitName{kAclString, "@string"},
    BitName{kAclBitmap, "@bitmap"},
    BitName{kAclHyperLogLog, "@hyperloglog"},
    BitName{kAclGeo, "@geo"},
    BitName{kAclStream, "@stream"},
    BitName{kAclPubSub, "@pubsub"},
    BitName{kAclAdmin, "@admin"},
    BitName{kAclFast, "@fast"},
    BitName{kAclSlow, "@slow"},
    BitName{kAclBlocking, "@blocking"},
    BitName{kAclDangerous, "@dangerous"},
    BitName{kAclConnection, "@connection"},
    BitName{kAclTransaction, "@transaction"},
    BitName{kAclScripting, "@scripting"},
    BitName{kAclCache, "@cache"},
};

constexpr std::array kKeyFlagNames = {
    BitName{kKeyRo, "RO"},
    BitName{kKeyRw, "RW"},
    BitName{kKeyOw, "OW"},
    BitName{kKeyRm, "RM"},
    BitName{kKeyAccess, "access"},
    BitName{kKeyUpdate, "update"},
    BitName{kKeyInsert, "insert"},
    BitName{kKeyDelete, "delete"},
    BitName{kKeyNotKey, "not_key"},
    BitName{kKeyIncomplete, "incomplete"},
    BitName{kKeyVariableFlags, "variable_flags"},
};

void WriteSet(ReplyWriter& reply, std::span<const std::string_view> names) {
  reply.Set(names.size());
  for (const std::string_view name : names) reply.Simple(name);
}

std::vector<std::string_view> NamesOf(uint32_t bits, std::span<const BitName> names) {
  std::vector<std::string_view> result;
  for (const auto& [bit, name] : names) {
    if ((bits & bit) != 0) result.push_back(name);
  }
  return result;
}

void WriteFlags(ReplyWriter& reply, const Command& command) {
  std::vector<std::string_view> names = NamesOf(command.flags(), kFlagNames);
  if (command.movable_keys()) names.emplace_back("movablekeys");
  if (command.Has(kAllowBusy)) names.emplace_back("allow_busy");
  WriteSet(reply, names);
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

void WriteTips(ReplyWriter& reply, const CommandSpec& spec) {
  const std::vector<std::string_view> tips = Split(spec.extras.tips, ' ');
  reply.Set(tips.size());
  for (const std::string_view tip : tips) reply.Bulk(tip);
}

void WriteField(ReplyWriter& reply, std::string_view name, int64_t value) {
  reply.Bulk(name);
  reply.Integer(value);
}

void WriteField(ReplyWriter& reply, std::string_view name, std::string_view value) {
  reply.Bulk(name);
  reply.Bulk(value);
}

void WriteBeginSearch(ReplyWriter& reply, const KeySpec& spec) {
  reply.Bulk("begin_search");
  reply.Map(2);
  switch (spec.begin) {
    case KeySpec::Begin::kIndex:
      WriteField(reply, "type", "index");
      reply.Bulk("spec");
      reply.Map(1);
      WriteField(reply, "index", spec.index);
      return;
    case KeySpec::Begin::kKeyword:
      WriteField(reply, "type", "keyword");
      reply.Bulk("spec");
      reply.Map(2);
      WriteField(reply, "keyword", spec.keyword);
      WriteField(reply, "startfrom", spec.index);
      return;
    case KeySpec::Begin::kUnknown:
      WriteField(reply, "type", "unknown");
      reply.Bulk("spec");
      reply.Map(0);
      return;
  }
}

void WriteFindKeys(ReplyWriter& reply, const KeySpec& spec) {
  reply.Bulk("find_keys");
  reply.Map(2);
  switch (spec.find) {
    case KeySpec::Find::kRange:
      WriteField(reply, "type", "range");
      reply.Bulk("spec");
      reply.Map(3);
      WriteField(reply, "lastkey", spec.last);
      WriteField(reply, "keystep", spec.step);
      WriteField(reply, "limit", spec.limit);
      return;
    case KeySpec::Find::kCount:
      WriteField(reply, "type", "keynum");
      reply.Bulk("spec");
      reply.Map(3);
      WriteField(reply, "keynumidx", spec.count_at);
      WriteField(reply, "firstkey", spec.first);
      WriteField(reply, "keystep", spec.step);
      return;
    case KeySpec::Find::kUnknown:
      WriteField(reply, "type", "unknown");
      reply.Bulk("spec");
      reply.Map(0);
      return;
  }
}

void WriteKeySpecs(ReplyWriter& reply, const Command& command) {
  const std::span<const KeySpec> specs = command.spec().keys.view();
  reply.Set(specs.size());
  for (const KeySpec& spec : specs) {
    reply.Map(spec.notes.empty() ? 3 : 4);
    if (!spec.notes.empty()) WriteField(reply, "notes", spec.notes);
    reply.Bulk("flags");
    WriteKeyFlags(reply, KeyFlagsOf(command, spec));
    WriteBeginSearch(reply, spec);
    WriteFindKeys(reply, spec);
  }
}

void WriteDocArguments(ReplyWriter& reply, std::span<const DocArgument> arguments) {
  reply.Bulk("arguments");
  reply.Array(arguments.size());
  for (const DocArgument& argument : arguments) {
    const bool has_flags = argument.optional || argument.multiple;
    reply.Map(2 + (argument.key_spec_index >= 0 ? 1 : 0) + (argument.token.empty() ? 0 : 1) +
              (has_flags ? 1 : 0) + (argument.arguments.empty() ? 0 : 1));
    WriteField(reply, "name", argument.name);
    WriteField(reply, "type", DocTypeName(argument.type));
    if (argument.key_spec_index >= 0) {
      WriteField(reply, "key_spec_index", argument.key_spec_index);
    }
    if (!argument.token.empty()) WriteField(reply, "token", argument.token);
    if (has_flags) {
      reply.Bulk("flags");
      std::vector<std::string_view> flags;
      if (argument.optional) flags.emplace_back("optional");
      if (argument.multiple) flags.emplace_back("multiple");
      if (argument.multiple_token) flags.emplace_back("multiple_token");
      WriteSet(reply, flags);
    }
    if (!argument.arguments.empty()) WriteDocArguments(reply, argument.arguments);
  }
}

// "version: change" lines.
void WriteHistory(ReplyWriter& reply, std::string_view history) {
  const std::vector<std::string_view> lines = Split(history, '\n');
  reply.Bulk("history");
  reply.Set(lines.size());
  for (const std::string_view line : lines) {
    const size_t colon = std::min(line.find(": "), line.size());
    reply.Array(2);
    reply.Bulk(line.substr(0, colon));
    reply.Bulk(line.substr(std::min(colon + 2, line.size())));
  }
}

}  // namespace

void WriteKeyFlags(ReplyWriter& reply, uint32_t flags) {
  WriteSet(reply, NamesOf(flags, kKeyFlagNames));
}

std::optional<AclCategory> AclCategoryNamed(std::string_view name) {
  for (const auto& [bit, category] : kAclNames) {
    if (EqualsIgnoreCase(category.substr(1), name)) return static_cast<AclCategory>(bit);
  }
  return std::nullopt;
}

KeyRange KeyRangeOf(const CommandSpec& spec) {
  KeyRange range;
  int previous_last = 0;
  for (const KeySpec& key : spec.keys.view()) {
    if (key.begin != KeySpec::Begin::kIndex || key.find != KeySpec::Find::kRange) continue;
    const int last = key.last < 0 ? key.last : key.index + key.last;
    if (range.first == 0) {
      range = {.first = key.index, .last = last, .step = key.step};
    } else if (key.index == previous_last + 1 && key.step == 1 && range.step == 1) {
      range.last = last;  // Side by side, as source and destination of RENAME.
    } else {
      continue;
    }
    previous_last = last;
  }
  return range;
}

void WriteCommandInfo(ReplyWriter& reply, const Command& command) {
  const CommandSpec& spec = command.spec();
  const KeyRange range = KeyRangeOf(spec);
  reply.Array(10);
  reply.Bulk(command.full_name());
  reply.Integer(spec.arity);
  WriteFlags(reply, command);
  reply.Integer(range.first);
  reply.Integer(range.last);
  reply.Integer(range.step);
  WriteSet(reply, NamesOf(command.acl_categories(), kAclNames));
  WriteTips(reply, spec);
  WriteKeySpecs(reply, command);
  if (command.subcommands().empty()) return reply.Set(0);  // Redis has it so: a set if empty.
  reply.Array(command.subcommands().size());
  for (const auto& subcommand : command.subcommands()) WriteCommandInfo(reply, *subcommand);
}

void WriteCommandDocs(ReplyWriter& reply, const Command& command) {
  const CommandSpec& spec = command.spec();
  const CommandExtras& extras = spec.extras;
  const bool deprecated = !extras.deprecated_since.empty();
  const std::vector<DocArgument> arguments = ParseSyntax(spec);

  const ReplyWriter::DeferredMark mark = reply.BeginDeferred();
  size_t fields = 0;
  const auto text = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    WriteField(reply, name, value);
    ++fields;
  };
  text("summary", spec.summary);
  text("since", spec.since);
  text("group", command.group());
  text("complexity", spec.cost);
  if (deprecated) {
    reply.Bulk("doc_flags");
    WriteSet(reply, std::array<std::string_view, 1>{"deprecated"});
    ++fields;
  }
  text("deprecated_since", extras.deprecated_since);
  text("replaced_by", extras.replaced_by);
  if (!extras.history.empty()) {
    WriteHistory(reply, extras.history);
    ++fields;
  }
  if (!arguments.empty()) {
    WriteDocArguments(reply, arguments);
    ++fields;
  }
  if (!command.subcommands().empty()) {
    reply.Bulk("subcommands");
    reply.Map(command.subcommands().size());
    for (const auto& subcommand : command.subcommands()) {
      reply.Bulk(subcommand->full_name());
      WriteCommandDocs(reply, *subcommand);
    }
    ++fields;
  }
  reply.EndDeferredMap(mark, fields);
}

}  // namespace larder
