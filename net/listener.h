// Accepts connections on one address and hands each out as a file descriptor that belongs to the
// receiver.
//
// Concurrency: thread-confined to the thread that runs the io_context.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace boost::asio {
class io_context;
}

namespace larder {

// A connection just accepted: non-blocking, close-on-exec.
struct AcceptedSocket {
  int fd = -1;
  bool is_unix = false;
  bool is_loopback = false;  // The peer is on this machine (Unix sockets are too).
  std::string peer_address;  // "127.0.0.1:53422", "[::1]:53422", or "/path/of.sock:0".
  std::string local_address;
};

class Listener {
 public:
  using OnAccept = std::function<void(AcceptedSocket)>;

  virtual ~Listener() = default;
  virtual uint16_t port() const = 0;  // 0 for a Unix socket.
  virtual void Close() = 0;

  // `host` is an IPv4 or IPv6 address, a name, or "*" and "::*" for all addresses of a family. Port
  // 0 takes a free one. Starts accepting at once. kNotFound: this machine has no such address.
  static absl::StatusOr<std::unique_ptr<Listener>> ListenTcp(boost::asio::io_context& context,
                                                             const std::string& host, uint16_t port,
                                                             int backlog, OnAccept on_accept);
  // Replaces a stale socket file; `permissions` 0 leaves those that the umask gives.
  static absl::StatusOr<std::unique_ptr<Listener>> ListenUnix(boost::asio::io_context& context,
                                                              const std::string& path,
                                                              unsigned permissions, int backlog,
                                                              OnAccept on_accept);
};

// Options of an accepted TCP socket: no Nagle delay, keep-alive probes after `keepalive_seconds` of
// silence (0: none).
void SetTcpOptions(int fd, int keepalive_seconds);

}  // namespace larder
