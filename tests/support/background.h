// Work on threads of a test, and what went wrong there brought back to it.
//
// Concurrency: a Background is made, joined and destroyed by one thread.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

namespace larder {

class Background {
 public:
  explicit Background(std::function<void()> work);
  // Waits for the end, too, and forgets what went wrong.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // Waits for the end of the work and throws what it threw.
  void Join();

 private:
  std::exception_ptr failure_;
  std::thread thread_;
};

// Runs each on a thread of its own; throws what one of them threw.
void RunAll(const std::vector<std::function<void()>>& tasks);

// Whether the predicate comes true in time; asks it every few milliseconds.
bool Eventually(const std::function<bool()>& predicate,
                std::chrono::milliseconds timeout = std::chrono::seconds(20));

}  // namespace larder
