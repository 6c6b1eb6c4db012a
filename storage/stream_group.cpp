#include "storage/stream_group.h"

#include <cstring>
#include <new>

#include "base/check.h"

namespace larder {
namespace {

char* CopyName(size_t* bytes, std::string_view name) {
  if (name.empty()) return nullptr;
  char* const copy = CountingAllocator<char>(bytes).allocate(name.size());
  std::memcpy(copy, name.data(), name.size());
  return copy;
}

void FreeName(size_t* bytes, char* name, size_t size) {
  if (size > 0) CountingAllocator<char>(bytes).deallocate(name, size);
}

}  // namespace

StreamConsumer::StreamConsumer(size_t* bytes, std::string_view name, UnixMillis now)
    : seen_time(now),
      name_(CopyName(bytes, name)),
      name_size_(static_cast<uint32_t>(name.size())),
      pending_(CountingAllocator<StreamId>(bytes)) {}

StreamConsumer::~StreamConsumer() { FreeName(pending_.get_allocator().bytes(), name_, name_size_); }

StreamGroup::StreamGroup(size_t* bytes, std::string_view name)
    : bytes_(bytes),
      name_(CopyName(bytes, name)),
      name_size_(static_cast<uint32_t>(name.size())),
      pending_(Pending::allocator_type(bytes)),
      consumers_(Consumers::allocator_type(bytes)) {}

StreamGroup::~StreamGroup() {
  for (const auto& [name, consumer] : consumers_) {
    consumer->~StreamConsumer();
    CountingAllocator<StreamConsumer>(bytes_).deallocate(consumer, 1);
  }
  FreeName(bytes_, name_, name_size_);
}

StreamGroup* StreamGroup::Create(size_t* bytes, std::string_view name) {
  return new (CountingAllocator<StreamGroup>(bytes).allocate(1)) StreamGroup(bytes, name);
}

void StreamGroup::Destroy(StreamGroup* group) {
  size_t* const bytes = group->bytes_;
  group->~StreamGroup();
  CountingAllocator<StreamGroup>(bytes).deallocate(group, 1);
}

StreamGroup* StreamGroup::Clone(size_t* bytes) const {
  StreamGroup* const clone = Create(bytes, name());
  clone->last_id = last_id;
  clone->entries_read = entries_read;
  for (const auto& [name, consumer] : consumers_) clone->AddConsumer(name, consumer->seen_time);
  for (const auto& [id, delivery] : pending_) {
    PendingEntry copy = delivery;
    if (copy.consumer != nullptr) copy.consumer = clone->FindConsumer(copy.consumer->name());
    clone->Deliver(id, copy);
  }
  return clone;
}

StreamConsumer* StreamGroup::FindConsumer(std::string_view name) const {
  const auto found = consumers_.find(name);
  return found == consumers_.end() ? nullptr : found->second;
}

StreamConsumer& StreamGroup::AddConsumer(std::string_view name, UnixMillis now) {
  auto* const consumer =
      new (CountingAllocator<StreamConsumer>(bytes_).allocate(1)) StreamConsumer(bytes_, name, now);
  const bool added = consumers_.emplace(consumer->name(), consumer).second;
  LARDER_CHECK(added);
  return *consumer;
}

void StreamGroup::RemoveConsumer(StreamConsumer* consumer) {
  for (const StreamId id : consumer->pending_) pending_.erase(id);
  consumers_.erase(consumer->name());
  consumer->~StreamConsumer();
  CountingAllocator<StreamConsumer>(bytes_).deallocate(consumer, 1);
}

size_t StreamGroup::CountOwnerless() const {
  size_t count = pending_.size();
  for (const auto& [name, consumer] : consumers_) count -= consumer->pending().size();
  return count;
}

PendingEntry* StreamGroup::FindPending(StreamId id) {
  const auto found = pending_.find(id);
  return found == pending_.end() ? nullptr : &found->second;
}

const PendingEntry* StreamGroup::FindPending(StreamId id) const {
  const auto found = pending_.find(id);
  return found == pending_.end() ? nullptr : &found->second;
}

void StreamGroup::Deliver(StreamId id, const PendingEntry& delivery) {
  // Nearly always the newest of all, for which the hint makes it a mere append.
  const size_t size_before = pending_.size();
  const auto place = pending_.try_emplace(pending_.end(), id, delivery);
  if (pending_.size() == size_before) {
    StreamConsumer* const before = place->second.consumer;
    place->second = delivery;
    if (before == delivery.consumer) return;
    if (before != nullptr) before->pending_.erase(id);
  }
  if (delivery.consumer != nullptr) {
    delivery.consumer->pending_.insert(delivery.consumer->pending_.end(), id);
  }
}

bool StreamGroup::Acknowledge(StreamId id) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return false;
  if (found->second.consumer != nullptr) found->second.consumer->pending_.erase(id);
  pending_.erase(found);
  return true;
}

}  // namespace larder
