#include "server/connection.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <unistd.h>

#include "commands/client_info.h"
#include "commands/client_tracking.h"
#include "commands/hash_fieldsets.h"
#include "commands/held_leases.h"
#include "server/config.h"
#include "server/worker.h"

namespace larder {
namespace {

// A pipeline whose replies grow past this is written in between rather than gathered whole.
constexpr size_t kFlushInBetweenBytes = 512 * 1024;
// A client that reads as fast as its thread writes has its turn for so long: past this the others
// come first.
constexpr int64_t kSentPerTurn = 1024 * 1024;
// The same for one whose requests take long, in cycles: about a quarter of a millisecond.
constexpr uint64_t kCyclesPerTurn = 500'000;
constexpr size_t kPartsPerWrite = 64;
// A client that is held back, and takes nothing of its output for so long, waits for us as we do
// for it: nothing would ever happen.
constexpr std::chrono::seconds kHeldBackAtMost{5};
// More output than this is freed in pieces when a client is cut off.
constexpr size_t kFreedAtOnceBytes = 1024 * 1024;
constexpr size_t kSharedPushBytes = 4096;
// A buffer for the beginning of a request that has grown past this is not kept when it is empty.
constexpr size_t kKeptUnparsedBytes = 64 * 1024;

}  // namespace

Connection::Connection(Worker& worker, int fd, std::shared_ptr<ClientRecord> record)
    : worker_(worker), fd_(fd), client_(std::move(record)), last_interaction_(worker.loop().now()) {
  client_.record->last_interaction_ns.store(last_interaction_.time_since_epoch().count(),
                                            std::memory_order_relaxed);
  share_.client_id = id();
  NoteMemory();
}

Connection::~Connection() {
  if (fd_ >= 0) close(fd_);
}

bool Connection::Start() {
  watched_ = EventLoop::kReadable;
  return worker_.loop().Watch(fd_, watched_, *this);
}

void Connection::WatchFor(uint32_t events) {
  if (events == watched_ || closed()) return;
  watched_ = events;
  worker_.loop().Rewatch(fd_, events, *this);
}

void Connection::OnEvents(uint32_t events) {
  if (closed()) return;
  const bool hang_up = (events & EventLoop::kHangUp) != 0;
  // Of a peer that is gone the next send tells, if nothing more is read from it.
  if ((events & EventLoop::kWritable) != 0 || (hang_up && !out_.empty())) Flush();
  if (closed()) return;
  if (waiting()) {
    if (hang_up) Close();
    return;
  }
  if ((events & EventLoop::kReadable) == 0 && !hang_up) return;
  hung_up_ |= hang_up;
  ReadSome();
}

void Connection::ReadSome() {
  if (collected_ || !worker_.round().HasRoom()) worker_.RunRound();
  // Once the end is decided nothing more is run.
  if (closed() || waiting() || client_.Is(kClientCloseAfterReply | kClientCloseNow)) return;
  if (HoldsBack()) return;
  if (backlog_) return RunBacklog();
  const ReadResult result = Read();
  if (closed() || result == ReadResult::kNothing) return;
  // What is left comes without an event of its own. Others have their turn first.
  if (result == ReadResult::kFull || hung_up_) AskForTurn();
}

void Connection::ReadAgain() {
  turn_asked_ = false;
  ReadSome();
}

void Connection::AskForTurn() {
  if (!turn_asked_) worker_.QueueRead(id());
  turn_asked_ = true;
}

bool Connection::HoldsBack() {
  if (out_.size() < worker_.held_back_output_bytes()) [[likely]]
    return false;
  NoteMemory();
  if (!worker_.ClientsNearBudget()) return false;
  if (!held_back_since_) held_back_since_ = worker_.loop().now();
  return true;
}

void Connection::EndHoldBack() {
  held_back_since_.reset();
  AskForTurn();  // Whatever came meanwhile has had its event.
}

void Connection::NoteSent(int64_t bytes) {
  net_out_bytes_ += bytes;
  last_interaction_ = worker_.loop().now();  // Who only reads, and slowly, is not idle.
  worker_.counters().net_output_bytes.Add(bytes);
  worker_.counters().writes_processed.Increment();
  if (!held_back_since_) [[likely]]
    return;
  held_back_since_ = last_interaction_;
  if (out_.size() < worker_.held_back_output_bytes() / 2) EndHoldBack();
}

void Connection::RunBacklog() {
  if (send_cut_) Flush();
  if (closed()) return;
  if (!send_cut_) {
    backlog_ = false;
    // Moved out, for what is left of it goes back there.
    const std::string bytes = std::move(unparsed_);
    unparsed_.clear();
    Process(bytes);
  }
  AskForTurn();  // Also to read: whatever came meanwhile has had its event.
}

Connection::ReadResult Connection::Read() {
  if (parser_.LargeBulkGrowth() > 0 && !GrowLargeBulk()) return ReadResult::kNothing;
  if (!parser_.LargeBulkSpace().empty()) return ReadLargeBulk();
  const size_t kept = unparsed_.size();
  if (kept > Round::kReadBytes / 2) return ReadGrowing();
  // Usually the beginning of the request is short and is put before the new bytes in the thread's
  // buffer.
  const std::span<char> space = worker_.round().ReadSpace();
  std::memcpy(space.data(), unparsed_.data(), kept);
  const ReadResult result = Receive(space.subspan(kept));
  if (result == ReadResult::kNothing) return result;
  unparsed_.clear();
  Collect({space.data(), kept + received_});
  return result;
}

// A request that does not fit the thread's buffer grows in one of its own.
Connection::ReadResult Connection::ReadGrowing() {
  const size_t kept = unparsed_.size();
  unparsed_.resize(kept + kept);
  const ReadResult result = Receive(std::span<char>(unparsed_).subspan(kept));
  unparsed_.resize(kept + received_);
  if (result == ReadResult::kNothing) return result;
  // Moved out, for what is left of it goes back there.
  const std::string bytes = std::move(unparsed_);
  unparsed_.clear();
  Process(bytes);
  return result;
}

bool Connection::GrowLargeBulk() {
  const auto old_bytes = static_cast<int64_t>(parser_.large_bulk_capacity());
  const auto new_bytes = static_cast<int64_t>(parser_.LargeBulkGrowth());
  worker_.AnnounceClientMemory(share_, new_bytes - old_bytes, old_bytes);
  if (closed()) return false;
  parser_.LargeBulkSpace();
  NoteMemory();
  return true;
}

Connection::ReadResult Connection::ReadLargeBulk() {
  const ReadResult result = Receive(parser_.LargeBulkSpace());
  if (result == ReadResult::kNothing) return result;
  parser_.LargeBulkReceived(received_);
  Collect({});
  return result;
}

Connection::ReadResult Connection::Receive(std::span<char> space) {
  received_ = 0;
  ssize_t received;
  do {
    received = recv(fd_, space.data(), space.size(), 0);
  } while (received < 0 && errno == EINTR);
  if (received <= 0) {
    if (received == 0) {
      EndOfInput();
    } else if (errno != EAGAIN) {
      Close();
    }
    return ReadResult::kNothing;
  }
  received_ = static_cast<size_t>(received);
  net_in_bytes_ += received;
  worker_.counters().net_input_bytes.Add(received);
  worker_.counters().reads_processed.Increment();
  return received_ == space.size() ? ReadResult::kFull : ReadResult::kAll;
}

// The peer may have ended its own direction only: it still gets what it has asked for.
void Connection::EndOfInput() {
  if (out_.empty()) {
    Close();
  } else {
    client_.Set(kClientCloseAfterReply);
  }
}

void Connection::Collect(std::string_view bytes) {
  last_interaction_ = worker_.loop().now();
  parser_.Feed(bytes);
  Round& round = worker_.round();
  const std::span<Request> requests = round.FreeRequests();
  size_t count = 0;
  const RequestParser::Result parsed = Parse(requests, count);
  if (count == 0 && parsed == RequestParser::Result::kNeedMore) {
    KeepRest();
    FinishRound();
    return;
  }
  round.Take(bytes.size());  // Requests point into them. Of a beginning only, KeepRest has a copy.
  const Round::Item& item = round.Add(*this, count, parsed);
  worker_.dispatcher().Prepare(client_, requests.first(count), round.PreparedOf(item));
  collected_ = true;
  if (in_flight_bytes_ > 0) NoteMemory();  // Whoever is too large goes before they run.
}

void Connection::RunCollected(const Round::Item& item) {
  collected_ = false;
  if (closed()) return;
  Round& round = worker_.round();
  const uint64_t began = CycleCount();
  if (item.count == 0 || RunBatch(round.RequestsOf(item), round.PreparedOf(item))) {
    RunRest(item.parsed, began);
  }
  KeepRest();
}

void Connection::Process(std::string_view bytes) {
  last_interaction_ = worker_.loop().now();
  parser_.Feed(bytes);
  RunRest(RequestParser::Result::kRequest, CycleCount());
  KeepRest();
  FinishRound();
}

void Connection::RunRest(RequestParser::Result parsed, uint64_t began) {
  const std::span<Request> requests = worker_.requests();
  const int64_t sent_before = net_out_bytes_;
  while (parsed == RequestParser::Result::kRequest && !closed()) {
    if (net_out_bytes_ - sent_before >= kSentPerTurn || CycleCount() - began >= kCyclesPerTurn) {
      backlog_ = true;
      AskForTurn();
      return;
    }
    if (HoldsBack()) {
      backlog_ = true;
      return;
    }
    size_t count = 0;
    parsed = Parse(requests, count);
    if (count > 0 && !RunBatch(requests.first(count), {})) return;
    if (out_.size() > kFlushInBetweenBytes) FlushInBetween();
  }
  if (parsed == RequestParser::Result::kError) FailParsing();
}

void Connection::FlushInBetween() {
  // A socket that is known to be full need not be asked again.
  if ((watched_ & EventLoop::kWritable) == 0) {
    Flush();
  } else if (OutputLimitReached(worker_.loop().now())) {
    NoteOutputLimit();
    Close();
  }
}

RequestParser::Result Connection::Parse(std::span<Request> requests, size_t& count) {
  // An unauthenticated client's limits change with its AUTH: one request at a time until then.
  const bool authenticated = client_.Is(kClientAuthenticated);
  parser_.set_authenticated(authenticated);
  parser_.set_limits({.max_bulk_bytes = worker_.config().proto_max_bulk_bytes});
  const size_t most = authenticated ? std::min(requests.size(), most_at_once_) : 1;
  RequestParser::Result parsed = RequestParser::Result::kRequest;
  while (count < most) {
    parsed = parser_.Next(requests[count]);
    if (parsed != RequestParser::Result::kRequest) break;
    for (const auto& [index, blob] : requests[count].blobs) in_flight_bytes_ += blob->capacity();
    ++count;
  }
  return parsed;
}

void Connection::FailParsing() {
  ReplyWriter(out_, client_.resp).Error(parser_.error());
  worker_.log_protocol_error(client_, parser_.error());
  client_.Set(kClientCloseAfterReply);
}

void Connection::KeepRest() {
  if (closed() || client_.Is(kClientCloseAfterReply | kClientCloseNow)) return;
  const std::string_view rest = parser_.Unconsumed();
  if (rest.empty() && unparsed_.capacity() > kKeptUnparsedBytes) {
    unparsed_ = {};
  } else {
    unparsed_.assign(rest.data(), rest.size());
  }
}

bool Connection::RunBatch(std::span<Request> requests, std::span<const PreparedRequest> prepared) {
  // Whoever killed this client from another thread was told so: nothing that it asks from then on
  // happens.
  if (client_.record->killed.load(std::memory_order_relaxed) &&
      !client_.Is(kClientCloseAfterReply)) {
    Close();
    return false;
  }
  worker_.FollowConfig();  // What CONFIG SET has answered with OK on another thread holds here.
  worker_.TakeDeliveries();
  ReplyWriter reply(out_, client_.resp);
  Dispatcher& dispatcher = worker_.dispatcher();
  const UnixMillis now = worker_.unix_now();
  // From here on they are what the command makes of them: data, where they are stored.
  if (std::exchange(in_flight_bytes_, 0) > 0) NoteMemory();
  worker_.set_running(this);
  const Dispatcher::Result result = prepared.empty()
                                        ? dispatcher.Run(client_, requests, now, reply)
                                        : dispatcher.Run(client_, requests, prepared, now, reply);
  worker_.set_running(nullptr);
  commands_ += static_cast<int64_t>(result.executed);
  // It may be long until another request takes their place.
  for (Request& request : requests.first(result.executed)) request.Shrink();
  AdaptBatch(result.cycles);
  switch (result.outcome) {
    case Dispatcher::Outcome::kDone:
      return true;
    case Dispatcher::Outcome::kClosing:
      return false;
    case Dispatcher::Outcome::kBlocked:
    case Dispatcher::Outcome::kPaused:
      Hold(requests.subspan(result.executed));
      BeginWait(result.outcome == Dispatcher::Outcome::kPaused);
      return false;
  }
  return true;
}

void Connection::AdaptBatch(uint64_t cycles) {
  // A turn does not end within a batch: of requests that take long, fewer are one.
  if (cycles > kCyclesPerTurn) {
    most_at_once_ = std::max(most_at_once_ / 2, size_t{1});
  } else if (cycles < kCyclesPerTurn / 4) [[likely]] {
    most_at_once_ = std::min(most_at_once_ * 2, Dispatcher::kBatch);
  }
}

size_t Connection::HeldRequest::memory_bytes() const {
  size_t bytes =
      sizeof(*this) + args.capacity() * sizeof(std::string) + blobs.capacity() * sizeof(blobs[0]);
  for (const std::string& arg : args) bytes += arg.size();
  for (const auto& [index, blob] : blobs) bytes += blob->size();
  return bytes;
}

void Connection::Hold(std::span<Request> requests) {
  // What is held already came first only if it is not being run at this moment (RunHeld takes it
  // out before it runs it), so the new ones go to the front of what is left.
  std::vector<HeldRequest> held;
  for (Request& request : requests) {
    HeldRequest& copy = held.emplace_back();
    for (size_t i = 0; i < request.args.size(); ++i) copy.args.emplace_back(request.args[i]);
    copy.blobs = std::move(request.blobs);
    held_bytes_ += copy.memory_bytes();
  }
  held.insert(held.end(), std::make_move_iterator(held_.begin()),
              std::make_move_iterator(held_.end()));
  held_ = std::move(held);
}

void Connection::RunHeld() {
  while (!held_.empty() && !waiting() && !closed()) {
    const std::span<Request> requests = worker_.requests();
    const size_t count = std::min(held_.size(), requests.size());
    std::vector<HeldRequest> running(
        std::make_move_iterator(held_.begin()),
        std::make_move_iterator(held_.begin() + static_cast<ptrdiff_t>(count)));
    held_.erase(held_.begin(), held_.begin() + static_cast<ptrdiff_t>(count));
    for (size_t i = 0; i < count; ++i) {
      requests[i].Clear();
      held_bytes_ -= running[i].memory_bytes();
      for (const std::string& arg : running[i].args) requests[i].args.emplace_back(arg);
      requests[i].blobs = std::move(running[i].blobs);
    }
    if (!RunBatch(requests.first(count), {})) break;
  }
}

void Connection::BeginWait(bool paused) {
  wait_ = std::make_unique<Wait>();
  wait_->paused = paused;
  worker_.blocked_clients().Add(1);
  if (paused) {
    worker_.AddPaused(id());
  } else {
    wait_->block = worker_.dispatcher().TakeBlock();
    wait_->waiter = worker_.dispatcher().TakeWaiter();
    client_.Set(kClientBlocked);
    if (wait_->block.deadline != MonoTime::max()) {
      wait_->timer = worker_.loop().RunAt(wait_->block.deadline, [this] {
        wait_->timer.reset();
        Unblock(UnblockReason::kTimeout);
      });
    }
  }
  WatchFor(out_.empty() ? 0 : EventLoop::kWritable);
}

void Connection::EndWait() {
  if (wait_ == nullptr) return;
  if (wait_->timer) worker_.loop().Cancel(*wait_->timer);
  worker_.blocked_clients().Add(-1);
  if (!wait_->paused) client_.Set(kClientBlocked, false);
  wait_.reset();
}

bool Connection::CancelWait() {
  return wait_->waiter == nullptr || worker_.dispatcher().CancelWait(*wait_->waiter);
}

void Connection::EndWaitWith(const WaitResult& result) {
  if (wait_ == nullptr || closed()) return;
  for (const auto& [blob, offset, size] : result.reply) {
    if (size > kSharedPushBytes) {
      out_.AppendBlob(blob, offset, size);
    } else {
      out_.Append(blob->view().substr(offset, size));
    }
  }
  if (!result.leases.empty() && client_.leases == nullptr) {
    client_.leases = std::make_unique<HeldLeases>();
  }
  for (const std::shared_ptr<Lease>& lease : result.leases) {
    client_.leases->Add(lease, worker_.loop().now());
  }
  Resume();
}

void Connection::Unblock(UnblockReason reason) {
  if (wait_ == nullptr || wait_->paused || closed() || !CancelWait()) return;
  const CommandContext::Block block = std::move(wait_->block);
  const std::shared_ptr<Waiter> waiter = std::move(wait_->waiter);
  EndWait();
  ReplyWriter reply(out_, client_.resp);
  if (reason == UnblockReason::kError) {
    reply.Error(block.unblocked_error);
    if (waiter != nullptr) worker_.dispatcher().CountFailedWait(*waiter, reply.last_error());
  } else {
    block.on_timeout(reply);
  }
  Resume();
}

void Connection::Resume() {
  if (closed()) return;
  EndWait();
  backlog_ = false;  // Run below, with the rest.
  WatchFor(EventLoop::kReadable | (out_.empty() ? 0 : EventLoop::kWritable));
  RunHeld();
  // What stands unparsed may hold whole requests: the parser stopped when the wait began.
  if (!waiting() && !closed() && !client_.Is(kClientCloseAfterReply | kClientCloseNow)) {
    const std::string bytes = std::move(unparsed_);
    unparsed_.clear();
    Process(bytes);
    return;
  }
  FinishRound();
}

void Connection::FinishRound() {
  if (closed()) return;
  if (client_.Is(kClientCloseNow)) {
    Close();
    return;
  }
  const auto limit = worker_.config().client_query_buffer_limit_bytes;
  if (static_cast<int64_t>(QueryBytes()) > limit) {
    worker_.counters().query_buffer_limit_disconnections.Increment();
    worker_.log_closing(client_, "reached the maximum query buffer length");
    Close();
    return;
  }
  PublishRecord();  // Before the replies leave: who has one may ask others about this client.
  Flush();
}

void Connection::Push(const BlobRef& resp2, const BlobRef& resp3) {
  if (closed() || client_.Is(kClientCloseAfterReply | kClientCloseNow)) return;
  // In RESP2 only a client in one of these states expects more than replies.
  if (client_.resp == RespVersion::kResp2 && !client_.Is(kClientPubSub | kClientMonitor)) return;
  const BlobRef& message = client_.resp == RespVersion::kResp3 ? resp3 : resp2;
  if (!message) return;
  // One message for many subscribers is shared when that is cheaper than a copy.
  if (message->size() > kSharedPushBytes) {
    out_.AppendBlob(message, 0, message->size());
  } else {
    out_.Append(message->view());
  }
  PublishOutput();
  // Whoever delivers may hold a lock that closing a connection takes: only marked here.
  if (OutputLimitReached(worker_.loop().now())) {
    NoteOutputLimit();
    client_.Set(kClientCloseNow);
  }
  if (!flush_queued_) {
    flush_queued_ = true;
    worker_.QueueFlush(id());
  }
}

ssize_t Connection::Send() {
  std::array<iovec, kPartsPerWrite> parts;
  const size_t count = out_.Gather(parts.data(), parts.size());
  // The short call for the usual reply: one piece.
  if (count == 1) return send(fd_, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL);
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = count;
  return sendmsg(fd_, &message, MSG_NOSIGNAL);
}

void Connection::Flush() {
  flush_queued_ = false;
  send_cut_ = false;
  if (closed()) return;
  if (client_.Is(kClientCloseNow)) {
    Close();
    return;
  }
  const int64_t sent_before = net_out_bytes_;
  while (!out_.empty()) {
    if (net_out_bytes_ - sent_before >= kSentPerTurn) {
      // Watched anew, so that the loop reports at once that the socket takes more.
      send_cut_ = true;
      watched_ |= EventLoop::kWritable;
      worker_.loop().Rewatch(fd_, watched_, *this);
      PublishOutput();
      return;
    }
    const ssize_t sent = Send();
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) break;
      Close();
      return;
    }
    out_.Consume(static_cast<size_t>(sent));
    NoteSent(sent);
  }
  if (out_.empty()) {
    soft_limit_since_ = {};
    if (client_.Is(kClientCloseAfterReply)) {
      Close();
      return;
    }
    if ((watched_ & EventLoop::kWritable) != 0) WatchFor(watched_ & ~EventLoop::kWritable);
    PublishOutput();
    return;
  }
  if (OutputLimitReached(worker_.loop().now())) {
    NoteOutputLimit();
    Close();
    return;
  }
  WatchFor(watched_ | EventLoop::kWritable);
  PublishOutput();
}

bool Connection::OutputLimitReached(MonoTime now) {
  const Config& config = worker_.config();
  const OutputBufferLimit& limit =
      client_.Is(kClientPubSub) ? config.pubsub_output_limit : config.normal_output_limit;
  const auto waiting_bytes = static_cast<int64_t>(out_.size());
  if (limit.hard_bytes > 0 && waiting_bytes >= limit.hard_bytes) return true;
  if (limit.soft_bytes == 0 || waiting_bytes < limit.soft_bytes) {
    soft_limit_since_ = {};
    return false;
  }
  if (soft_limit_since_ == MonoTime{}) soft_limit_since_ = now;
  return now - soft_limit_since_ > std::chrono::seconds(limit.soft_seconds);
}

bool Connection::IsOverdue(MonoTime now) {
  if (!out_.empty() && OutputLimitReached(now)) {
    NoteOutputLimit();
    return true;
  }
  if (held_back_since_ && !worker_.ClientsNearBudget()) EndHoldBack();
  if (held_back_since_ && now - *held_back_since_ > kHeldBackAtMost) {
    NoteOutputLimit();
    return true;
  }
  const std::chrono::seconds timeout(worker_.config().idle_timeout_seconds);
  if (timeout.count() == 0 || waiting() || client_.Is(kClientPubSub | kClientMonitor)) {
    return false;
  }
  if (now - last_interaction_ <= timeout) return false;
  worker_.log_closing(client_, "idle for too long");
  return true;
}

void Connection::NoteOutputLimit() {
  worker_.counters().output_buffer_limit_disconnections.Increment();
  worker_.log_closing(client_, "overcame its output buffer limits");
}

size_t Connection::QueryBytes() const {
  size_t bytes = unparsed_.size() + parser_.memory_bytes();
  if (client_.transaction != nullptr) bytes += client_.transaction->memory_bytes;
  return bytes;
}

void Connection::PublishRecord() {
  ClientRecord& record = *client_.record;
  constexpr auto kRelaxed = std::memory_order_relaxed;
  record.last_interaction_ns.store(last_interaction_.time_since_epoch().count(), kRelaxed);
  record.db.store(client_.db, kRelaxed);
  record.flags.store(client_.flags, kRelaxed);
  record.resp.store(static_cast<int32_t>(client_.resp), kRelaxed);
  record.net_in_bytes.store(net_in_bytes_, kRelaxed);
  record.total_commands.store(commands_, kRelaxed);
  const bool multi = client_.transaction != nullptr;
  record.queued_commands.store(multi ? static_cast<int32_t>(client_.transaction->queue.size()) : -1,
                               kRelaxed);
  record.watched_keys.store(
      client_.watch == nullptr ? 0 : static_cast<int32_t>(client_.watch->keys.size()), kRelaxed);
}

void Connection::PublishOutput() {
  client_.record->net_out_bytes.store(net_out_bytes_, std::memory_order_relaxed);
  NoteMemory();
}

void Connection::NoteMemory() {
  if (closed()) return;  // Nothing of it counts any more.
  ClientRecord& record = *client_.record;
  constexpr auto kRelaxed = std::memory_order_relaxed;
  const size_t bulk_room = parser_.large_bulk_capacity();
  const size_t query_bytes = unparsed_.size() + parser_.large_bulk_received();
  const size_t query_room = unparsed_.capacity() + bulk_room;
  const size_t argument_bytes = parser_.memory_bytes() - bulk_room + in_flight_bytes_;
  const size_t multi_bytes = client_.transaction != nullptr ? client_.transaction->memory_bytes : 0;
  record.query_buffer_bytes.store(static_cast<int64_t>(query_bytes), kRelaxed);
  record.query_buffer_free_bytes.store(static_cast<int64_t>(query_room - query_bytes), kRelaxed);
  record.argument_bytes.store(static_cast<int64_t>(argument_bytes), kRelaxed);
  record.multi_bytes.store(static_cast<int64_t>(multi_bytes), kRelaxed);
  record.output_bytes.store(static_cast<int64_t>(out_.size()), kRelaxed);
  record.other_bytes.store(static_cast<int64_t>(OtherBytes()), kRelaxed);
  worker_.NoteClientMemory(share_, MemoryOf(record),
                           client_.Is(kClientNoEvict) ? ClientMemory::Eviction::kForbidden
                                                      : ClientMemory::Eviction::kAllowed);
}

size_t Connection::OtherBytes() const {
  size_t bytes = sizeof(*this) + held_bytes_;
  // A reply of a few bytes takes a chunk for as long as it waits; of a large one only a reference
  // may be ours, but nobody knows who else has one.
  if (!out_.empty()) bytes += out_.memory_bytes() - std::min(out_.memory_bytes(), out_.size());
  if (client_.watch != nullptr) bytes += client_.watch->memory_bytes();
  if (client_.subscriptions != nullptr) bytes += client_.subscriptions->memory_bytes();
  if (client_.tracking != nullptr) bytes += client_.tracking->memory_bytes();
  if (client_.fieldsets != nullptr) bytes += client_.fieldsets->memory_bytes();
  if (client_.leases != nullptr) bytes += client_.leases->memory_bytes();
  return bytes;
}

void Connection::Evict() {
  std::string line;
  AppendClientLine(line, *client_.record, worker_.loop().now());
  worker_.LogEviction(line);
  worker_.counters().evicted_clients.Increment();
  Close();
}

void Connection::Close() {
  if (closed()) return;
  if (waiting()) CancelWait();
  EndWait();
  const int fd = std::exchange(fd_, -1);
  worker_.loop().Unwatch(fd);
  if (out_.size() > kFreedAtOnceBytes) {
    worker_.FreeSlowly(std::move(out_));
  } else {
    out_.Clear();
  }
  worker_.ForgetClientMemory(share_);
  // Before the peer can see the end: whoever knows of it finds no trace of the client.
  worker_.Forget(*this);
  close(fd);
}

}  // namespace larder
