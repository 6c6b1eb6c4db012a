// The elements of the serialized form and its old encodings; whole values are compared with a real
// Redis in tests/wire/dump_wire_test.cpp.
#include "storage/serialized_value.h"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "storage/crc64.h"
#include "storage/old_encodings.h"
#include "tests/support/serialized_bytes.h"

namespace larder {
namespace {

std::string Written(std::string_view text,
                    SerialWriter::Compress compress = SerialWriter::Compress::kNo) {
  std::string bytes;
  StringSink sink(bytes);
  SerialWriter(sink, compress).String(text);
  return bytes;
}

TEST(SerialTest, StringsAreAsShortAsTheyCanBe) {
  EXPECT_EQ(Written(""), std::string(1, '\0'));
  EXPECT_EQ(Written("abc"),
            "\x03"
            "abc");
  EXPECT_EQ(Written("-128"), "\xc0\x80");
  EXPECT_EQ(Written("128"), std::string("\xc1\x80\x00", 3));
  EXPECT_EQ(Written("-2147483648"), std::string("\xc2\x00\x00\x00\x80", 5));
  EXPECT_EQ(Written("2147483648"),
            "\x0a"
            "2147483648");
  EXPECT_EQ(Written("007"),
            "\x03"
            "007");
  EXPECT_EQ(Written(std::string(100, 'x')).substr(0, 2), "\x40\x64");
  EXPECT_EQ(Written(std::string(20, 'x'), SerialWriter::Compress::kYes).size(), 21u);
  EXPECT_LT(Written(std::string(21, 'x'), SerialWriter::Compress::kYes).size(), 12u);
}

TEST(SerialTest, WhatIsWrittenIsRead) {
  const std::vector<std::string> texts = {
      "", "abc", "-128", "70000", std::string(70'000, 'x'), std::string(20'000, 'a')};
  for (const std::string& text : texts) {
    for (const auto compress : {SerialWriter::Compress::kNo, SerialWriter::Compress::kYes}) {
      const std::string bytes = Written(text, compress);
      StringSource source(bytes);
      SerialReader reader(source);
      std::string read;
      ASSERT_TRUE(reader.String(read));
      EXPECT_EQ(read, text);
      EXPECT_EQ(source.left(), 0u);
    }
  }
}

TEST(SerialTest, LengthsOfAllSizesAreRead) {
  for (const uint64_t length :
       {uint64_t{0}, uint64_t{63}, uint64_t{64}, uint64_t{16383}, uint64_t{16384},
        uint64_t{0xffffffff}, uint64_t{0x100000000}, std::numeric_limits<uint64_t>::max()}) {
    std::string bytes;
    StringSink sink(bytes);
    SerialWriter(sink, SerialWriter::Compress::kNo).Length(length);
    StringSource source(bytes);
    uint64_t read = 0;
    ASSERT_TRUE(SerialReader(source).Length(read));
    EXPECT_EQ(read, length);
  }
}

// A source that does not know how much is left: a socket.
class StreamSource final : public ByteSource {
 public:
  explicit StreamSource(std::string_view bytes) : source_(bytes) {}
  bool Read(char* out, size_t size) override {
    largest_ = std::max(largest_, size);
    return source_.Read(out, size);
  }
  uint64_t left() const override { return kUnknown; }
  size_t largest() const { return largest_; }

 private:
  StringSource source_;
  size_t largest_ = 0;
};

TEST(SerialTest, AStreamIsReadInStepsSoThatALieCostsLittle) {
  const std::string bytes = "\x81" + BigEndian(uint64_t{1} << 40, 8) + "short";
  StreamSource source(bytes);
  SerialReader reader(source);
  std::string text;
  EXPECT_FALSE(reader.String(text));
  EXPECT_LE(source.largest(), size_t{1} << 20);
  EXPECT_FALSE(reader.ok());
  EXPECT_FALSE(reader.String(text));  // And so it stays.
}

TEST(SerialTest, EveryPrefixOfAPayloadIsRefused) {
  const std::string values[] = {
      SerialLength(2) + SerialString("a") + SerialString("1"),
      SerialString(Ziplist({"a", "#1", "b", "#2"})),
  };
  for (const auto& [type, value] : {std::pair<uint8_t, std::string>{2, values[0]},
                                    std::pair<uint8_t, std::string>{13, values[1]}}) {
    const std::string bytes = static_cast<char>(type) + value;
    EXPECT_TRUE(ReadPayload(bytes + std::string(10, '\0'), {}));
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(ReadPayload(bytes.substr(0, size) + std::string(10, '\0'), {})) << size;
    }
    EXPECT_FALSE(ReadPayload(bytes + "x" + std::string(10, '\0'), {}));
  }
}

TEST(OldEncodingsTest, ReadsAllFormsOfAZiplist) {
  const std::vector<std::string> elements = {"",
                                             "a",
                                             std::string(63, 'b'),
                                             std::string(64, 'c'),
                                             std::string(300, 'd'),
                                             "#0",
                                             "#12",
                                             "#13",
                                             "#-128",
                                             "#127",
                                             "#-129",
                                             "#32767",
                                             "#32768",
                                             "#-8388608",
                                             "#8388607",
                                             "#8388608",
                                             "#-2147483648",
                                             "#2147483648",
                                             "#-9223372036854775808",
                                             std::string(20'000, 'e')};
  std::vector<std::string> found;
  EXPECT_TRUE(ReadZiplist(Ziplist(elements), [&](const ListpackValue& value) {
    found.push_back((value.is_integer ? "#" : "") + value.Text());
    return true;
  }));
  EXPECT_EQ(found, elements);
}

// Whatever byte of a ziplist or zipmap is changed: it is read or refused, within its bounds.
TEST(OldEncodingsTest, SurviveAnyChangedByte) {
  const auto any = [](const ListpackValue&) { return true; };
  const auto any_pair = [](std::string_view, std::string_view) { return true; };
  const std::string ziplist = Ziplist({"a", "#5", "#-300", std::string(70, 'x'), "b"});
  const std::string zipmap = Zipmap({"a", "1", "bb", "two"}, 2);
  ASSERT_TRUE(ReadZiplist(ziplist, any));
  ASSERT_TRUE(ReadZipmap(zipmap, any_pair));
  for (int byte = 0; byte < 256; ++byte) {
    for (size_t i = 0; i < ziplist.size(); ++i) {
      std::string changed = ziplist;
      changed[i] = static_cast<char>(byte);
      ReadZiplist(changed, any);
      EXPECT_TRUE(i >= 8 || changed == ziplist || !ReadZiplist(changed, any));
    }
    for (size_t i = 0; i < zipmap.size(); ++i) {
      std::string changed = zipmap;
      changed[i] = static_cast<char>(byte);
      ReadZipmap(changed, any_pair);
    }
  }
  for (size_t size = 0; size < ziplist.size(); ++size) {
    EXPECT_FALSE(ReadZiplist(ziplist.substr(0, size), any));
  }
}

}  // namespace
}  // namespace larder
