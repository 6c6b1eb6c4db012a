#include "commands/client_filter.h"

#include <algorithm>
#include <chrono>
#include <span>

#include "absl/strings/str_cat.h"
#include "base/numbers.h"
#include "base/printed_text.h"
#include "base/text.h"
#include "commands/argument_parsers.h"
#include "commands/authentication.h"
#include "commands/command_context.h"

namespace larder {
namespace {

using Traits = ClientFilter::Traits;

// The filters whose value is a text like any other.
struct TextFilter {
  std::string_view name;
  std::optional<std::string_view> Traits::* value;
};

constexpr TextFilter kTextFilters[] = {
    {"addr", &Traits::address},
    {"laddr", &Traits::local_address},
    {"ip", &Traits::ip},
    {"name", &Traits::name},
    {"lib-name", &Traits::library_name},
    {"lib-ver", &Traits::library_version},
};

constexpr std::string_view kOtherFilters[] = {"id",     "type",   "user", "flags", "capa",
                                              "maxage", "skipme", "idle", "db"};

constexpr std::string_view kNegation = "not-";

bool IsFilterName(std::string_view word) {
  if (StartsWithIgnoreCase(word, kNegation)) word.remove_prefix(kNegation.size());
  const auto matches = [&](std::string_view name) { return EqualsIgnoreCase(word, name); };
  return std::any_of(std::begin(kOtherFilters), std::end(kOtherFilters), matches) ||
         std::any_of(std::begin(kTextFilters), std::end(kTextFilters),
                     [&](const TextFilter& filter) { return matches(filter.name); });
}

// Reads the filters of one request, one after the other.
class Parser {
 public:
  Parser(CommandContext& ctx, size_t first, ClientFilterUse use, ClientFilter& filter)
      : ctx_(ctx), use_(use), filter_(filter), at_(first) {}

  bool ParseAll() {
    while (at_ < ctx_.argc()) {
      if (at_ + 1 == ctx_.argc()) return Refuse(error_text::kSyntax);
      if (!ParseOne()) return false;
    }
    return true;
  }

 private:
  bool Refuse(std::string_view error) {
    ctx_.reply().Error(error);
    return false;
  }

  bool ParseOne() {
    std::string_view name = ctx_.arg(at_);
    const bool negated = StartsWithIgnoreCase(name, kNegation);
    if (negated) name.remove_prefix(kNegation.size());
    Traits& traits = negated ? filter_.unwanted : filter_.wanted;
    ++at_;
    if (EqualsIgnoreCase(name, "id")) return ParseIds(traits);
    const std::string_view value = ctx_.arg(at_);
    if (EqualsIgnoreCase(name, "type")) return ParseType(value, traits);
    if (EqualsIgnoreCase(name, "user")) return ParseUser(value, traits);
    if (EqualsIgnoreCase(name, "flags")) return ParseFlags(value, traits);
    if (EqualsIgnoreCase(name, "capa")) return ParseCapabilities(value, traits);
    if (EqualsIgnoreCase(name, "db")) return ParseDb(traits);
    for (const TextFilter& text : kTextFilters) {
      if (!EqualsIgnoreCase(name, text.name)) continue;
      traits.*text.value = value;
      ++at_;
      return true;
    }
    if (negated) return Refuse(error_text::kSyntax);
    if (EqualsIgnoreCase(name, "skipme")) return ParseSkipMe(value);
    if (EqualsIgnoreCase(name, "maxage")) return ParseSeconds("maxage", filter_.least_age_seconds);
    if (EqualsIgnoreCase(name, "idle")) return ParseSeconds("idle", filter_.least_idle_seconds);
    return Refuse(error_text::kSyntax);
  }

  // Ids go on until something else begins.
  bool ParseIds(Traits& traits) {
    traits.ids.clear();
    do {
      const std::optional<int64_t> id = ParseInt64(ctx_.arg(at_));
      const bool positive = id && *id > 0;
      if (use_ == ClientFilterUse::kKill) {
        if (!positive && traits.ids.empty()) return Refuse(error_text::kClientIdNotPositive);
        if (!id) return true;
        if (!positive) return Refuse(error_text::kClientIdNotPositive);
      } else if (!id) {
        if (!traits.ids.empty() && IsFilterName(ctx_.arg(at_))) return true;
        return Refuse(error_text::kInvalidClientId);
      }
      traits.ids.push_back(*id);
      ++at_;
    } while (at_ < ctx_.argc());
    return true;
  }

  bool ParseType(std::string_view value, Traits& traits) {
    traits.type = ParseClientType(value);
    if (!traits.type)
      return Refuse(absl::StrCat("ERR Unknown client type '", AsPrinted(value), "'"));
    ++at_;
    return true;
  }

  bool ParseUser(std::string_view value, Traits& traits) {
    if (!UserExists(value))
      return Refuse(absl::StrCat("ERR No such user '", AsPrinted(value), "'"));
    traits.user = value;
    ++at_;
    return true;
  }

  bool ParseFlags(std::string_view value, Traits& traits) {
    // Letters that only other roles of a server have are letters too.
    constexpr std::string_view kOfOtherRoles = "SMuIiE";
    for (const char letter : value) {
      if (AllFlagLetters().find(letter) == std::string_view::npos &&
          kOfOtherRoles.find(letter) == std::string_view::npos) {
        return Refuse(
            absl::StrCat("ERR Unknown flags found in the provided filter: ", AsAbsl(value)));
      }
    }
    traits.flags = value;
    ++at_;
    return true;
  }

  bool ParseCapabilities(std::string_view value, Traits& traits) {
    if (value.find_first_not_of('r') != std::string_view::npos) {
      return Refuse(absl::StrCat("ERR Unknown capa found in the provided filter: ", AsAbsl(value)));
    }
    traits.capabilities = value;
    ++at_;
    return true;
  }

  bool ParseDb(Traits& traits) {
    int64_t db = 0;
    if (!ParseInteger(ctx_, at_, db, "ERR DB is not an integer or out of range")) return false;
    if (db < 0 || db >= ctx_.settings().databases) {
      return Refuse(
          absl::StrCat("ERR DB number should be between 0 and ", ctx_.settings().databases - 1));
    }
    traits.db = db;
    ++at_;
    return true;
  }

  bool ParseSkipMe(std::string_view value) {
    if (EqualsIgnoreCase(value, "yes")) {
      filter_.skip_asking = true;
    } else if (EqualsIgnoreCase(value, "no")) {
      filter_.skip_asking = false;
    } else {
      return Refuse(error_text::kSyntax);
    }
    ++at_;
    return true;
  }

  bool ParseSeconds(std::string_view what, std::optional<int64_t>& seconds) {
    int64_t value = 0;
    if (!ParseInteger(ctx_, at_, value,
                      absl::StrCat("ERR ", AsAbsl(what), " is not an integer or out of range"))) {
      return false;
    }
    if (value <= 0) {
      return Refuse(absl::StrCat("ERR ", AsAbsl(what), " should be greater than 0"));
    }
    seconds = value;
    ++at_;
    return true;
  }

  CommandContext& ctx_;
  const ClientFilterUse use_;
  ClientFilter& filter_;
  size_t at_;
};

std::string_view IpOf(std::string_view address) { return address.substr(0, address.rfind(':')); }

bool HasAll(std::string_view letters, std::string_view wanted) {
  return std::all_of(wanted.begin(), wanted.end(),
                     [&](char letter) { return letters.find(letter) != std::string_view::npos; });
}

// Calls visit(whether the client has it) for each trait that is named.
template <typename Visit>
void CompareNamed(const Traits& traits, const ClientRecord& record, Visit visit) {
  if (!traits.ids.empty()) {
    visit(std::find(traits.ids.begin(), traits.ids.end(), static_cast<int64_t>(record.id)) !=
          traits.ids.end());
  }
  if (traits.type) visit(*traits.type == TypeOf(record));
  if (traits.db) visit(*traits.db == record.db.load(std::memory_order_relaxed));
  if (traits.flags) visit(HasAll(FlagLetters(record), *traits.flags));
  // No client has any capability: Larder never redirects one.
  if (traits.capabilities) visit(traits.capabilities->empty());
  if (traits.address) visit(*traits.address == record.address);
  if (traits.local_address) visit(*traits.local_address == record.local_address);
  if (traits.ip) visit(*traits.ip == IpOf(record.address));
  MutexLock lock(record.text_mu);
  if (traits.user) visit(*traits.user == record.user);
  if (traits.name) visit(*traits.name == record.name);
  if (traits.library_name) visit(*traits.library_name == record.library_name);
  if (traits.library_version) visit(*traits.library_version == record.library_version);
}

int64_t SecondsSince(MonoTime then, MonoTime now) {
  return std::chrono::duration_cast<std::chrono::seconds>(now - then).count();
}

}  // namespace

bool ClientFilter::Matches(const ClientRecord& record, uint64_t asking_id, MonoTime now) const {
  if (skip_asking && record.id == asking_id) return false;
  if (least_age_seconds && SecondsSince(record.connected_at, now) < *least_age_seconds)
    return false;
  const MonoTime last{
      std::chrono::nanoseconds(record.last_interaction_ns.load(std::memory_order_relaxed))};
  if (least_idle_seconds && SecondsSince(last, now) < *least_idle_seconds) return false;
  bool matches = true;
  CompareNamed(wanted, record, [&](bool has) { matches = matches && has; });
  CompareNamed(unwanted, record, [&](bool has) { matches = matches && !has; });
  return matches;
}

bool ParseClientFilter(CommandContext& ctx, size_t first, ClientFilterUse use,
                       ClientFilter& filter) {
  return Parser(ctx, first, use, filter).ParseAll();
}

}  // namespace larder
