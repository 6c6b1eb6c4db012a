// Rules of stampede protection: which keys are protected without their clients' knowledge, and how.
//
//   product:* lease 5s wait 500ms grace 30s beta 1 jitter 10% leases 100
//
// docs/stampede.md says it for users.
//
// Concurrency: rules are immutable once they are in a StampedeRules; their figures and their cap
// count by themselves.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "eviction/lease_cap.h"
#include "eviction/stampede_figures.h"

namespace larder {

struct StampedeRule {
  std::string glob;
  std::chrono::milliseconds lease{5000};  // For how long an elected reader may load.
  std::chrono::milliseconds wait{500};    // How long others wait for it.
  std::chrono::milliseconds grace{0};     // How long a value is served after its time to live.
  double beta = 1.0;                      // Of XFetch; 0: nobody refreshes early.
  double jitter_percent = 0;              // By how much lives are shortened at most.
  bool follows_connection = false;        // A lease ends with its holder's connection.
  int64_t leases = 0;                     // How many keys are loaded at a time; 0: all that want.
  std::shared_ptr<StampedeFigures> figures = std::make_shared<StampedeFigures>();
  // Counts them. It hears of `leases` when the rule comes into force.
  std::shared_ptr<LeaseCap> cap = std::make_shared<LeaseCap>();

  // Whether they say the same, whatever they counted.
  friend bool operator==(const StampedeRule& a, const StampedeRule& b);
};

// From the words of a line: the glob, and options in any order, each once. The error says which
// word is wrong, without "ERR".
absl::StatusOr<StampedeRule> ParseStampedeRule(std::span<const std::string> words);
// As the parser takes it back, with every option.
std::string PrintStampedeRule(const StampedeRule& rule);

// In the order in which they apply: the first that matches a key is the key's.
class StampedeRules {
 public:
  StampedeRules() = default;
  explicit StampedeRules(std::vector<StampedeRule> rules);

  bool empty() const { return rules_.empty(); }
  // Of all rules; 0 without any.
  double highest_beta() const { return highest_beta_; }
  const std::vector<StampedeRule>& all() const { return rules_; }
  // Null if none does.
  const StampedeRule* Match(std::string_view key) const;

 private:
  std::vector<StampedeRule> rules_;
  // Of globs that are a literal with a star behind it, which nearly all are: the literal's length.
  // Of others kNoPrefix.
  static constexpr size_t kNoPrefix = ~size_t{0};
  std::vector<size_t> prefixes_;
  double highest_beta_ = 0;
};

}  // namespace larder
