#include "commands/slow_log.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/text.h"

namespace larder {
namespace {

std::string ShortenedArgument(std::string_view arg) {
  if (arg.size() <= SlowLog::kMostArgumentBytes) return std::string(arg);
  return absl::StrCat(AsAbsl(arg.substr(0, SlowLog::kMostArgumentBytes)), "... (",
                      arg.size() - SlowLog::kMostArgumentBytes, " more bytes)");
}

std::vector<std::string> Shortened(std::span<const std::string_view> args) {
  std::vector<std::string> kept;
  const bool too_many = args.size() > SlowLog::kMostArguments;
  // The note about what is missing takes the place of one more.
  const size_t count = too_many ? SlowLog::kMostArguments - 1 : args.size();
  kept.reserve(count + 1);
  for (size_t i = 0; i < count; ++i) kept.push_back(ShortenedArgument(args[i]));
  if (too_many) kept.push_back(absl::StrCat("... (", args.size() - count, " more arguments)"));
  return kept;
}

}  // namespace

void SlowLog::Record(const Occurrence& occurrence, int64_t max_entries) {
  if (max_entries <= 0) return;
  Entry entry{.unix_seconds = occurrence.unix_seconds,
              .microseconds = occurrence.microseconds,
              .args = Shortened(occurrence.args),
              .client_address = std::string(occurrence.client_address),
              .client_name = std::string(occurrence.client_name)};
  MutexLock lock(mu_);
  entry.id = next_id_++;
  entries_.push_front(std::move(entry));
  TrimLocked(max_entries);
}

std::vector<SlowLog::Entry> SlowLog::Latest(size_t count) const {
  MutexLock lock(mu_);
  const size_t given = std::min(count, entries_.size());
  return {entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(given)};
}

size_t SlowLog::size() const {
  MutexLock lock(mu_);
  return entries_.size();
}

void SlowLog::Reset() {
  MutexLock lock(mu_);
  entries_.clear();
}

void SlowLog::Trim(int64_t max_entries) {
  MutexLock lock(mu_);
  TrimLocked(max_entries);
}

void SlowLog::TrimLocked(int64_t max_entries) {
  const auto most = static_cast<size_t>(std::max<int64_t>(0, max_entries));
  while (entries_.size() > most) entries_.pop_back();
}

}  // namespace larder
