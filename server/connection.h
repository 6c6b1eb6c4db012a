// One client's socket: reads requests, has them run, writes replies.
//
// An idle connection owns no buffer: it reads into its thread's buffer and keeps only the beginning
// of a request that is not complete; replies stand in chunks borrowed from the thread until the
// socket has taken them.
//
// Concurrency: thread-confined to its worker's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "commands/client.h"
#include "commands/command_context.h"
#include "commands/transaction.h"
#include "net/event_loop.h"
#include "protocol/output_buffer.h"
#include "protocol/request_parser.h"
#include "server/client_memory.h"
#include "server/dispatcher.h"
#include "server/round.h"

namespace larder {

class Worker;

class Connection : public EventLoop::Handler {
 public:
  Connection(Worker& worker, int fd, std::shared_ptr<ClientRecord> record);
  ~Connection() override;

  // Starts to watch the socket. False if the kernel refuses.
  bool Start();
  void OnEvents(uint32_t events) override;

  Client& client() { return client_; }
  uint64_t id() const { return client_.record->id; }

  // Reads what has come into the worker's round; a connection with more to read asks for another
  // turn.
  void ReadSome();
  // The turn it asked for has come.
  void ReadAgain();
  // Runs what ReadSome has put into the round, and what else stands complete in the bytes it read.
  void RunCollected(const Round::Item& item);
  // Sends what the round has to say, and looks at the limits.
  void FinishRound();
  // A message out of turn, in the protocol that the client speaks; sent at the end of this round.
  void Push(const BlobRef& resp2, const BlobRef& resp3);
  // Writes what there is to write; closes the connection when its socket or its limits say so.
  void Flush();
  // Says what the connection holds now, wherever that counts.
  void NoteMemory();
  // Ends a wait of BlockClient's.
  void Unblock(UnblockReason reason);
  // The same for a wait for keys, with what came of it on another thread.
  void EndWaitWith(const WaitResult& result);
  // The client must go: all clients together hold too much. Says so in the log.
  void Evict();
  // CLIENT PAUSE is over.
  void Resume();
  // Ends the connection now; what was not written is lost. The object lives until the round's end.
  void Close();
  bool closed() const { return fd_ < 0; }
  bool waiting() const { return wait_ != nullptr; }

  // Whether the connection has outstayed the directive `timeout`, or its output its soft limit;
  // says so in the log and the counters. The caller closes it.
  bool IsOverdue(MonoTime now);

 private:
  // Why no request is run at the moment, and which ones are held back.
  struct Wait {
    bool paused = false;  // CLIENT PAUSE; otherwise BlockClient.
    CommandContext::Block block;
    std::shared_ptr<Waiter> waiter;  // If it is keys that it waits for.
    std::optional<EventLoop::TimerId> timer;
  };
  // A request that was parsed but could not run yet: it has to outlive the read buffer.
  struct HeldRequest {
    std::vector<std::string> args;
    std::vector<std::pair<uint32_t, BlobRef>> blobs;

    size_t memory_bytes() const;
  };

  enum class ReadResult : uint8_t {
    kNothing,  // Nothing was there, or the connection has closed.
    kAll,      // All that was there.
    kFull,     // As much as there was room for: more may be there.
  };
  ReadResult Read();
  ReadResult ReadGrowing();
  ReadResult ReadLargeBulk();
  // False if the clients would hold too much with it, and this one has been closed instead.
  bool GrowLargeBulk();
  // Into `space`; received_ says how much.
  ReadResult Receive(std::span<char> space);
  void EndOfInput();
  void AskForTurn();
  // Whether the client must read what it has asked for before it may ask for more: clients are near
  // their budget, and this one is a reason.
  bool HoldsBack();
  void EndHoldBack();
  // Some of the output has been sent.
  void NoteSent(int64_t bytes);
  void RunBacklog();
  // Writes the next pieces of the output, as send() does.
  ssize_t Send();
  // Parses the first requests among `bytes` into the round, where `bytes` must stand until it runs.
  void Collect(std::string_view bytes);
  // Runs every complete request among `bytes`; keeps the rest.
  void Process(std::string_view bytes);
  // Goes on with what was fed to the parser, `parsed` being its latest result.
  // The turn, which has its end, began at CycleCount() `began`.
  void RunRest(RequestParser::Result parsed, uint64_t began);
  void FlushInBetween();
  RequestParser::Result Parse(std::span<Request> requests, size_t& count);
  void KeepRest();
  void FailParsing();
  // False if what follows must not run.
  bool RunBatch(std::span<Request> requests, std::span<const PreparedRequest> prepared);
  // After a batch that took so long.
  void AdaptBatch(uint64_t cycles);
  void RunHeld();
  void Hold(std::span<Request> requests);
  void BeginWait(bool paused);
  // False if the wait has ended already, and its reply is on the way.
  bool CancelWait();
  void EndWait();
  void PublishRecord();
  void PublishOutput();
  size_t OtherBytes() const;
  bool OutputLimitReached(MonoTime now);
  void NoteOutputLimit();
  size_t QueryBytes() const;
  void WatchFor(uint32_t events);

  Worker& worker_;
  int fd_;
  uint32_t watched_ = 0;
  Client client_;
  RequestParser parser_;
  OutputBuffer out_;
  std::string unparsed_;  // The beginning of a request that is not complete.
  std::unique_ptr<Wait> wait_;
  std::vector<HeldRequest> held_;  // Empty almost always.
  size_t held_bytes_ = 0;          // Of all of them.
  size_t in_flight_bytes_ = 0;  // Of large arguments of requests that were parsed but did not run.
  ClientShare share_;
  MonoTime last_interaction_;
  std::optional<MonoTime> held_back_since_;  // Or since it last took some of its output.
  MonoTime soft_limit_since_{};  // Output is above the soft limit since then; zero if it is not.
  int64_t net_in_bytes_ = 0;
  int64_t net_out_bytes_ = 0;
  int64_t commands_ = 0;
  size_t received_ = 0;     // By the latest Receive.
  bool hung_up_ = false;    // The peer sends nothing more: read to the end, then close.
  bool collected_ = false;  // Has requests in the worker's round.
  bool flush_queued_ = false;
  bool turn_asked_ = false;  // Stands in the worker's queue of those that have more to read.
  size_t most_at_once_ = Dispatcher::kBatch;  // Requests that run without a look at the clock.
  bool backlog_ = false;   // unparsed_ holds whole requests, left for the next turn.
  bool send_cut_ = false;  // The last Flush stopped although the socket takes more.
};

}  // namespace larder
