#include "net/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <filesystem>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/server_process.h"
#include <boost/asio/io_context.hpp>

namespace larder {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr int kBacklog = 16;

class ListenerTest : public testing::Test {
 protected:
  ~ListenerTest() override {
    if (accepted_) close(accepted_->fd);
    if (client_ >= 0) close(client_);
  }

  Listener::OnAccept Keep() {
    return [this](AcceptedSocket socket) { accepted_ = std::move(socket); };
  }
  absl::StatusOr<std::unique_ptr<Listener>> ListenTcp(const std::string& host, uint16_t port = 0) {
    return Listener::ListenTcp(context_, host, port, kBacklog, Keep());
  }
  absl::StatusOr<std::unique_ptr<Listener>> ListenUnix(const std::string& path, unsigned mode = 0) {
    return Listener::ListenUnix(context_, path, mode, kBacklog, Keep());
  }

  bool Connect(const sockaddr* address, socklen_t size) {
    client_ = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return connect(client_, address, size) == 0;
  }
  bool ConnectTcp(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return Connect(reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  }
  bool ConnectUnix(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    return Connect(reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  }
  void RunUntilAccepted() {
    while (!accepted_) context_.run_one();
  }

  boost::asio::io_context context_;
  std::optional<AcceptedSocket> accepted_;
  int client_ = -1;
};

TEST_F(ListenerTest, HandsOutWhatItAccepts) {
  const auto listener = ListenTcp("127.0.0.1");
  ASSERT_TRUE(listener.ok()) << listener.status();
  const uint16_t port = (*listener)->port();
  ASSERT_NE(port, 0);
  ASSERT_TRUE(ConnectTcp(port));
  RunUntilAccepted();
  EXPECT_FALSE(accepted_->is_unix);
  EXPECT_TRUE(accepted_->is_loopback);
  EXPECT_THAT(accepted_->peer_address, StartsWith("127.0.0.1:"));
  EXPECT_EQ(accepted_->local_address, "127.0.0.1:" + std::to_string(port));
  EXPECT_NE(fcntl(accepted_->fd, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(fcntl(accepted_->fd, F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(ListenerTest, AcceptsOneAfterTheOther) {
  const auto listener = ListenTcp("127.0.0.1");
  ASSERT_TRUE(listener.ok()) << listener.status();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(ConnectTcp((*listener)->port()));
    RunUntilAccepted();
    close(accepted_->fd);
    accepted_.reset();
    close(client_);
    client_ = -1;
  }
}

TEST_F(ListenerTest, StarMeansAllAddresses) {
  const auto listener = ListenTcp("*");
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_TRUE(ConnectTcp((*listener)->port()));
}

TEST_F(ListenerTest, TakenPortAndMissingAddressAreToldApart) {
  const auto first = ListenTcp("127.0.0.1");
  ASSERT_TRUE(first.ok()) << first.status();
  const absl::Status taken = ListenTcp("127.0.0.1", (*first)->port()).status();
  EXPECT_TRUE(absl::IsUnavailable(taken)) << taken;
  EXPECT_THAT(std::string(taken.message()), HasSubstr("Address already in use"));
  // 203.0.113.0/24 is set aside for documentation: no machine has it.
  const absl::Status missing = ListenTcp("203.0.113.7").status();
  EXPECT_TRUE(absl::IsNotFound(missing)) << missing;
  EXPECT_THAT(std::string(missing.message()), HasSubstr("203.0.113.7"));
}

TEST_F(ListenerTest, ClosedListenerAcceptsNothing) {
  auto listener = ListenTcp("127.0.0.1");
  ASSERT_TRUE(listener.ok()) << listener.status();
  const uint16_t port = (*listener)->port();
  (*listener)->Close();
  EXPECT_FALSE(ConnectTcp(port));
}

TEST_F(ListenerTest, MayBeDestroyedBeforeItsHandlersHaveRun) {
  {
    const auto listener = ListenTcp("127.0.0.1");
    ASSERT_TRUE(listener.ok()) << listener.status();
    ASSERT_TRUE(ConnectTcp((*listener)->port()));
  }
  context_.poll();
  EXPECT_FALSE(accepted_);
}

TEST_F(ListenerTest, UnixSocketHasItsPermissionsAndIsRemoved) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() / "socket";
  {
    const auto listener = ListenUnix(path, 0600);
    ASSERT_TRUE(listener.ok()) << listener.status();
    EXPECT_EQ((*listener)->port(), 0);
    struct stat status = {};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    ASSERT_TRUE(ConnectUnix(path));
    RunUntilAccepted();
    EXPECT_TRUE(accepted_->is_unix);
    EXPECT_TRUE(accepted_->is_loopback);
    EXPECT_EQ(accepted_->peer_address, path + ":0");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ListenerTest, UnixSocketErrorsAreStatuses) {
  EXPECT_TRUE(absl::IsInvalidArgument(ListenUnix("/tmp/" + std::string(200, 'x')).status()));
  const absl::Status missing = ListenUnix("/no/such/directory/socket").status();
  EXPECT_THAT(std::string(missing.message()), HasSubstr("No such file or directory"));
}

int OptionOf(int fd, int level, int option) {
  int value = -1;
  socklen_t size = sizeof(value);
  getsockopt(fd, level, option, &value, &size);
  return value;
}

TEST(SetTcpOptionsTest, GivesUpAPeerAfterTwiceTheInterval) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  SetTcpOptions(fd, 300);
  EXPECT_NE(OptionOf(fd, IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_NE(OptionOf(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_EQ(OptionOf(fd, IPPROTO_TCP, TCP_KEEPIDLE), 300);
  EXPECT_EQ(OptionOf(fd, IPPROTO_TCP, TCP_KEEPINTVL), 100);
  EXPECT_EQ(OptionOf(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
  close(fd);
}

TEST(SetTcpOptionsTest, ZeroMeansNoKeepAlive) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  SetTcpOptions(fd, 0);
  EXPECT_NE(OptionOf(fd, IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_EQ(OptionOf(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
  close(fd);
}

}  // namespace
}  // namespace larder
