#include "storage/listpack.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/allocator.h"
#include "base/numbers.h"
#include "base/random.h"
#include <gtest/gtest.h>

namespace larder {
namespace {

using std::string_literals::operator""s;

// Frees what it holds, so that a failed expectation leaks nothing.
class ListpackTest : public testing::Test {
 protected:
  ListpackTest() : listpack_(Listpack::Create()) {}
  ~ListpackTest() override { listpack_.Free(); }

  std::vector<std::string> Texts() const { return TextsOf(listpack_); }
  static std::vector<std::string> TextsOf(const Listpack& listpack) {
    std::vector<std::string> texts;
    for (auto at = listpack.First(); at != Listpack::kNone; at = listpack.Next(at)) {
      texts.push_back(listpack.At(at).Text());
    }
    return texts;
  }
  static std::vector<std::string> TextsBackwards(const Listpack& listpack) {
    std::vector<std::string> texts;
    for (auto at = listpack.Last(); at != Listpack::kNone; at = listpack.Previous(at)) {
      texts.push_back(listpack.At(at).Text());
    }
    std::reverse(texts.begin(), texts.end());
    return texts;
  }
  // The bytes of the elements alone.
  std::string Body() const {
    const std::string_view bytes = listpack_.bytes();
    return std::string(bytes.substr(6, bytes.size() - 7));
  }
  void Fill(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) listpack_.Append(text);
  }

  Listpack listpack_;
};

TEST_F(ListpackTest, AnEmptyOneIsSevenBytes) {
  EXPECT_EQ(listpack_.bytes(), "\x07\0\0\0\0\0\xff"s);
  EXPECT_TRUE(listpack_.empty());
  EXPECT_EQ(listpack_.First(), Listpack::kNone);
  EXPECT_EQ(listpack_.Last(), Listpack::kNone);
  EXPECT_EQ(listpack_.Seek(0), Listpack::kNone);
  EXPECT_EQ(listpack_.Seek(-1), Listpack::kNone);
}

struct EncodingCase {
  std::string value;
  std::string head;  // The first bytes of the element.
  size_t bytes;      // Of the whole element.
};

// What redis-server 7.0.15 writes: taken from the payloads that its DUMP returns.
TEST_F(ListpackTest, EncodesEachValueAsRedisDoes) {
  const EncodingCase cases[] = {
      {"0", "\0"s, 2},
      {"127", "\x7f"s, 2},
      {"128", "\xc0\x80"s, 3},
      {"-1", "\xdf\xff"s, 3},
      {"4095", "\xcf\xff"s, 3},
      {"-4096", "\xd0\0"s, 3},
      {"4096", "\xf1\0\x10"s, 4},
      {"-4097", "\xf1\xff\xef"s, 4},
      {"32767", "\xf1\xff\x7f"s, 4},
      {"32768", "\xf2\0\x80\0"s, 5},
      {"-32769", "\xf2\xff\x7f\xff"s, 5},
      {"8388607", "\xf2\xff\xff\x7f"s, 5},
      {"-8388608", "\xf2\0\0\x80"s, 5},
      {"8388608", "\xf3\0\0\x80\0"s, 6},
      {"-2147483648", "\xf3\0\0\0\x80"s, 6},
      {"2147483648", "\xf4\0\0\0\x80\0\0\0\0"s, 10},
      {"9223372036854775807", "\xf4\xff\xff\xff\xff\xff\xff\xff\x7f"s, 10},
      {"-9223372036854775808", "\xf4\0\0\0\0\0\0\0\x80"s, 10},
      {"", "\x80"s, 2},
      {"9223372036854775808", "\x93"s + "9223372036854775808", 21},
      {"-0", "\x82-0"s, 4},
      {"01",
       "\x82"
       "01"s,
       4},
      {std::string(63, 'x'), "\xbfx"s, 65},
      {std::string(64, 'x'), "\xe0\x40x"s, 67},
      {std::string(125, 'x'), "\xe0\x7dx"s, 128},
      {std::string(126, 'x'), "\xe0\x7ex"s, 130},
      {std::string(4095, 'x'), "\xef\xffx"s, 4099},
      {std::string(4096, 'x'), "\xf0\0\x10\0\0x"s, 4103},
  };
  for (const EncodingCase& c : cases) {
    Listpack one = Listpack::Create();
    one.Append(c.value);
    EXPECT_EQ(one.bytes().substr(6, c.head.size()), c.head) << c.value.substr(0, 20);
    EXPECT_EQ(one.total_bytes(), 7 + c.bytes) << c.value.substr(0, 20);
    EXPECT_EQ(one.At(one.First()).Text(), c.value);
    EXPECT_EQ(one.At(one.First()).TextSize(), c.value.size());
    EXPECT_EQ(one.Last(), one.First());
    EXPECT_TRUE(Listpack::Validate(one.bytes()));
    one.Free();
  }
}

// A form longer by one is used for the largest length that the shorter one could hold: so Redis
// writes it, and the bytes must not differ.
TEST_F(ListpackTest, LengthsBehindElementsAreAsLongAsRedisMakesThem) {
  const struct {
    size_t text_bytes;
    size_t length_bytes;
  } cases[] = {{125, 1},     {126, 2},     {16377, 2},     {16378, 3},
               {2097145, 3}, {2097146, 4}, {268435449, 4}, {268435450, 5}};
  for (const auto& c : cases) {
    Listpack one = Listpack::Create();
    one.Append(std::string(c.text_bytes, 'x'));
    const size_t head = c.text_bytes < 4096 ? 2 : 5;
    EXPECT_EQ(one.total_bytes(), 7 + head + c.text_bytes + c.length_bytes);
    EXPECT_EQ(one.Last(), one.First());
    EXPECT_TRUE(Listpack::Validate(one.bytes()));
    one.Free();
  }
}

TEST_F(ListpackTest, FindsElementsByIndexFromBothEnds) {
  Fill({"a", "1", "b", "1000", "c"});
  const char* const expected[] = {"a", "1", "b", "1000", "c"};
  for (int64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(listpack_.At(listpack_.Seek(i)).Text(), expected[i]);
    EXPECT_EQ(listpack_.At(listpack_.Seek(i - 5)).Text(), expected[i]);
  }
  for (const int64_t index : {int64_t{5}, int64_t{-6}, INT64_MAX, INT64_MIN}) {
    EXPECT_EQ(listpack_.Seek(index), Listpack::kNone);
  }
}

TEST_F(ListpackTest, FindsTextAndNumbersAndSkipsWhatItIsToldTo) {
  Fill({"field", "7", "7", "field2", "x", "field"});
  const auto first = listpack_.First();
  EXPECT_EQ(listpack_.Find(first, "7"), listpack_.Seek(1));
  EXPECT_EQ(listpack_.Find(first, "7", 1), listpack_.Seek(2));
  EXPECT_EQ(listpack_.Find(first, "field2"), listpack_.Seek(3));
  EXPECT_EQ(listpack_.Find(first, "field2", 1), Listpack::kNone);
  EXPECT_EQ(listpack_.Find(listpack_.Seek(1), "field"), listpack_.Seek(5));
  EXPECT_EQ(listpack_.Find(first, "07"), Listpack::kNone);
  EXPECT_EQ(listpack_.Find(Listpack::kNone, "7"), Listpack::kNone);
  EXPECT_TRUE(listpack_.Equals(listpack_.Seek(1), "7"));
  EXPECT_FALSE(listpack_.Equals(listpack_.Seek(1), "07"));
}

// Another program may have written a number as text; it must be found all the same.
TEST_F(ListpackTest, FindsANumberThatIsHeldAsText) {
  Listpack foreign = Listpack::CopyOf(
      "\x0a\0\0\0\1\0\x81"
      "7\x02\xff"s);
  ASSERT_TRUE(Listpack::Validate(foreign.bytes()));
  EXPECT_EQ(foreign.Find(foreign.First(), "7"), foreign.First());
  foreign.Free();
}

TEST_F(ListpackTest, InsertsBeforeAndBehind) {
  Fill({"b"});
  listpack_.Prepend("a");
  auto at = listpack_.InsertAfter(listpack_.Seek(1), "d");
  EXPECT_EQ(listpack_.At(at).Text(), "d");
  at = listpack_.InsertBefore(at, "300");
  EXPECT_EQ(listpack_.At(at).Text(), "300");
  EXPECT_EQ(Texts(), (std::vector<std::string>{"a", "b", "300", "d"}));
  EXPECT_EQ(listpack_.size(), 4u);
}

TEST_F(ListpackTest, ReplacesByShorterLongerAndNumbers) {
  Fill({"a", "b", "c"});
  listpack_.Replace(listpack_.Seek(1), std::string(5000, 'x'));
  EXPECT_EQ(Texts(), (std::vector<std::string>{"a", std::string(5000, 'x'), "c"}));
  listpack_.Replace(listpack_.Seek(1), 12);
  EXPECT_EQ(Texts(), (std::vector<std::string>{"a", "12", "c"}));
  EXPECT_EQ(listpack_.size(), 3u);
  EXPECT_EQ(Body().size(), 3u + 2 + 3);
}

TEST_F(ListpackTest, ErasesAndSaysWhatStandsThereNow) {
  Fill({"a", "b", "c", "d"});
  const auto at = listpack_.Erase(listpack_.Seek(1), 2);
  EXPECT_EQ(listpack_.At(at).Text(), "d");
  EXPECT_EQ(listpack_.Erase(at), Listpack::kNone);
  EXPECT_EQ(Texts(), (std::vector<std::string>{"a"}));
  EXPECT_EQ(listpack_.Erase(listpack_.First(), 100), Listpack::kNone);
  EXPECT_EQ(listpack_.bytes(), "\x07\0\0\0\0\0\xff"s);
}

TEST_F(ListpackTest, SplitsAndJoins) {
  Fill({"a", "1", "b", "2"});
  const std::string whole(listpack_.bytes());
  Listpack tail = listpack_.Split(listpack_.Seek(1));
  EXPECT_EQ(Texts(), (std::vector<std::string>{"a"}));
  EXPECT_EQ(TextsOf(tail), (std::vector<std::string>{"1", "b", "2"}));
  EXPECT_TRUE(Listpack::Validate(tail.bytes()));
  listpack_.AppendAll(tail);
  EXPECT_EQ(listpack_.bytes(), whole);
  tail.Free();
}

TEST_F(ListpackTest, GrowsAndShrinksAtTheHeadWhereItStands) {
  Fill({"b", "300", "c"});
  std::string block(100, '#');
  const size_t room = block.size() - listpack_.total_bytes();
  std::copy(listpack_.bytes().begin(), listpack_.bytes().end(),
            block.begin() + static_cast<std::ptrdiff_t>(room));
  Listpack inside(block.data() + room);
  EXPECT_EQ(inside.PrependInFront(std::string(room - 1, 'x'), room), 0u);
  EXPECT_EQ(inside.PrependInFront("a", room), 3u);
  EXPECT_EQ(inside.data(), block.data() + room - 3);
  EXPECT_EQ(inside.PrependInFront("7", room - 3), 2u);
  EXPECT_EQ(TextsOf(inside), (std::vector<std::string>{"7", "a", "b", "300", "c"}));
  EXPECT_TRUE(Listpack::Validate(inside.bytes()));
  EXPECT_EQ(inside.EraseFirstInFront(), 2u);
  EXPECT_EQ(inside.EraseFirstInFront(), 3u);
  EXPECT_EQ(inside.bytes(), listpack_.bytes());
  EXPECT_EQ(block.substr(0, room - 5), std::string(room - 5, '#'));
}

// Numbers of elements above 65534 do not fit into the header.
TEST_F(ListpackTest, CountsWhatTheHeaderCannotHold) {
  for (int i = 0; i < 65534; ++i) listpack_.Append(int64_t{1});
  EXPECT_EQ(listpack_.bytes().substr(4, 2), "\xfe\xff"s);
  listpack_.Append("x");
  listpack_.Append("y");
  EXPECT_EQ(listpack_.bytes().substr(4, 2), "\xff\xff"s);
  EXPECT_EQ(listpack_.size(), 65536u);
  EXPECT_EQ(listpack_.At(listpack_.Seek(65535)).Text(), "y");
  EXPECT_EQ(listpack_.At(listpack_.Seek(-65536)).Text(), "1");
  EXPECT_EQ(listpack_.Seek(65536), Listpack::kNone);
  EXPECT_EQ(listpack_.Seek(-65537), Listpack::kNone);
  EXPECT_TRUE(Listpack::Validate(listpack_.bytes()));
  listpack_.Erase(listpack_.First(), 60000);
  EXPECT_EQ(listpack_.size(), 5536u);
  EXPECT_NE(listpack_.bytes().substr(4, 2), "\xff\xff"s);
  EXPECT_TRUE(Listpack::Validate(listpack_.bytes()));
}

TEST_F(ListpackTest, RefusesBytesThatAreNoListpack) {
  const auto element = [](std::string bytes, char count = 1) {
    return std::string{static_cast<char>(bytes.size() + 7), 0, 0, 0, count, 0} + bytes + "\xff";
  };
  ASSERT_TRUE(
      Listpack::Validate(element("\x81"
                                 "a\x02")));
  const std::string bad[] = {
      "",
      "\x07\0\0\0\0\0"s,
      "\x08\0\0\0\0\0\xff"s,  // Says it is longer than it is.
      "\x07\0\0\0\0\0\xfe"s,  // No end.
      "\x07\0\0\0\1\0\xff"s,  // Says it has an element.
      element("\x81"
              "a\x02",
              2),  // Counts one too many.
      element("\x81"
              "a\x03"),  // Wrong length behind the element.
      element("\x85"
              "a\x02"),  // Reaches beyond the end.
      element("\x81"
              "a"),     // No length behind it.
      element("\xe0"),  // Half a length before it.
      element("\xf0\x01\x00\x00"s),
      element("\xf0\xff\xff\xff\xff"
              "a\x06"),
      element("\xf4\x01\x02"),  // Half a number.
      element("\xf5\x01"),      // No such encoding.
      element("\xff"),          // Ends too early.
      element("\x81"
              "a\x82"),  // The length goes on into the element.
  };
  for (const std::string& bytes : bad) {
    EXPECT_FALSE(Listpack::Validate(bytes)) << testing::PrintToString(bytes);
  }
}

TEST_F(ListpackTest, TheVisitorMayRefuseAnElement) {
  Fill({"a", "1"});
  std::vector<std::string> seen;
  EXPECT_FALSE(Listpack::Validate(listpack_.bytes(), [&](const ListpackValue& value) {
    seen.push_back(value.Text());
    return !value.is_integer;
  }));
  EXPECT_EQ(seen, (std::vector<std::string>{"a", "1"}));
}

std::string RandomText(Random& random) {
  switch (random.Uniform(5)) {
    case 0:
      return std::to_string(static_cast<int64_t>(random.Next()) >> random.Uniform(64));
    case 1:
      return std::string(random.Uniform(300), static_cast<char>(random.Uniform(256)));
    case 2:
      return std::string(random.Uniform(5000), 'y');
    default:
      return std::string(random.Uniform(20), 'z');
  }
}

// Every change, at random places, against a vector of strings.
TEST_F(ListpackTest, DoesWhatAVectorDoes) {
  Random random(7);
  std::vector<std::string> model;
  for (int step = 0; step < 20000; ++step) {
    const std::string text = RandomText(random);
    const size_t i = model.empty() ? 0 : random.Uniform(model.size());
    const auto offset = static_cast<std::ptrdiff_t>(i);
    const auto at = listpack_.Seek(static_cast<int64_t>(i));
    switch (model.size() > 60 ? 5 : random.Uniform(model.empty() ? 2 : 7)) {
      case 0:
        listpack_.Append(text);
        model.push_back(text);
        break;
      case 1:
        listpack_.Prepend(text);
        model.insert(model.begin(), text);
        break;
      case 2:
        listpack_.InsertBefore(at, text);
        model.insert(model.begin() + offset, text);
        break;
      case 3:
        listpack_.InsertAfter(at, text);
        model.insert(model.begin() + offset + 1, text);
        break;
      case 4:
        listpack_.Replace(at, text);
        model[i] = text;
        break;
      case 5: {
        const size_t count = std::min<size_t>(model.size() - i, random.Uniform(40));
        listpack_.Erase(at, count);
        model.erase(model.begin() + offset, model.begin() + offset + static_cast<int64_t>(count));
        break;
      }
      default: {
        Listpack tail = listpack_.Split(at);
        ASSERT_TRUE(Listpack::Validate(tail.bytes()));
        listpack_.AppendAll(tail);
        tail.Free();
        break;
      }
    }
    ASSERT_EQ(listpack_.size(), model.size());
    if (step % 16 != 0) continue;
    ASSERT_EQ(Texts(), model);
    ASSERT_EQ(TextsBackwards(listpack_), model);
    ASSERT_TRUE(Listpack::Validate(listpack_.bytes()));
    ASSERT_LE(listpack_.allocated_bytes(), UsableSize(listpack_.data()));
  }
}

}  // namespace
}  // namespace larder
