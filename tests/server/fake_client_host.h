// A thread's connections as the client registry, the hub and the tracking table see them: it only
// writes down what it is asked.
//
// Concurrency: the calls of ClientHost are safe from any thread, all else is for one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "server/client_directory.h"

namespace larder {

class FakeClientHost : public ClientHost {
 public:
  struct Delivery {
    uint64_t client;
    std::string resp2;
    std::string resp3;
    bool operator==(const Delivery&) const = default;
  };

  void KillClient(uint64_t id) override { Note(killed_, id); }
  void UnblockClient(uint64_t id, UnblockReason reason) override {
    Note(unblocked_, std::pair(id, reason));
  }
  void EndWait(uint64_t id, WaitResult result) override {
    std::string reply;
    for (const OutputBuffer::Piece& piece : result.reply) {
      reply.append(piece.blob->view().substr(piece.offset, piece.size));
    }
    Note(served_, std::pair(id, reply));
  }
  void DeliverToClient(uint64_t id, BlobRef resp2, BlobRef resp3) override {
    const auto text = [](const BlobRef& blob) {
      return blob ? std::string(blob->view()) : std::string();
    };
    Note(deliveries_, Delivery{id, text(resp2), text(resp3)});
  }
  void DrainDeliveries() override { Note(drained_at_, DeliveryCount()); }
  void ResumePaused() override { Note(resumed_, true); }

  std::vector<Delivery> TakeDeliveries() { return Take(deliveries_); }
  std::vector<std::pair<uint64_t, std::string>> TakeServed() { return Take(served_); }
  std::vector<uint64_t> TakeKilled() { return Take(killed_); }
  std::vector<std::pair<uint64_t, UnblockReason>> TakeUnblocked() { return Take(unblocked_); }
  // How many deliveries there were at each call of DrainDeliveries.
  std::vector<size_t> TakeDrains() { return Take(drained_at_); }
  size_t TakeResumed() { return Take(resumed_).size(); }

 private:
  template <typename List, typename Value>
  void Note(List& list, Value value) {
    MutexLock lock(mu_);
    list.push_back(std::move(value));
  }
  template <typename List>
  List Take(List& list) {
    MutexLock lock(mu_);
    return std::exchange(list, {});
  }
  size_t DeliveryCount() {
    MutexLock lock(mu_);
    return deliveries_.size();
  }

  Mutex mu_;
  std::vector<Delivery> deliveries_;
  std::vector<uint64_t> killed_;
  std::vector<std::pair<uint64_t, UnblockReason>> unblocked_;
  std::vector<std::pair<uint64_t, std::string>> served_;
  std::vector<size_t> drained_at_;
  std::vector<bool> resumed_;
};

// A client that is registered as long as the object lives.
struct FakeClient {
  FakeClient(ClientRegistry& clients, uint32_t worker)
      : registry(clients), client(MakeRecord(clients, worker)) {
    registry.Add(client.record);
  }
  ~FakeClient() { registry.Remove(client.id()); }
  FakeClient(const FakeClient&) = delete;
  FakeClient& operator=(const FakeClient&) = delete;

  static std::shared_ptr<ClientRecord> MakeRecord(ClientRegistry& clients, uint32_t worker) {
    auto record = std::make_shared<ClientRecord>();
    record->id = clients.NextId();
    record->worker = worker;
    return record;
  }
  uint64_t id() const { return client.id(); }

  ClientRegistry& registry;
  Client client;
};

}  // namespace larder
