// Stampede protection under everything at once: callers on several threads and many connections,
// few keys, an origin that changes, loaders that are late, die or come twice, values that expire or
// are evicted, clients that are killed or unblocked by others. Some connections use CACHE.GET and
// tokens, others plain GET and SET on keys under a rule. What the callers saw is checked round by
// round (tests/wire/stampede_history.h).
//
//   LARDER_STAMPEDE_OPERATIONS=10000000  how many requests; LARDER_STAMPEDE_SEED=7  which
//   LARDER_STAMPEDE_EVICTION=0           memory for all, which is faster under ThreadSanitizer
#include "tests/wire/stampede_history.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/support/background.h"
#include "tests/support/process_figures.h"
#include "tests/support/resp_client.h"
#include "tests/support/server_process.h"
#include "tests/wire/stampede_case.h"

namespace larder {
namespace {

using Outcome = KeyHistory::Use::Outcome;

constexpr Nanoseconds kMillisecond = 1'000'000;
// How late a reply may be on a machine that has other things to do.
constexpr Nanoseconds kSlack = (kSanitized ? 10'000 : 3'000) * kMillisecond;

constexpr size_t kThreads = 3;
constexpr size_t kConnections = 8;  // Of each thread.
constexpr size_t kPlainOnes = 3;    // Of these. They know nothing of tokens.
constexpr size_t kRoundRequests = kSanitized ? 20'000 : 100'000;
constexpr uint64_t kLongestLeaseMs = 200;
constexpr uint64_t kLongWaitMs = 2 * kSlack / kMillisecond;

// The first are for tokens, the others under rules.
constexpr size_t kTokenKeys = 12;
constexpr size_t kKeys = 16;
using Histories = std::array<KeyHistory, kKeys>;

Nanoseconds Now() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Where the wait is long, somebody always loads before it is over.
const std::string kPatientRule =
    "patient:* lease 150ms wait " + std::to_string(kLongWaitMs) + "ms disconnect release";
const std::string kShortRule = "short:* lease 200ms wait 40ms grace 20ms jitter 10%";

bool IsRuled(size_t key) { return key >= kTokenKeys; }
bool IsPatient(size_t key) { return IsRuled(key) && key % 2 == 0; }

uint64_t RuleLeaseMs(size_t key) { return IsPatient(key) ? 150 : 200; }
uint64_t RuleWaitMs(size_t key) { return IsPatient(key) ? kLongWaitMs : 40; }

std::string KeyName(size_t key) {
  const char* const kind = IsPatient(key) ? "patient:" : IsRuled(key) ? "short:" : "key:";
  return kind + std::to_string(key);
}

bool IsPlain(size_t connection) { return connection % kConnections < kPlainOnes; }

// All connections, so that anybody may disturb any other.
struct Crowd {
  struct Place {
    std::atomic<int64_t> client_id{0};
    // Since when it may have been ended by somebody else.
    std::atomic<Nanoseconds> killed{RequestSpan::kNever};
    // Whether its waiting may have been cut short by somebody else.
    std::atomic<bool> hurried{false};

    void Open(int64_t id) {
      killed = RequestSpan::kNever;
      hurried = false;
      client_id = id;
    }
    // The first time counts: a later one may come too late.
    void NoteKill(Nanoseconds now) {
      Nanoseconds never = RequestSpan::kNever;
      killed.compare_exchange_strong(never, now);
    }
  };
  std::array<Place, kThreads * kConnections> places{};
};

// What the cache stands before: each key's value is a number that grows with every change.
struct Origin {
  std::array<std::atomic<uint64_t>, kKeys> versions{};
  std::atomic<uint64_t> last_fill{0};
  std::atomic<uint64_t> last_election{0};
};

struct Request {
  enum class Kind : uint8_t {
    kAsk,         // CACHE.GET
    kFill,        // CACHE.SET with a token.
    kRelease,     // CACHE.RELEASE
    kRemove,      // DEL, UNLINK, FLUSHALL: the origin has changed.
    kInvalidate,  // CACHE.INVALIDATE: the origin has changed.
    kWrite,       // Stores something that is none of the origin's values.
    kExpire,      // PEXPIRE
    kRead,        // GET
    kRuledRead,   // GET and GETEX under a rule.
    kRuledWrite,  // SET under a rule.
    kOther,       // Leaves the keys alone.
  };
  Kind kind = Kind::kOther;
  std::vector<std::string> words{};
  std::vector<size_t> keys{};
  std::vector<uint64_t> versions{};  // Of the origin: of each key, or what comes with a fill.
  std::string token{};
  uint64_t fill = 0;  // The number of the value that is stored.
  uint64_t lease_ms = 0;
  uint64_t wait_ms = 0;
  bool keep = false;
};

// Requests that were sent together. In a transaction, MULTI and EXEC stand around them.
struct Batch {
  std::vector<Request> requests{};
  bool in_transaction = false;
  Nanoseconds sent = 0;
  Nanoseconds due = 0;  // By then everything must have been answered.
  size_t answered = 0;

  size_t reply_count() const { return requests.size() + (in_transaction ? 2 : 0); }
};

// A program that knows nothing of tokens, and what it is about to store.
struct PlainLoad {
  size_t key = 0;
  Nanoseconds due = 0;
};

struct Connection {
  Crowd::Place& place;
  const bool is_plain;
  std::optional<RespClient> client{};
  std::optional<Batch> batch{};
  // Leases that end with it, by key and place in the history.
  std::vector<std::pair<size_t, size_t>> leases{};
  // Of a plain one: what it loads, and until when it may hold a key's lease.
  std::vector<PlainLoad> loads{};
  std::map<size_t, Nanoseconds> may_hold{};

  // Meanwhile it asks for nothing.
  bool Loads() const { return !loads.empty() && loads.front().due > Now(); }
  bool MayHoldAt(Nanoseconds time) const {
    return std::any_of(may_hold.begin(), may_hold.end(),
                       [&](const auto& lease) { return lease.second >= time; });
  }
};

struct HeldToken {
  size_t key = 0;
  std::string token{};
  uint64_t version = 0;  // What its holder read from the origin.
  Nanoseconds due = 0;
};

// One thread's part of a round.
class Caller {
 public:
  Caller(int port, uint64_t seed, Origin& origin, Crowd& crowd, size_t number)
      : port_(port), random_(seed), origin_(origin), crowd_(crowd) {
    for (size_t i = 0; i < kConnections; ++i) {
      connections_.push_back(
          {.place = crowd.places[number * kConnections + i], .is_plain = IsPlain(i)});
      Open(connections_.back());
    }
  }

  // Until so many requests have been answered; then until nothing is left open.
  void Run(size_t requests) {
    answered_ = 0;
    while (answered_ < requests) {
      for (Connection& connection : connections_) {
        if (connection.batch || !OneIn(2) || connection.Loads()) continue;
        Send(connection, SomeBatch(connection));
      }
      Receive();
      if (OneIn(2'000)) Kill(connections_[random_.Uniform(connections_.size())]);
    }
    while (Drain()) Receive();
  }

  Histories TakeHistories() {
    for (Connection& connection : connections_) {
      // Its end may be seen in the next round only.
      EndLeases(connection, connection.place.killed);
    }
    return std::exchange(histories_, {});
  }
  std::vector<std::string> TakeViolations() { return std::exchange(violations_, {}); }
  size_t answered() const { return answered_; }  // In this round.

 private:
  bool OneIn(uint64_t count) { return random_.Uniform(count) == 0; }
  uint64_t Between(uint64_t least, uint64_t most) {
    return least + random_.Uniform(most - least + 1);
  }
  std::string SomeTime(uint64_t least, uint64_t most) {
    return std::to_string(Between(least, most));
  }

  void Open(Connection& connection) {
    connection.client.emplace(port_, std::chrono::seconds(60));
    connection.place.Open(connection.client->Call({"CLIENT", "ID"}).integer);
  }

  // ---- What to ask.

  Batch SomeBatch(Connection& connection) {
    Batch batch{.in_transaction = OneIn(connection.is_plain ? 20 : 10)};
    // Programs that know nothing of all this mostly do one thing after the other.
    const bool is_one = OneIn(3) || (connection.is_plain && !OneIn(4));
    const uint64_t depth = Between(1, is_one ? 1 : OneIn(2) ? 4 : 32);
    while (batch.requests.size() < depth) {
      batch.requests.push_back(connection.is_plain ? SomePlainRequest(connection) : SomeRequest());
    }
    return batch;
  }

  Request SomePlainRequest(Connection& connection) {
    for (size_t i = 0; i < connection.loads.size(); ++i) {
      if (connection.loads[i].due > Now()) continue;
      const size_t key = connection.loads[i].key;
      connection.loads.erase(connection.loads.begin() + static_cast<ptrdiff_t>(i));
      return PlainWrite(key);
    }
    if (OneIn(40)) return Other();
    const size_t key = kTokenKeys + random_.Uniform(kKeys - kTokenKeys);
    // Of each kind, one key changes all the time.
    if (OneIn(key % 4 < 2 ? 20 : 500)) return PlainChange(key);
    return {.kind = Request::Kind::kRuledRead,
            .words = {OneIn(5) ? "GETEX" : "GET", KeyName(key)},
            .keys = {key},
            .lease_ms = RuleLeaseMs(key),
            .wait_ms = RuleWaitMs(key)};
  }

  Request PlainWrite(size_t key) {
    const uint64_t number = ++origin_.last_fill;
    Request request{.kind = Request::Kind::kRuledWrite,
                    .words = {"SET", KeyName(key), std::to_string(number)},
                    .keys = {key},
                    .fill = number};
    if (!OneIn(50)) request.words.insert(request.words.end(), {"PX", SomeTime(1, 40)});
    return request;
  }

  Request PlainChange(size_t key) {
    if (OneIn(4)) return PlainWrite(key);
    if (OneIn(3)) {
      return {.kind = Request::Kind::kExpire,
              .words = {"PEXPIRE", KeyName(key), SomeTime(1, 20)},
              .keys = {key}};
    }
    if (OneIn(2)) {
      return {.kind = Request::Kind::kInvalidate,
              .words = {"CACHE.INVALIDATE", KeyName(key)},
              .keys = {key}};
    }
    return {.kind = Request::Kind::kRemove, .words = {"DEL", KeyName(key)}, .keys = {key}};
  }

  Request SomeRequest() {
    if (std::optional<HeldToken> held = TakeDueToken()) return UseOf(*std::move(held));
    const size_t key = random_.Uniform(kTokenKeys);
    // Some keys change all the time, others hardly ever: there, two leases have no excuse.
    constexpr std::array<uint64_t, 4> kChangeOneIn = {10, 100, 1'000, 10'000};
    if (OneIn(kChangeOneIn[key % kChangeOneIn.size()])) return Change(key);
    if (OneIn(20)) return Other();
    if (OneIn(8))
      return {.kind = Request::Kind::kRead, .words = {"GET", KeyName(key)}, .keys = {key}};
    return Ask(key);
  }

  Request Ask(size_t key) {
    Request request{
        .kind = Request::Kind::kAsk, .words = {"CACHE.GET", KeyName(key)}, .keys = {key}};
    const auto add = [&](const char* option, uint64_t value) {
      request.words.insert(request.words.end(), {option, std::to_string(value)});
    };
    if (!OneIn(10)) add("LEASE", request.lease_ms = Between(10, kLongestLeaseMs));
    if (OneIn(30)) add("WAIT", request.wait_ms = OneIn(20) ? kLongWaitMs : Between(1, 40));
    if (OneIn(20)) add("BETA", 10);
    if (OneIn(20)) add("MAXSTALE", Between(0, 5));
    request.keep = OneIn(4);
    if (request.keep) request.words.emplace_back("KEEP");
    return request;
  }

  Request Change(size_t key) {
    if (OneIn(3'000)) return Flush();
    Request request{.keys = {key}};
    switch (random_.Uniform(6)) {
      case 0:
      case 1:
        request.kind = Request::Kind::kRemove;
        request.words = {OneIn(2) ? "DEL" : "UNLINK"};
        break;
      case 2:
      case 3:
        request.kind = Request::Kind::kInvalidate;
        request.words = {"CACHE.INVALIDATE"};
        break;
      case 4:
        request.kind = Request::Kind::kWrite;
        if (OneIn(2)) {
          request.words = {"SET", KeyName(key), "other", "PX", SomeTime(1, 20)};
        } else {
          request.words = {"CACHE.SET", KeyName(key), "other", "SOFT", SomeTime(1, 5)};
        }
        return request;
      default:
        request.kind = Request::Kind::kExpire;
        request.words = {"PEXPIRE", KeyName(key), SomeTime(1, 20)};
        return request;
    }
    // Another key of the same kind.
    if (OneIn(4)) request.keys.push_back((key + 4) % kTokenKeys);
    for (const size_t changed : request.keys) request.words.push_back(KeyName(changed));
    ChangeOrigin(request);
    return request;
  }

  Request Flush() {
    Request request{.kind = Request::Kind::kRemove, .words = {"FLUSHALL"}};
    for (size_t key = 0; key < kKeys; ++key) request.keys.push_back(key);
    ChangeOrigin(request);
    return request;
  }

  void ChangeOrigin(Request& request) {
    for (const size_t key : request.keys) request.versions.push_back(++origin_.versions[key]);
  }

  Request Other() {
    if (OneIn(8)) return Disturbance();
    const std::string filler = "filler:" + std::to_string(random_.Uniform(1'000));
    if (OneIn(2)) return {.words = {"SET", filler, std::string(Between(100, 8'000), 'f')}};
    if (OneIn(2)) return {.words = {"CACHE.INFO", KeyName(random_.Uniform(kKeys))}};
    return {.words = {"CACHE.GET", filler}};
  }

  // Ends somebody's connection, or somebody's waiting.
  Request Disturbance() {
    const size_t number = random_.Uniform(crowd_.places.size());
    Crowd::Place& place = crowd_.places[number];
    const std::string id = std::to_string(place.client_id);
    if (OneIn(20)) {
      place.NoteKill(Now());
      return {.words = {"CLIENT", "KILL", "ID", id, "SKIPME", "no"}};
    }
    // A plain miss says nothing any more, once it may be that of somebody who was hurried.
    if (!OneIn(IsPlain(number) ? 200 : 4)) return {.words = {"CLIENT", "UNBLOCK", id, "ERROR"}};
    place.hurried = true;
    return {.words = {"CLIENT", "UNBLOCK", id, "TIMEOUT"}};
  }

  std::optional<HeldToken> TakeDueToken() {
    for (size_t i = 0; i < tokens_.size(); ++i) {
      if (tokens_[i].due > Now()) continue;
      HeldToken held = std::move(tokens_[i]);
      tokens_[i] = std::move(tokens_.back());
      tokens_.pop_back();
      return held;
    }
    return std::nullopt;
  }

  Request UseOf(HeldToken held) {
    Request request{.kind = Request::Kind::kFill, .keys = {held.key}, .token = held.token};
    if (OneIn(10)) {
      request.kind = Request::Kind::kRelease;
      request.words = {"CACHE.RELEASE", KeyName(held.key), "TOKEN", held.token};
      if (OneIn(2)) request.words.insert(request.words.end(), {"RETRY", SomeTime(1, 20)});
    } else if (OneIn(20)) {
      request.words = {"CACHE.SET", KeyName(held.key), "",     "TOKEN",
                       held.token,  "NEGATIVE",        "SOFT", SomeTime(1, 10)};
    } else {
      request.fill = ++origin_.last_fill;
      request.versions = {held.version};
      request.words = {"CACHE.SET", KeyName(held.key),
                       std::to_string(held.version) + ":" + std::to_string(request.fill), "TOKEN",
                       held.token};
      if (!OneIn(8)) {
        request.words.insert(request.words.end(),
                             {"SOFT", SomeTime(1, 40), "GRACE", SomeTime(0, 40)});
      }
    }
    if (!draining_ && OneIn(20)) {  // It will come again.
      held.due = Now() + static_cast<Nanoseconds>(Between(0, 20)) * kMillisecond;
      tokens_.push_back(std::move(held));
    }
    return request;
  }

  // ---- Sending and receiving.

  void Send(Connection& connection, Batch batch) {
    std::string bytes;
    if (batch.in_transaction) bytes += EncodeRequest({"MULTI"});
    uint64_t wait_ms = 0;
    for (const Request& request : batch.requests) {
      bytes += EncodeRequest(request.words);
      wait_ms += request.wait_ms;
    }
    if (batch.in_transaction) bytes += EncodeRequest({"EXEC"});
    batch.sent = Now();
    batch.due = batch.sent + static_cast<Nanoseconds>(wait_ms) * kMillisecond + kSlack;
    connection.batch = std::move(batch);
    try {
      connection.client->SendBytes(bytes);
    } catch (const std::runtime_error&) {
      NoteEnd(connection);
    }
  }

  void Receive() {
    std::vector<pollfd> waiting;
    for (const Connection& connection : connections_) {
      waiting.push_back({.fd = connection.client->fd(), .events = POLLIN, .revents = 0});
    }
    poll(waiting.data(), waiting.size(), 1);
    for (size_t i = 0; i < waiting.size(); ++i) {
      Connection& connection = connections_[i];
      if (waiting[i].revents != 0) {
        while (const std::optional<std::string> reply = NextReply(connection)) {
          if (!connection.batch) {
            Violation("a reply that nobody asked for: " + *reply);
            break;
          }
          RespValue value;
          ParseReply(*reply, &value);
          TakeReply(connection, value);
        }
      } else if (connection.batch && connection.batch->due < Now()) {
        Violation("a request was not answered in time: " +
                  connection.batch->requests[connection.batch->answered].words[0]);
        Kill(connection);
      }
    }
  }

  // Nothing if none is there yet, or will be.
  std::optional<std::string> NextReply(Connection& connection) {
    try {
      return connection.client->ReadReplyWithin(std::chrono::milliseconds(0));
    } catch (const std::runtime_error&) {
      NoteEnd(connection);
      return std::nullopt;
    }
  }

  void TakeReply(Connection& connection, const RespValue& reply) {
    Batch& batch = *connection.batch;
    const RequestSpan span{.sent = batch.sent, .received = Now()};
    const size_t number = batch.answered++;
    if (!batch.in_transaction) {
      Note(connection, batch.requests[number], span, reply, Place::kAlone);
    } else if (batch.answered == batch.reply_count()) {
      for (size_t i = 0; i < batch.requests.size(); ++i) {
        const RespValue& one = reply.is_error() ? reply : reply.elements.at(i);
        Note(connection, batch.requests[i], span, one, Place::kInTransaction);
      }
    }
    if (batch.answered == batch.reply_count()) connection.batch.reset();
  }

  // Ends a connection as the kernel ends those of a process that is killed, or properly.
  void Kill(Connection& connection) {
    connection.place.NoteKill(Now());
    if (OneIn(2)) {
      const linger reset{.l_onoff = 1, .l_linger = 0};
      setsockopt(connection.client->fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    }
    Reopen(connection);
  }

  // The server has ended a connection.
  void NoteEnd(Connection& connection) {
    if (connection.place.killed == RequestSpan::kNever) {
      Violation("a connection was ended that nobody killed");
    }
    Reopen(connection);
  }

  void Reopen(Connection& connection) {
    EndLeases(connection, connection.place.killed);
    if (connection.batch) {
      const Batch& batch = *connection.batch;
      for (size_t i = batch.in_transaction ? 0 : batch.answered; i < batch.requests.size(); ++i) {
        NoteUnknown(batch.requests[i], {.sent = batch.sent});
      }
    }
    connection.batch.reset();
    connection.loads.clear();
    connection.may_hold.clear();
    Open(connection);
  }

  void EndLeases(Connection& connection, Nanoseconds time) {
    for (const auto& [key, grant] : connection.leases) histories_[key].grants[grant].closed = time;
    connection.leases.clear();
  }

  // Gives back what is held. False if nothing is, and nothing is on its way.
  bool Drain() {
    draining_ = true;
    bool busy = false;
    for (Connection& connection : connections_) {
      if (!connection.batch && !tokens_.empty()) {
        HeldToken held = std::move(tokens_.back());
        tokens_.pop_back();
        Batch batch;
        batch.requests.push_back(UseOf(std::move(held)));
        Send(connection, std::move(batch));
      }
      busy |= connection.batch.has_value();
    }
    draining_ = busy;
    return busy;
  }

  // ---- What was seen.

  enum class Place : uint8_t { kAlone, kInTransaction };

  void Note(Connection& connection, const Request& request, const RequestSpan& span,
            const RespValue& reply, Place place) {
    ++answered_;
    if (reply.is_error()) {
      if (!reply.text.starts_with("OOM") && !reply.text.starts_with("EXECABORT") &&
          !(reply.text.starts_with("UNBLOCKED") && request.wait_ms > 0)) {
        Violation(request.words[0] + " failed: " + reply.text);
      }
      return NoteUnknown(request, span);
    }
    switch (request.kind) {
      case Request::Kind::kAsk:
        return NoteAnswer(connection, request, span, reply, place);
      case Request::Kind::kFill:
        return NoteUse(request, span, reply.is_null ? Outcome::kRefused : Outcome::kAccepted);
      case Request::Kind::kRelease:
        return NoteUse(request, span, reply.integer == 0 ? Outcome::kRefused : Outcome::kAccepted);
      case Request::Kind::kExpire:
        if (reply.integer == 0) return;  // Nothing was there.
        [[fallthrough]];
      case Request::Kind::kRemove:
      case Request::Kind::kInvalidate:
      case Request::Kind::kWrite:
        return NoteMutation(request, span);
      case Request::Kind::kRuledRead:
        return NoteRuledRead(connection, request, span, reply, place);
      case Request::Kind::kRuledWrite:
        connection.may_hold.erase(request.keys[0]);
        return NoteMutation(request, span);
      case Request::Kind::kRead:
        if (!reply.is_null) NoteRead(request.keys[0], span, reply.text, /*fresh=*/false);
        return;
      case Request::Kind::kOther:
        return;
    }
  }

  // The request may have been run, or not.
  void NoteUnknown(const Request& request, const RequestSpan& span) {
    switch (request.kind) {
      case Request::Kind::kFill:
      case Request::Kind::kRelease:
        return NoteUse(request, span, Outcome::kUnknown);
      case Request::Kind::kRemove:
      case Request::Kind::kInvalidate:
      case Request::Kind::kWrite:
      case Request::Kind::kRuledWrite:
      case Request::Kind::kExpire:
        return NoteMutation(request, {.sent = span.sent});
      default:
        return;
    }
  }

  void NoteAnswer(Connection& connection, const Request& request, const RequestSpan& span,
                  const RespValue& reply, Place place) {
    const size_t key = request.keys[0];
    const std::string& state = reply.elements.at(1).text;
    const RespValue& value = reply.elements.at(3);
    const RespValue& token = reply.elements.at(5);
    if (!value.is_null) {
      NoteRead(key, span, value.text, IsFresh(state, reply.elements.at(9).integer));
    }
    if (!token.is_null && !token.text.empty()) {
      auto& grants = histories_[key].grants;
      if (!request.keep) connection.leases.emplace_back(key, grants.size());
      const auto lease = static_cast<Nanoseconds>(request.lease_ms) * kMillisecond;
      grants.push_back({.span = span, .token = token.text, .lease = lease});
      const uint64_t load_ms = OneIn(5) ? Between(0, 2 * request.lease_ms) : Between(0, 10);
      tokens_.push_back({.key = key,
                         .token = token.text,
                         .version = origin_.versions[key],
                         .due = Now() + static_cast<Nanoseconds>(load_ms) * kMillisecond});
    }
    const bool in_vain = state == "none" && reply.elements.at(11).integer == 0;
    if (in_vain && request.wait_ms > 0 && request.lease_ms > 0 && place == Place::kAlone) {
      histories_[key].vain_waits.push_back({.span = span});
    }
  }

  // Who sees a miss has been elected, unless it was not to wait, or waited in vain.
  void NoteRuledRead(Connection& connection, const Request& request, const RequestSpan& span,
                     const RespValue& reply, Place place) {
    const size_t key = request.keys[0];
    if (!reply.is_null) {
      histories_[key].sights.push_back({.span = span, .number = std::stoull(reply.text)});
      return;
    }
    const bool may_be_in_vain =
        connection.place.hurried ||
        span.received - span.sent >= static_cast<Nanoseconds>(request.wait_ms) * kMillisecond;
    if (place == Place::kAlone && !may_be_in_vain && !connection.MayHoldAt(span.sent)) {
      NoteElection(connection, request, span);
    }
    const bool waited = connection.batch->requests.size() == 1 && IsPatient(key);
    if (waited && may_be_in_vain && !connection.place.hurried) {
      histories_[key].vain_waits.push_back({.span = span});
    }
    connection.may_hold[key] =
        span.received + static_cast<Nanoseconds>(request.lease_ms) * kMillisecond;
    // Some are so late that somebody else has been elected meanwhile.
    const uint64_t load_ms = OneIn(10) ? 2 * request.lease_ms : Between(0, 10);
    connection.loads.push_back(
        {.key = key, .due = Now() + static_cast<Nanoseconds>(load_ms) * kMillisecond});
  }

  void NoteElection(Connection& connection, const Request& request, const RequestSpan& span) {
    const size_t key = request.keys[0];
    auto& grants = histories_[key].grants;
    if (IsPatient(key)) connection.leases.emplace_back(key, grants.size());
    grants.push_back({.span = span,
                      .token = "election " + std::to_string(++origin_.last_election),
                      .lease = static_cast<Nanoseconds>(request.lease_ms) * kMillisecond});
  }

  // A value may be refreshed because it is stale, or early.
  static bool IsFresh(const std::string& state, int64_t fresh_ms) {
    return state == "fresh" || (state == "refresh" && fresh_ms >= 0);
  }

  void NoteUse(const Request& request, const RequestSpan& span, Outcome outcome) {
    histories_[request.keys[0]].uses.push_back(
        {.span = span, .token = request.token, .outcome = outcome, .fill = request.fill});
  }

  void NoteMutation(const Request& request, const RequestSpan& span) {
    for (size_t i = 0; i < request.keys.size(); ++i) {
      histories_[request.keys[i]].mutations.push_back(
          {.span = span,
           .version = request.versions.empty() ? 0 : request.versions[i],
           .removes = request.kind == Request::Kind::kRemove});
      const bool stores =
          request.kind == Request::Kind::kRemove || request.kind == Request::Kind::kRuledWrite;
      if (IsRuled(request.keys[i]) && stores) {
        histories_[request.keys[i]].stores.push_back({.span = span, .number = request.fill});
      }
    }
  }

  void NoteRead(size_t key, const RequestSpan& span, const std::string& value, bool fresh) {
    if (value == "other") return;
    const size_t colon = value.find(':');
    histories_[key].reads.push_back({.span = span,
                                     .version = std::stoull(value),
                                     .fill = std::stoull(value.substr(colon + 1)),
                                     .fresh = fresh});
  }

  void Violation(std::string what) { violations_.push_back(std::move(what)); }

  const int port_;
  Random random_;
  Origin& origin_;
  Crowd& crowd_;
  std::vector<Connection> connections_;
  std::vector<HeldToken> tokens_;
  Histories histories_;
  std::vector<std::string> violations_;
  size_t answered_ = 0;
  bool draining_ = false;
};

template <typename Element>
void Append(std::vector<Element>& all, std::vector<Element>&& more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

int64_t InfoField(RespClient& client, size_t key, const std::string& field) {
  return Field(client.Call({"CACHE.INFO", KeyName(key)}), field).integer;
}

// How much of what is to be checked has happened.
struct Totals {
  size_t grants = 0;
  size_t accepted = 0;
  size_t refused = 0;
  size_t mutations = 0;
  size_t reads = 0;
  size_t sights = 0;
  size_t vain_waits = 0;

  void Add(const KeyHistory& history) {
    grants += history.grants.size();
    for (const KeyHistory::Use& use : history.uses) {
      accepted += use.outcome == Outcome::kAccepted ? 1 : 0;
      refused += use.outcome == Outcome::kRefused ? 1 : 0;
    }
    mutations += history.mutations.size();
    reads += history.reads.size();
    sights += history.sights.size();
    vain_waits += history.vain_waits.size();
  }
};

constexpr size_t kMostShown = 30;

// Returns what went wrong in a round.
std::vector<std::string> CheckRound(std::vector<Caller>& callers, Totals& totals) {
  Histories all;
  std::vector<std::string> violations;
  for (Caller& caller : callers) {
    Append(violations, caller.TakeViolations());
    Histories histories = caller.TakeHistories();
    for (size_t key = 0; key < kKeys; ++key) {
      Append(all[key].grants, std::move(histories[key].grants));
      Append(all[key].uses, std::move(histories[key].uses));
      Append(all[key].mutations, std::move(histories[key].mutations));
      Append(all[key].reads, std::move(histories[key].reads));
      Append(all[key].stores, std::move(histories[key].stores));
      Append(all[key].sights, std::move(histories[key].sights));
      Append(all[key].vain_waits, std::move(histories[key].vain_waits));
    }
  }
  for (size_t key = 0; key < kKeys; ++key) {
    totals.Add(all[key]);
    for (std::string& what : Violations(all[key], kSlack)) {
      violations.push_back(KeyName(key).append(": ").append(what));
    }
  }
  return violations;
}

TEST(StampedeHistoryTest, ManyCallersSeeOnlyWhatIsPromised) {
  const uint64_t operations =
      FromEnvironment("LARDER_STAMPEDE_OPERATIONS", kSanitized ? 40'000 : 300'000);
  const uint64_t seed = FromEnvironment("LARDER_STAMPEDE_SEED", static_cast<uint64_t>(Now()));
  SCOPED_TRACE("LARDER_STAMPEDE_SEED=" + std::to_string(seed));
  ServerProcess server =
      ServerProcess::StartLarder({"--threads", "4", "--maxmemory-policy", "allkeys-lru",
                                  "--stampede-rule", kPatientRule + "; " + kShortRule});
  RespClient control(server.port());
  Origin origin;
  Crowd crowd;
  std::vector<Caller> callers;
  for (size_t i = 0; i < kThreads; ++i) {
    callers.emplace_back(server.port(), seed + i, origin, crowd, i);
  }
  const bool evicts = FromEnvironment("LARDER_STAMPEDE_EVICTION", 1) != 0;
  // The connections' own memory cannot be evicted.
  const int64_t limit = evicts ? InfoNumber(control, "used_memory") + kMebibyte : 0;
  control.Call({"CONFIG", "SET", "maxmemory", std::to_string(limit)});
  Totals totals;
  const Nanoseconds began = Now();
  uint64_t answered = 0;
  while (answered < operations && !testing::Test::HasFailure()) {
    std::vector<std::function<void()>> tasks;
    for (Caller& caller : callers) {
      tasks.emplace_back([&] { caller.Run(kRoundRequests / kThreads); });
    }
    RunAll(tasks);
    for (const Caller& caller : callers) answered += caller.answered();
    const std::vector<std::string> violations = CheckRound(callers, totals);
    EXPECT_EQ(violations.size(), 0u);
    for (size_t i = 0; i < std::min(violations.size(), kMostShown); ++i) {
      ADD_FAILURE() << violations[i];
    }
    for (size_t key = 0; key < kKeys; ++key) {
      EXPECT_EQ(InfoField(control, key, "waiters"), 0) << key;
      // Those of connections that were killed, and asked to keep them, have had their time.
      EXPECT_TRUE(Eventually([&] { return InfoField(control, key, "lease") == -1; })) << key;
    }
    EXPECT_EQ(InfoNumber(control, "blocked_clients"), 0);
    control.Call({"FLUSHALL"});
  }
  const double seconds = static_cast<double>(Now() - began) / 1e9;
  std::cout << "seed " << seed << ": " << answered << " requests in " << seconds << " s, "
            << totals.grants << " leases, " << totals.accepted << " tokens accepted, "
            << totals.refused << " refused, " << origin.last_election << " elected by a rule, "
            << totals.mutations << " changes, " << totals.reads << " values read, " << totals.sights
            << " by plain reads, " << totals.vain_waits << " waits in vain, "
            << InfoNumber(control, "evicted_keys") << " evictions, "
            << InfoNumber(control, "expired_keys") << " expiries\n";
  EXPECT_GT(totals.grants, 0u);
  EXPECT_GT(totals.refused, 0u);
  EXPECT_GT(origin.last_election, 0u);
  EXPECT_GT(totals.sights, 0u);
  EXPECT_GT(totals.vain_waits, 0u);
  // Under sanitizers only what shards hold counts against the limit, which is less.
  if (evicts && !kSanitized) {
    EXPECT_GT(InfoNumber(control, "evicted_keys"), 0);
  }
}

}  // namespace
}  // namespace larder
