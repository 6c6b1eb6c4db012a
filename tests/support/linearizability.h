// Decides whether what several clients saw of one key could have happened one command at a time, in
// an order that respects real time: whether there is such an order at all is what atomicity means
// to a client.
//
//   RegisterHistory history;                       // one a thread, merged afterwards
//   history.Record(operation, [&] { ...send and receive, fill in the result... });
//   EXPECT_TRUE(IsLinearizable(history.operations()));
//
// The search is Wing and Gong's ("Testing and verifying concurrent objects", 1993) with Lowe's
// memory of what was tried ("Testing for linearizability", 2017). It is quick as long as few
// operations overlap at a time.
//
// Concurrency: thread-confined.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace larder {

// A command on one key that holds a number or is not there.
struct RegisterOperation {
  enum class Kind : uint8_t {
    kRead,         // GET: result is what it answered.
    kWrite,        // SET argument.
    kIncrement,    // INCR: result is what it answered.
    kSetIfAbsent,  // SET argument NX: result is set if it was done.
    kDelete,       // DEL: result is set if there was a key.
  };

  Kind kind = Kind::kRead;
  int64_t argument = 0;
  std::optional<int64_t> result;
  int64_t invoked_ns = 0;   // Not after the command left the client.
  int64_t returned_ns = 0;  // Not before its reply arrived.
};

class RegisterHistory {
 public:
  // Runs `perform(operation)`, which fills in the result, and notes the time around it.
  template <typename Perform>
  void Record(RegisterOperation operation, Perform perform) {
    operation.invoked_ns = Now();
    perform(operation);
    operation.returned_ns = Now();
    operations_.push_back(operation);
  }
  void Append(const RegisterHistory& other) {
    operations_.insert(operations_.end(), other.operations_.begin(), other.operations_.end());
  }
  const std::vector<RegisterOperation>& operations() const { return operations_; }

 private:
  static int64_t Now();

  std::vector<RegisterOperation> operations_;
};

// For any mixture of operations on one key, which is not there before the first.
testing::AssertionResult IsLinearizable(const std::vector<RegisterOperation>& operations);

// For nothing but increments, of which the first gives 1; takes histories of any length.
testing::AssertionResult IsLinearizableCounter(std::vector<RegisterOperation> operations);

}  // namespace larder
