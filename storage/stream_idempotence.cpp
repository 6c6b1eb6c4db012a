#include "storage/stream_idempotence.h"

#include <cstring>
#include <new>

#include "base/check.h"

namespace larder {
namespace {

// Writes `name` behind the object at `memory` that it belongs to.
template <typename T>
void PutName(T* memory, std::string_view name) {
  if (!name.empty()) std::memcpy(reinterpret_cast<char*>(memory + 1), name.data(), name.size());
}

template <typename T>
std::string_view NameOf(const T* memory, size_t size) {
  return {reinterpret_cast<const char*>(memory + 1), size};
}

}  // namespace

// Each is one allocation with its name.
struct StreamIdempotence::Producer {
  MessagesByName by_name;
  MessagesByAge by_age;
  size_t name_size;

  std::string_view name() const { return NameOf(this, name_size); }
};

struct StreamIdempotence::Message {
  StreamId id;
  Producer* producer;
  size_t name_size;

  std::string_view name() const { return NameOf(this, name_size); }
};

bool StreamIdempotence::ByName::operator()(const Message* a, const Message* b) const {
  return a->name() < b->name();
}
bool StreamIdempotence::ByName::operator()(const Message* a, std::string_view b) const {
  return a->name() < b;
}
bool StreamIdempotence::ByName::operator()(std::string_view a, const Message* b) const {
  return a < b->name();
}

bool StreamIdempotence::ByAge::operator()(const Message* a, const Message* b) const {
  // An entry may have several names; any order will do for them.
  return a->id != b->id ? a->id < b->id : std::less<>()(a, b);
}

// ---- Life.

StreamIdempotence::StreamIdempotence(size_t* bytes)
    : bytes_(bytes),
      producers_(Producers::allocator_type(bytes)),
      by_age_(MessagesByAge::allocator_type(bytes)) {}

StreamIdempotence* StreamIdempotence::Create(size_t* bytes) {
  return new (CountingAllocator<StreamIdempotence>(bytes).allocate(1)) StreamIdempotence(bytes);
}

void StreamIdempotence::Destroy(StreamIdempotence* idempotence) {
  size_t* const bytes = idempotence->bytes_;
  idempotence->~StreamIdempotence();
  CountingAllocator<StreamIdempotence>(bytes).deallocate(idempotence, 1);
}

StreamIdempotence* StreamIdempotence::Clone(size_t* bytes) const {
  StreamIdempotence* const clone = Create(bytes);
  clone->limits_ = limits_;
  clone->added_ = added_;
  clone->duplicates_ = duplicates_;
  for (const Message* const message : by_age_) {
    clone->Add(clone->UsableProducer(message->producer->name()), message->name(), message->id);
  }
  return clone;
}

void StreamIdempotence::SetLimits(const Limits& limits) {
  if (limits == limits_) return;
  Clear();
  limits_ = limits;
}

// ---- Messages.

bool StreamIdempotence::IsExpired(const Message& message, UnixMillis now) const {
  const auto duration = static_cast<uint64_t>(std::chrono::milliseconds(limits_.duration).count());
  const auto now_ms = static_cast<uint64_t>(now);
  return now_ms > message.id.ms && now_ms - message.id.ms > duration;
}

std::optional<StreamId> StreamIdempotence::Find(std::string_view producer, std::string_view name,
                                                UnixMillis now) const {
  const Message* const message = FindMessage(producer, name);
  if (message == nullptr || IsExpired(*message, now)) return std::nullopt;
  return message->id;
}

void StreamIdempotence::Record(std::string_view producer, std::string_view name, StreamId id,
                               UnixMillis now) {
  // More than are added, so that what has expired gets fewer; few enough not to be felt.
  constexpr int kForgottenAtOnce = 8;
  for (int i = 0; i < kForgottenAtOnce && !by_age_.empty(); ++i) {
    Message* const oldest = *by_age_.begin();
    if (!IsExpired(*oldest, now)) break;
    Forget(oldest);
  }
  if (Message* const before = FindMessage(producer, name)) {
    LARDER_DCHECK(IsExpired(*before, now));
    Forget(before);
  }
  Producer& owner = UsableProducer(producer);
  Add(owner, name, id);
  ++added_;
  if (owner.by_age.size() > limits_.max_size) Forget(*owner.by_age.begin());
}

StreamIdempotence::Message* StreamIdempotence::FindMessage(std::string_view producer,
                                                           std::string_view name) const {
  const auto owner = producers_.find(producer);
  if (owner == producers_.end()) return nullptr;
  const auto found = owner->second->by_name.find(name);
  return found == owner->second->by_name.end() ? nullptr : *found;
}

StreamIdempotence::Producer& StreamIdempotence::UsableProducer(std::string_view name) {
  if (const auto found = producers_.find(name); found != producers_.end()) return *found->second;
  char* const memory = CountingAllocator<char>(bytes_).allocate(sizeof(Producer) + name.size());
  auto* const producer = new (memory) Producer{
      .by_name = MessagesByName(MessagesByName::allocator_type(bytes_)),
      .by_age = MessagesByAge(MessagesByAge::allocator_type(bytes_)),
      .name_size = name.size(),
  };
  PutName(producer, name);
  producers_.emplace(producer->name(), producer);
  return *producer;
}

void StreamIdempotence::Add(Producer& producer, std::string_view name, StreamId id) {
  char* const memory = CountingAllocator<char>(bytes_).allocate(sizeof(Message) + name.size());
  auto* const message =
      new (memory) Message{.id = id, .producer = &producer, .name_size = name.size()};
  PutName(message, name);
  producer.by_name.insert(message);
  // Nearly always the newest of all, for which the hint makes it a mere append.
  producer.by_age.insert(producer.by_age.end(), message);
  by_age_.insert(by_age_.end(), message);
}

void StreamIdempotence::Forget(Message* message) {
  Producer* const producer = message->producer;
  by_age_.erase(message);
  producer->by_age.erase(message);
  producer->by_name.erase(message);
  CountingAllocator<char>(bytes_).deallocate(reinterpret_cast<char*>(message),
                                             sizeof(Message) + message->name_size);
  if (!producer->by_age.empty()) return;
  producers_.erase(producer->name());
  const size_t size = sizeof(Producer) + producer->name_size;
  producer->~Producer();
  CountingAllocator<char>(bytes_).deallocate(reinterpret_cast<char*>(producer), size);
}

void StreamIdempotence::Clear() {
  while (!by_age_.empty()) Forget(*by_age_.rbegin());
}

StreamIdempotence::Tracked StreamIdempotence::CountTracked(UnixMillis now) const {
  Tracked tracked{.messages = by_age_.size()};
  for (const Message* const message : by_age_) {
    if (!IsExpired(*message, now)) break;
    --tracked.messages;
  }
  for (const auto& [name, producer] : producers_) {
    if (!IsExpired(**producer->by_age.rbegin(), now)) ++tracked.producers;
  }
  return tracked;
}

}  // namespace larder
