#include "server/client_memory.h"

namespace larder {

void ClientMemory::Update(ClientShare& share, int64_t bytes, Eviction eviction) {
  if (bytes != share.bytes) {
    AddBytes(bytes - share.bytes);
    share.bytes = bytes;
  }
  const int size_class = eviction == Eviction::kAllowed ? ClassOf(bytes) : ClientShare::kNoClass;
  if (size_class == share.size_class) [[likely]]
    return;
  Leave(share);
  if (size_class != ClientShare::kNoClass) Enter(share, size_class);
}

void ClientMemory::Remove(ClientShare& share) {
  Leave(share);
  AddBytes(-share.bytes);
  share.bytes = 0;
}

void ClientMemory::Enter(ClientShare& share, int size_class) {
  std::vector<ClientShare*>& members = classes_[static_cast<size_t>(size_class)];
  share.size_class = size_class;
  share.position = members.size();
  members.push_back(&share);
  occupied_.store(occupied_.load(std::memory_order_relaxed) | 1u << size_class,
                  std::memory_order_relaxed);
}

void ClientMemory::Leave(ClientShare& share) {
  if (share.size_class == ClientShare::kNoClass) return;
  std::vector<ClientShare*>& members = classes_[static_cast<size_t>(share.size_class)];
  members[share.position] = members.back();
  members[share.position]->position = share.position;
  members.pop_back();
  if (members.empty()) {
    occupied_.store(occupied_.load(std::memory_order_relaxed) & ~(1u << share.size_class),
                    std::memory_order_relaxed);
  }
  share.size_class = ClientShare::kNoClass;
}

}  // namespace larder
