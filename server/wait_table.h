// Who waits for which keys of one shard (BLPOP, XREAD BLOCK and their like), in the order in which
// they came.
//
// A waiting client costs its connection's thread nothing. The thread whose command changes a key
// runs the requests of those who wait for it, with all their keys' shards locked, before anybody
// else can take what has come; the reply goes to the thread that owns the connection.
//
// Concurrency: shard-guarded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "commands/client.h"
#include "commands/transaction.h"
#include "storage/database_key.h"

namespace larder {

// One client's wait. Immutable but for `state` and the places, which are guarded by the locks of
// all of `shards` together.
struct Waiter {
  Waiter(std::shared_ptr<ClientRecord> record, OwnedRequest owned_request)
      : client(std::move(record)), request(std::move(owned_request)) {}

  enum class State : uint8_t {
    kWaiting,
    kServed,  // The reply is on its way to the owning thread.
    kGone,    // Timed out, unblocked or disconnected.
  };
  using List = std::list<std::shared_ptr<Waiter>>;
  struct Key {
    uint32_t shard = 0;
    std::string_view text;  // In `request`.
    List::iterator place;   // In the shard's WaitTable.
  };

  Client client;  // A stand-in: what the request needs to know of the client, as it was.
  OwnedRequest request;
  std::vector<Key> keys;         // Those it waits for, each once.
  std::vector<uint32_t> shards;  // Of all the request's keys, ascending, each once.
  bool when_deleted = false;     // Wants to be tried although the key is gone.
  MonoTime since = MonoNow();
  State state = State::kWaiting;

  bool spans_shards() const { return shards.size() > 1; }
};

class WaitTable {
 public:
  // Waiters of one key.
  struct Line {
    Waiter::List waiters;
    size_t spanning = 0;      // How many of them need more shards than this one.
    size_t when_deleted = 0;  // How many have that flag.
  };

  bool empty() const { return lines_.empty(); }
  // `key` is one of the waiter's.
  void Add(const std::shared_ptr<Waiter>& waiter, Waiter::Key& key);
  void Remove(const Waiter& waiter, const Waiter::Key& key);
  // Null if nobody waits for this key. Valid until the last of its waiters is removed.
  Line* Find(int db, std::string_view key);
  // Calls visit(key) for every key of database `db` that somebody waits for.
  template <typename Visit>
  void ForEachKey(int db, Visit visit) const {
    for (const auto& [name, line] : lines_) {
      if (DatabaseOf(name) == db) visit(KeyOf(name));
    }
  }

 private:
  TextMap<std::unique_ptr<Line>> lines_;  // By DatabaseKey.
};

}  // namespace larder
