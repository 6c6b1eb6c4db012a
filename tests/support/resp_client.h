// A client that hides nothing: it sends the bytes it is told to and gives back replies as the bytes
// that arrived. Every wait has an end.
//
//   RespClient client(port);
//   EXPECT_EQ(client.Raw({"GET", "key"}), "$-1\r\n");
//   EXPECT_EQ(client.Call({"INCR", "key"}).integer, 1);
//
// What goes wrong (a timeout, a closed connection, bytes that are no RESP) throws
// std::runtime_error; GoogleTest reports that.
//
// Concurrency: thread-confined.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace larder {

// A reply, taken apart.
struct RespValue {
  char type = 0;         // The first byte on the wire: '+', '-', ':', '$', '*', '_', '%', '>', ...
  bool is_null = false;  // "$-1", "*-1" or "_".
  std::string text;      // Of a string, an error, a number, a boolean ("t" or "f").
  int64_t integer = 0;   // Of ':'.
  std::vector<RespValue> elements;  // Of an aggregate; a map's keys and values in turn.

  bool is_error() const { return type == '-' || type == '!'; }
  bool operator==(const RespValue&) const = default;
};

// Reads one reply from the start of `bytes`, a RESP3 attribute before it included. Returns how many
// bytes it took, or 0 if they are not all there. Throws if they cannot become a reply.
size_t ParseReply(std::string_view bytes, RespValue* value = nullptr);

// Splits as redis-cli does: blanks divide, double quotes know \xHH \n \r \t \b \a, single quotes
// \'.
std::vector<std::string> SplitCommandLine(std::string_view line);

// A request as clients send it: an array of bulk strings.
std::string EncodeRequest(const std::vector<std::string>& args);

class RespClient {
 public:
  static constexpr std::chrono::milliseconds kTimeout{10'000};

  explicit RespClient(int port, std::chrono::milliseconds timeout = kTimeout);
  explicit RespClient(const std::string& unix_socket_path,
                      std::chrono::milliseconds timeout = kTimeout);
  ~RespClient();
  RespClient(RespClient&& other) noexcept;
  RespClient& operator=(RespClient&&) = delete;

  void SendBytes(std::string_view bytes);
  void Send(const std::vector<std::string>& args) { SendBytes(EncodeRequest(args)); }

  // The bytes of the next reply or push.
  std::string ReadReply();
  RespValue ReadValue();
  // Nothing if none comes in time.
  std::optional<std::string> ReadReplyWithin(std::chrono::milliseconds timeout);
  // True if the peer closes the connection in time, whatever it sends before.
  bool ReadsEnd();
  // True if nothing arrives for that long.
  bool StaysSilent(std::chrono::milliseconds time);

  // Send and ReadReply, ReadValue.
  std::string Raw(const std::vector<std::string>& args);
  RespValue Call(const std::vector<std::string>& args);

  int fd() const { return fd_; }
  // The own end of a TCP connection.
  int LocalPort() const;
  void Close();

 private:
  // False if nothing came in time. Throws at the end of the stream.
  bool Receive(std::chrono::milliseconds timeout);

  int fd_ = -1;
  std::chrono::milliseconds timeout_;
  std::string received_;
  size_t given_out_ = 0;  // Bytes of received_ that were.
};

// The number behind "field:" in INFO, or -1 if there is no such field.
int64_t InfoNumber(RespClient& client, const std::string& field);

}  // namespace larder
