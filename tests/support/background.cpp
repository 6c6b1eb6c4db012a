#include "tests/support/background.h"

#include <deque>
#include <utility>

namespace larder {

Background::Background(std::function<void()> work)
    : thread_([this, work = std::move(work)] {
        try {
          work();
        } catch (...) {
          failure_ = std::current_exception();
        }
      }) {}

Background::~Background() {
  if (thread_.joinable()) thread_.join();
}

void Background::Join() {
  thread_.join();
  if (failure_ != nullptr) std::rethrow_exception(failure_);
}

void RunAll(const std::vector<std::function<void()>>& tasks) {
  std::deque<Background> running;
  for (const auto& task : tasks) running.emplace_back(task);
  for (Background& one : running) one.Join();
}

bool Eventually(const std::function<bool()>& predicate, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!predicate()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace larder
