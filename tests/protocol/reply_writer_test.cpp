#include "protocol/reply_writer.h"

#include <cmath>
#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/blob.h"
#include "protocol/output_buffer.h"
#include <gtest/gtest.h>

namespace larder {
namespace {

struct ReplyCase {
  std::string name;
  std::function<void(ReplyWriter&)> write;
  std::string resp2;
  std::string resp3;
};

void PrintTo(const ReplyCase& row, std::ostream* out) { *out << row.name; }

class ReplyWriterRowTest : public testing::TestWithParam<ReplyCase> {};

TEST_P(ReplyWriterRowTest, IsWrittenAsRedisWritesIt) {
  for (const RespVersion version : {RespVersion::kResp2, RespVersion::kResp3}) {
    OutputBuffer out;
    ReplyWriter reply(out, version);
    GetParam().write(reply);
    EXPECT_EQ(out.ToString(), reply.resp3() ? GetParam().resp3 : GetParam().resp2);
  }
}

// The bytes of redis-server 7.0.15, most of them from its DEBUG PROTOCOL.
INSTANTIATE_TEST_SUITE_P(
    Replies, ReplyWriterRowTest,
    testing::ValuesIn(std::vector<ReplyCase>{
        {"Ok", [](auto& r) { r.Ok(); }, "+OK\r\n", "+OK\r\n"},
        {"Simple", [](auto& r) { r.Simple("PONG"); }, "+PONG\r\n", "+PONG\r\n"},
        {"EmptySimple", [](auto& r) { r.Simple(""); }, "+\r\n", "+\r\n"},
        {"Integer", [](auto& r) { r.Integer(12345); }, ":12345\r\n", ":12345\r\n"},
        {"IntegerMin", [](auto& r) { r.Integer(INT64_MIN); }, ":-9223372036854775808\r\n",
         ":-9223372036854775808\r\n"},
        {"IntegerMax", [](auto& r) { r.Integer(INT64_MAX); }, ":9223372036854775807\r\n",
         ":9223372036854775807\r\n"},
        {"Bulk", [](auto& r) { r.Bulk("Hello World"); }, "$11\r\nHello World\r\n",
         "$11\r\nHello World\r\n"},
        {"EmptyBulk", [](auto& r) { r.Bulk(""); }, "$0\r\n\r\n", "$0\r\n\r\n"},
        {"NullViewBulk", [](auto& r) { r.Bulk(std::string_view()); }, "$0\r\n\r\n", "$0\r\n\r\n"},
        {"BulkInteger", [](auto& r) { r.BulkInteger(-42); }, "$3\r\n-42\r\n", "$3\r\n-42\r\n"},
        {"Null", [](auto& r) { r.Null(); }, "$-1\r\n", "_\r\n"},
        {"NullArray", [](auto& r) { r.NullArray(); }, "*-1\r\n", "_\r\n"},
        {"True", [](auto& r) { r.Boolean(true); }, ":1\r\n", "#t\r\n"},
        {"False", [](auto& r) { r.Boolean(false); }, ":0\r\n", "#f\r\n"},
        {"Double", [](auto& r) { r.Double(3.141); }, "$5\r\n3.141\r\n", ",3.141\r\n"},
        {"DoubleInteger", [](auto& r) { r.Double(3); }, "$1\r\n3\r\n", ",3\r\n"},
        {"DoubleNegativeZero", [](auto& r) { r.Double(-0.0); }, "$2\r\n-0\r\n", ",-0\r\n"},
        {"DoubleInf", [](auto& r) { r.Double(HUGE_VAL); }, "$3\r\ninf\r\n", ",inf\r\n"},
        {"DoubleMinusInf", [](auto& r) { r.Double(-HUGE_VAL); }, "$4\r\n-inf\r\n", ",-inf\r\n"},
        {"DoubleNan", [](auto& r) { r.Double(NAN); }, "$3\r\nnan\r\n", ",nan\r\n"},
        {"BigNumber", [](auto& r) { r.BigNumber("1234567999999999999999999999999999999"); },
         "$37\r\n1234567999999999999999999999999999999\r\n",
         "(1234567999999999999999999999999999999\r\n"},
        {"Verbatim", [](auto& r) { r.Verbatim("This is a verbatim\nstring"); },
         "$25\r\nThis is a verbatim\nstring\r\n", "=29\r\ntxt:This is a verbatim\nstring\r\n"},
        {"VerbatimMarkdown", [](auto& r) { r.Verbatim("# x", "mkd"); }, "$3\r\n# x\r\n",
         "=7\r\nmkd:# x\r\n"},
        {"Array", [](auto& r) { r.Array(3); }, "*3\r\n", "*3\r\n"},
        {"EmptyArray", [](auto& r) { r.Array(0); }, "*0\r\n", "*0\r\n"},
        {"LongArray", [](auto& r) { r.Array(123456); }, "*123456\r\n", "*123456\r\n"},
        {"Map", [](auto& r) { r.Map(3); }, "*6\r\n", "%3\r\n"},
        {"Set", [](auto& r) { r.Set(3); }, "*3\r\n", "~3\r\n"},
        {"Push", [](auto& r) { r.Push(2); }, "*2\r\n", ">2\r\n"},
        {"Raw", [](auto& r) { r.Raw("+RAW\r\n"); }, "+RAW\r\n", "+RAW\r\n"},
        {"Error", [](auto& r) { r.Error("ERR syntax error"); }, "-ERR syntax error\r\n",
         "-ERR syntax error\r\n"},
        {"ErrorWithLineBreaks", [](auto& r) { r.Error("ERR 'a\r\nb'\n+OK\r\n"); },
         "-ERR 'a  b' +OK\r\n", "-ERR 'a  b' +OK\r\n"},
    }),
    [](const auto& row) { return row.param.name; });

std::string Resp3(const std::function<void(ReplyWriter&)>& write) {
  OutputBuffer out;
  ReplyWriter reply(out, RespVersion::kResp3);
  write(reply);
  return out.ToString();
}

TEST(ReplyWriterTest, AttributesPrecedeTheirReply) {
  EXPECT_EQ(Resp3([](ReplyWriter& reply) {
              reply.Attribute(1);
              reply.Bulk("ttl");
              reply.Integer(3600);
              reply.Bulk("value");
            }),
            "|1\r\n$3\r\nttl\r\n:3600\r\n$5\r\nvalue\r\n");
}

TEST(ReplyWriterTest, BulksOfEveryLengthAreFramed) {
  OutputBuffer out;
  ReplyWriter reply(out, RespVersion::kResp2);
  std::string expected;
  for (const size_t size : {1, 9, 10, 99, 100, 999, 1000, 2048, 2049, 16383, 16384, 100000}) {
    const std::string value(size, 'v');
    reply.Bulk(value);
    expected += "$" + std::to_string(size) + "\r\n" + value + "\r\n";
  }
  EXPECT_EQ(out.ToString(), expected);
}

TEST(ReplyWriterTest, LargeBlobsLeaveByReferenceSmallOnesAsCopies) {
  OutputBuffer out;
  ReplyWriter reply(out, RespVersion::kResp2);
  const BlobRef small = BlobRef::CopyOf(std::string(ReplyWriter::kMinReferencedBytes - 1, 's'));
  reply.BulkBlob(small);
  EXPECT_TRUE(small.unique());
  const BlobRef large = BlobRef::CopyOf(std::string(ReplyWriter::kMinReferencedBytes, 'l'));
  reply.BulkBlob(large);
  EXPECT_FALSE(large.unique());
  EXPECT_EQ(out.ToString(), "$16383\r\n" + std::string(small->view()) + "\r\n$16384\r\n" +
                                std::string(large->view()) + "\r\n");
}

TEST(ReplyWriterTest, APartOfABlobIsABulk) {
  OutputBuffer out;
  ReplyWriter reply(out, RespVersion::kResp2);
  const BlobRef blob = BlobRef::CopyOf("abc" + std::string(20000, 'l') + "xyz");
  reply.BulkBlob(blob, blob->view().substr(1, 2));
  reply.BulkBlob(blob, blob->view().substr(2, 20002));
  reply.BulkBlob(blob, blob->view().substr(20006, 0));
  EXPECT_EQ(out.ToString(),
            "$2\r\nbc\r\n$20002\r\nc" + std::string(20000, 'l') + "x\r\n$0\r\n\r\n");
}

TEST(ReplyWriterTest, ErrorsAreCountedAndTheBeginningOfTheLastIsKept) {
  OutputBuffer out;
  ReplyWriter reply(out, RespVersion::kResp2);
  EXPECT_EQ(reply.error_count(), 0);
  EXPECT_EQ(reply.last_error(), "");
  reply.Error("WRONGTYPE no");
  reply.Ok();
  EXPECT_EQ(reply.error_count(), 1);
  EXPECT_EQ(reply.last_error(), "WRONGTYPE no");
  reply.Error("ERR " + std::string(100, 'x'));
  EXPECT_EQ(reply.error_count(), 2);
  EXPECT_EQ(reply.last_error(), "ERR " + std::string(60, 'x'));
}

TEST(ReplyWriterTest, DeferredHeadersNest) {
  EXPECT_EQ(Resp3([](ReplyWriter& reply) {
              reply.Ok();
              const auto outer = reply.BeginDeferred();
              reply.Integer(1);
              const auto map = reply.BeginDeferred();
              reply.Bulk("k");
              reply.Null();
              reply.EndDeferredMap(map, 1);
              const auto set = reply.BeginDeferred();
              reply.EndDeferredSet(set, 0);
              reply.EndDeferredArray(outer, 3);
              reply.Ok();
            }),
            "+OK\r\n*3\r\n:1\r\n%1\r\n$1\r\nk\r\n_\r\n~0\r\n+OK\r\n");
}

TEST(ReplyWriterTest, DeferredHeadersHaveTheirResp2Shape) {
  OutputBuffer out;
  ReplyWriter reply(out, RespVersion::kResp2);
  reply.EndDeferredMap(reply.BeginDeferred(), 2);
  reply.EndDeferredSet(reply.BeginDeferred(), 2);
  reply.EndDeferredPush(reply.BeginDeferred(), 2);
  EXPECT_EQ(out.ToString(), "*4\r\n*2\r\n*2\r\n");
}

// Wherever in a chunk the mark and the end happen to fall, and with blobs in between.
TEST(ReplyWriterTest, DeferredHeadersWorkAcrossChunks) {
  const BlobRef blob = BlobRef::CopyOf(std::string(20000, 'b'));
  for (const size_t before :
       {size_t{0}, size_t{16355}, size_t{16360}, size_t{16368}, size_t{20000}}) {
    for (const size_t elements : {0, 1, 100, 5000}) {
      OutputBuffer out;
      ReplyWriter reply(out, RespVersion::kResp2);
      std::string expected(before, '.');
      out.Append(expected);
      const auto outer = reply.BeginDeferred();
      const auto inner = reply.BeginDeferred();
      std::string content;
      for (size_t i = 0; i < elements; ++i) {
        if (i % 40 == 39) {
          reply.BulkBlob(blob);
          content += "$20000\r\n" + std::string(blob->view()) + "\r\n";
        } else {
          reply.Integer(static_cast<int64_t>(i));
          content += ":" + std::to_string(i) + "\r\n";
        }
      }
      reply.EndDeferredArray(inner, elements);
      reply.EndDeferredArray(outer, 1);
      expected += "*1\r\n*" + std::to_string(elements) + "\r\n" + content;
      ASSERT_TRUE(out.ToString() == expected) << before << " bytes before " << elements;
    }
  }
}

}  // namespace
}  // namespace larder
