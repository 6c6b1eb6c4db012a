#include "net/listener.h"

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

namespace larder {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Unix = asio::local::stream_protocol;

// How long to wait before accepting again when the process is out of descriptors: accepting at once
// would fail at once, as fast as the processor allows.
constexpr std::chrono::milliseconds kOutOfDescriptorsPause{50};

std::string TextOf(const tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  // A v4 client of a dual-stack socket is shown as what it is.
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return absl::StrCat(asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string(),
                        ":", endpoint.port());
  }
  return address.is_v6() ? absl::StrCat("[", address.to_string(), "]:", endpoint.port())
                         : absl::StrCat(address.to_string(), ":", endpoint.port());
}

bool IsLoopback(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).is_loopback();
  }
  return address.is_loopback();
}

void Describe(tcp::socket& socket, AcceptedSocket& accepted) {
  boost::system::error_code error;
  const auto peer = socket.remote_endpoint(error);
  if (!error) {
    accepted.peer_address = TextOf(peer);
    accepted.is_loopback = IsLoopback(peer.address());
  }
  const auto local = socket.local_endpoint(error);
  if (!error) accepted.local_address = TextOf(local);
}

void Describe(Unix::socket& socket, AcceptedSocket& accepted) {
  boost::system::error_code error;
  const auto local = socket.local_endpoint(error);
  accepted.is_unix = true;
  accepted.is_loopback = true;
  accepted.peer_address = absl::StrCat(error ? "" : local.path(), ":0");
  accepted.local_address = accepted.peer_address;
}

template <typename Protocol>
class AsioListener : public Listener {
 public:
  AsioListener(typename Protocol::acceptor acceptor, OnAccept on_accept)
      : acceptor_(std::move(acceptor)),
        pause_(acceptor_.get_executor()),
        on_accept_(std::move(on_accept)) {
    Accept();
  }

  ~AsioListener() override { Close(); }

  uint16_t port() const override {
    if constexpr (std::is_same_v<Protocol, tcp>) {
      boost::system::error_code error;
      return acceptor_.local_endpoint(error).port();
    } else {
      return 0;
    }
  }

  void Close() override {
    boost::system::error_code error;
    acceptor_.close(error);
    pause_.cancel();
    if (!path_.empty()) unlink(path_.c_str());
    path_.clear();
  }

  void set_path(std::string path) { path_ = std::move(path); }

 private:
  void Accept() {
    acceptor_.async_accept(
        [this, alive = std::weak_ptr<bool>(alive_)](const boost::system::error_code& error,
                                                    typename Protocol::socket socket) {
          if (alive.expired() || error == asio::error::operation_aborted) return;
          if (error) {
            Pause();
            return;
          }
          HandOut(std::move(socket));
          Accept();
        });
  }

  void HandOut(typename Protocol::socket socket) {
    AcceptedSocket accepted;
    Describe(socket, accepted);
    boost::system::error_code error;
    accepted.fd = socket.release(error);
    if (error) return;
    fcntl(accepted.fd, F_SETFD, FD_CLOEXEC);
    fcntl(accepted.fd, F_SETFL, fcntl(accepted.fd, F_GETFL) | O_NONBLOCK);
    on_accept_(std::move(accepted));
  }

  void Pause() {
    pause_.expires_after(kOutOfDescriptorsPause);
    pause_.async_wait(
        [this, alive = std::weak_ptr<bool>(alive_)](const boost::system::error_code& error) {
          if (!alive.expired() && !error) Accept();
        });
  }

  typename Protocol::acceptor acceptor_;
  asio::steady_timer pause_;
  OnAccept on_accept_;
  std::string path_;
  // Dies with the listener, so that a handler still in the io_context's queue knows.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

absl::Status StatusFor(const std::string& what, const boost::system::error_code& error) {
  const std::string message = absl::StrCat(what, ": ", error.message());
  const bool lacking = error == asio::error::address_family_not_supported ||
                       error == boost::system::errc::address_not_available ||
                       error == boost::system::errc::protocol_not_supported;
  return lacking ? absl::NotFoundError(message) : absl::UnavailableError(message);
}

absl::StatusOr<tcp::endpoint> Resolve(asio::io_context& context, const std::string& host,
                                      uint16_t port) {
  if (host == "*") return tcp::endpoint(tcp::v4(), port);
  if (host == "::*") return tcp::endpoint(tcp::v6(), port);
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (!error) return tcp::endpoint(address, port);
  tcp::resolver resolver(context);
  const auto found = resolver.resolve(host, "", error);
  if (error || found.empty()) return StatusFor(host, error);
  return tcp::endpoint(found.begin()->endpoint().address(), port);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::ListenTcp(asio::io_context& context,
                                                              const std::string& host,
                                                              uint16_t port, int backlog,
                                                              OnAccept on_accept) {
  const std::string what = absl::StrCat("listening on ", host, ":", port);
  absl::StatusOr<tcp::endpoint> endpoint = Resolve(context, host, port);
  if (!endpoint.ok()) return endpoint.status();
  boost::system::error_code error;
  tcp::acceptor acceptor(context);
  acceptor.open(endpoint->protocol(), error);
  if (error) return StatusFor(what, error);
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (endpoint->address().is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
  acceptor.bind(*endpoint, error);
  if (error) return StatusFor(what, error);
  acceptor.listen(backlog, error);
  if (error) return StatusFor(what, error);
  return std::make_unique<AsioListener<tcp>>(std::move(acceptor), std::move(on_accept));
}

absl::StatusOr<std::unique_ptr<Listener>> Listener::ListenUnix(asio::io_context& context,
                                                               const std::string& path,
                                                               unsigned permissions, int backlog,
                                                               OnAccept on_accept) {
  const std::string what = absl::StrCat("listening on ", path);
  unlink(path.c_str());
  boost::system::error_code error;
  Unix::acceptor acceptor(context);
  acceptor.open(Unix(), error);
  if (error) return StatusFor(what, error);
  // A path too long for a socket's name must be an error, not an exception.
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": the path is too long"));
  }
  acceptor.bind(Unix::endpoint(path), error);
  if (error) return StatusFor(what, error);
  if (permissions != 0) chmod(path.c_str(), permissions);
  acceptor.listen(backlog, error);
  if (error) return StatusFor(what, error);
  auto listener = std::make_unique<AsioListener<Unix>>(std::move(acceptor), std::move(on_accept));
  listener->set_path(path);
  return listener;
}

void SetTcpOptions(int fd, int keepalive_seconds) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (keepalive_seconds <= 0) return;
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  // The peer is given up after about twice the interval: three probes, a third of it apart.
  const int interval = std::max(keepalive_seconds / 3, 1);
  const int probes = 3;
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &keepalive_seconds, sizeof(keepalive_seconds));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

}  // namespace larder
