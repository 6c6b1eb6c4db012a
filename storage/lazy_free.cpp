#include "storage/lazy_free.h"

#include <utility>

#include "base/allocator.h"
#include "base/memory_meter.h"
#include "base/scheduling.h"

namespace larder {
namespace {

// Above it the allocator gives pages back, which may cost more than the hand-over.
constexpr size_t kLargeValueBytes = 64 << 10;
// As in Redis: collections in so few allocations are freed sooner than handed over.
constexpr size_t kFewAllocations = 64;
constexpr uint32_t kBucketsAtOnce = 256;

}  // namespace

bool LazyFree::IsWorthIt(const Entry& entry) {
  if (entry.type() != ValueType::kString) return FreeEffort(entry.object()) > kFewAllocations;
  return entry.IsBlob() && entry.blob()->size() > kLargeValueBytes;
}

LazyFree::LazyFree() : thread_([this] { Run(); }) {}

LazyFree::~LazyFree() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
}

void LazyFree::Add(Entry* entry) { Push(entry, 1); }

void LazyFree::Add(Table&& table) {
  const size_t objects = table.size();
  Push(std::move(table), objects);
}

void LazyFree::Push(Garbage garbage, size_t objects) {
  pending_.fetch_add(objects, std::memory_order_relaxed);
  MutexLock lock(mu_);
  queue_.push_back(std::move(garbage));
  changed_.NotifyAll();
}

void LazyFree::Run() {
  GiveWayToOthers();
  MemoryMeter::ThreadBytes();  // What is freed here must be seen by those who run out of memory.
  mu_.Lock();
  while (true) {
    while (queue_.empty() && !stopping_) changed_.Wait(mu_);
    if (queue_.empty()) break;
    Garbage garbage = std::move(queue_.front());
    queue_.pop_front();
    busy_ = true;
    mu_.Unlock();
    Free(std::move(garbage));
    FlushThreadCache();
    mu_.Lock();
    busy_ = false;
    changed_.NotifyAll();
  }
  mu_.Unlock();
}

void LazyFree::Free(Garbage garbage) {
  if (Entry** entry = std::get_if<Entry*>(&garbage)) {
    Entry::Destroy(*entry);
    CountFreed(1);
    return;
  }
  auto& table = std::get<Table>(garbage);
  bool done = false;
  while (!done) {
    const size_t before = table.size();
    done = table.ClearSome(kBucketsAtOnce);
    CountFreed(before - table.size());
  }
}

void LazyFree::CountFreed(size_t objects) {
  pending_.fetch_sub(objects, std::memory_order_relaxed);
  freed_.fetch_add(objects, std::memory_order_relaxed);
}

void LazyFree::Drain() {
  MutexLock lock(mu_);
  while (!queue_.empty() || busy_) changed_.Wait(mu_);
}

}  // namespace larder
