#include "tests/support/linearizability.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <set>

namespace larder {
namespace {

using Kind = RegisterOperation::Kind;
using State = std::optional<int64_t>;

// Whether the operation, run alone on `state`, answers what it answered; `state` is then what it
// leaves.
bool Apply(const RegisterOperation& operation, State& state) {
  switch (operation.kind) {
    case Kind::kRead:
      return operation.result == state;
    case Kind::kWrite:
      state = operation.argument;
      return true;
    case Kind::kIncrement:
      state = state.value_or(0) + 1;
      return operation.result == state;
    case Kind::kSetIfAbsent:
      if (operation.result.has_value() == state.has_value()) return false;
      if (!state) state = operation.argument;
      return true;
    case Kind::kDelete:
      if (operation.result.has_value() != state.has_value()) return false;
      state.reset();
      return true;
  }
  return false;
}

// Depth-first search for an order. The operations that are still to be placed form a list of their
// calls and returns by time; only one whose call stands before the first return may come next.
class Search {
 public:
  explicit Search(const std::vector<RegisterOperation>& operations)
      : operations_(operations), placed_(operations.size(), false) {
    std::vector<std::pair<int64_t, int>> calls;
    for (size_t i = 0; i < operations.size(); ++i) {
      events_.push_back({.operation = i, .is_call = true, .time = operations[i].invoked_ns});
      events_.push_back({.operation = i, .is_call = false, .time = operations[i].returned_ns});
    }
    // Calls before returns of the same instant: they may overlap.
    std::sort(events_.begin(), events_.end(), [](const Event& a, const Event& b) {
      return std::pair(a.time, !a.is_call) < std::pair(b.time, !b.is_call);
    });
    LinkEvents();
  }

  bool FindsOrder() {
    size_t at = next_[kHead];
    while (next_[kHead] != kHead) {
      if (at != kHead && EventAt(at).is_call) {
        if (TryToPlace(at)) {
          at = next_[kHead];
        } else {
          at = next_[at];
        }
        continue;
      }
      // A return: everything that could have come next was tried. Take the last choice back.
      if (choices_.empty()) return false;
      at = next_[TakeBack()];
    }
    return true;
  }

 private:
  static constexpr size_t kHead = 0;  // The list is a ring through here; event i is node i + 1.

  struct Event {
    size_t operation;
    bool is_call;
    int64_t time;
  };
  struct Choice {
    size_t call;
    State state_before;
  };

  const Event& EventAt(size_t node) const { return events_[node - 1]; }

  void LinkEvents() {
    const size_t nodes = events_.size() + 1;
    next_.resize(nodes);
    previous_.resize(nodes);
    return_of_.resize(nodes);
    std::vector<size_t> call_of(operations_.size());
    for (size_t node = 0; node < nodes; ++node) {
      next_[node] = (node + 1) % nodes;
      previous_[node] = (node + nodes - 1) % nodes;
      if (node == kHead) continue;
      if (EventAt(node).is_call) {
        call_of[EventAt(node).operation] = node;
      } else {
        return_of_[call_of[EventAt(node).operation]] = node;
      }
    }
  }

  void Unlink(size_t node) {
    next_[previous_[node]] = next_[node];
    previous_[next_[node]] = previous_[node];
  }
  void Relink(size_t node) {
    next_[previous_[node]] = node;
    previous_[next_[node]] = node;
  }

  bool TryToPlace(size_t call) {
    const size_t operation = EventAt(call).operation;
    State state = state_;
    if (!Apply(operations_[operation], state)) return false;
    placed_[operation] = true;
    if (!tried_.emplace(placed_, state).second) {
      placed_[operation] = false;
      return false;
    }
    choices_.push_back({call, state_});
    state_ = state;
    Unlink(call);
    Unlink(return_of_[call]);
    return true;
  }

  size_t TakeBack() {
    const Choice choice = choices_.back();
    choices_.pop_back();
    state_ = choice.state_before;
    placed_[EventAt(choice.call).operation] = false;
    Relink(return_of_[choice.call]);
    Relink(choice.call);
    return choice.call;
  }

  const std::vector<RegisterOperation>& operations_;
  std::vector<Event> events_;
  std::vector<size_t> next_;
  std::vector<size_t> previous_;
  std::vector<size_t> return_of_;  // By the node of the call.
  State state_;
  std::vector<bool> placed_;
  std::vector<Choice> choices_;
  // The sets of operations that were placed, with the state they led to: what follows depends on
  // nothing else.
  std::set<std::pair<std::vector<bool>, State>> tried_;
};

}  // namespace

int64_t RegisterHistory::Now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

testing::AssertionResult IsLinearizable(const std::vector<RegisterOperation>& operations) {
  if (Search(operations).FindsOrder()) return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << "no order of these " << operations.size() << " operations explains their results";
}

testing::AssertionResult IsLinearizableCounter(std::vector<RegisterOperation> operations) {
  std::sort(operations.begin(), operations.end(),
            [](const auto& a, const auto& b) { return a.result < b.result; });
  for (size_t i = 0; i < operations.size(); ++i) {
    if (operations[i].result != static_cast<int64_t>(i + 1)) {
      return testing::AssertionFailure() << "increment " << i + 1 << " of " << operations.size()
                                         << " is missing or happened twice";
    }
  }
  // The results give the only possible order; no operation in it may have returned before one that
  // stands ahead of it was invoked.
  int64_t first_return = std::numeric_limits<int64_t>::max();
  for (size_t i = operations.size(); i-- > 0;) {
    if (first_return < operations[i].invoked_ns) {
      return testing::AssertionFailure()
             << "increment to " << i + 1 << " was invoked after a later one had returned";
    }
    first_return = std::min(first_return, operations[i].returned_ns);
  }
  return testing::AssertionSuccess();
}

}  // namespace larder
