#include "storage/list.h"

#include <algorithm>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/allocator.h"
#include "base/memory_meter.h"
#include "base/random.h"
#include <gtest/gtest.h>

namespace larder {
namespace {

using Texts = std::vector<std::string>;

ListPacking Packing(int64_t max_listpack_size, int64_t compress_depth = 0) {
  EncodingLimits limits;
  limits.list_max_listpack_size = max_listpack_size;
  limits.list_compress_depth = compress_depth;
  return ListPacking::Of(limits);
}

// A list that is freed at the end, and elements this large with nodes of their own till then.
class ListTest : public testing::Test {
 protected:
  ListTest() : list_(List::Create()) {}
  ~ListTest() override {
    Destroy(list_.object());
    SetLargeElementBytes(kMaxLargeElementBytes);
  }
  static void Destroy(const Object& object) { kListOperations.destroy(object); }

  void Fill(const Texts& texts, const ListPacking& packing) {
    for (const std::string& text : texts) list_.Push(ListEnd::kTail, text, packing);
  }
  static Texts TextsOf(const List& list, ListEnd end = ListEnd::kHead, size_t skip = 0) {
    Texts texts;
    list.ForEach(end, skip, [&](const ListpackValue& value) {
      texts.push_back(value.Text());
      return true;
    });
    return texts;
  }
  // The nodes: elements separated by spaces, a plain one in brackets.
  Texts Nodes() const {
    Texts nodes;
    list_.ForEachNode([&](bool plain, std::string_view bytes) {
      if (plain) return nodes.push_back("[" + std::string(bytes) + "]");
      EXPECT_TRUE(Listpack::Validate(bytes));
      Listpack listpack = Listpack::CopyOf(bytes);
      std::string node;
      for (auto at = listpack.First(); at != Listpack::kNone; at = listpack.Next(at)) {
        node += (node.empty() ? "" : " ") + listpack.At(at).Text();
      }
      listpack.Free();
      nodes.push_back(node);
    });
    return nodes;
  }
  ListEncoding encoding() const { return static_cast<ListEncoding>(list_.object().encoding); }

  List list_;
};

TEST_F(ListTest, AShortOneIsItsListpackAndNothingElse) {
  Fill({"a", "1"}, Packing(-2));
  EXPECT_EQ(encoding(), ListEncoding::kListpack);
  EXPECT_TRUE(Listpack::Validate(Listpack(list_.object().data).bytes()));
  EXPECT_EQ(kListOperations.encoding_name(list_.object()), "quicklist");
  // Ten elements of 16 bytes, with what their listpack needs.
  const std::string value(16, 'x');
  for (int i = 0; i < 8; ++i) list_.Push(ListEnd::kTail, value, Packing(-2));
  EXPECT_LE(kListOperations.allocated_bytes(list_.object()), 192u);
}

TEST_F(ListTest, NodesAreFilledUpToTheLimitOfBytes) {
  const ListPacking packing = Packing(-1);
  // A node of 100-byte elements: 103 bytes each, the header 7, and 8 that Redis adds as a reserve.
  for (int i = 0; i < 39; ++i) list_.Push(ListEnd::kTail, std::string(100, 'x'), packing);
  EXPECT_EQ(list_.figures().nodes, 1u);
  EXPECT_EQ(list_.figures().uncompressed_bytes, 7u + 39 * 103);
  list_.Push(ListEnd::kTail, std::string(100, 'x'), packing);
  EXPECT_EQ(list_.figures().nodes, 2u);
  EXPECT_EQ(encoding(), ListEncoding::kQuicklist);
  EXPECT_EQ(list_.size(), 40u);
}

TEST_F(ListTest, NodesAreFilledUpToTheLimitOfElements) {
  Fill({"a", "b", "c", "d", "e"}, Packing(2));
  EXPECT_EQ(Nodes(), (Texts{"a b", "c d", "e"}));
  list_.Push(ListEnd::kHead, "z", Packing(2));
  EXPECT_EQ(Nodes(), (Texts{"z", "a b", "c d", "e"}));
}

TEST_F(ListTest, TheFirstElementFitsHoweverLarge) {
  list_.Push(ListEnd::kTail, std::string(100000, 'x'), Packing(-1));
  EXPECT_EQ(encoding(), ListEncoding::kListpack);
  list_.Push(ListEnd::kTail, "y", Packing(-1));
  EXPECT_EQ(list_.figures().nodes, 2u);
}

// Pushing and popping at the head moves nothing, and leaves no more than a node's room unused.
TEST_F(ListTest, TheHeadHasRoomInFront) {
  const ListPacking packing = Packing(-2);
  for (int i = 0; i < 5000; ++i) list_.Push(ListEnd::kHead, std::to_string(1000000 + i), packing);
  Object clone = kListOperations.clone(list_.object());
  const size_t tight = kListOperations.allocated_bytes(clone);
  Destroy(clone);
  EXPECT_LE(kListOperations.allocated_bytes(list_.object()), tight + 8192);
  EXPECT_EQ(Nodes().size(), list_.figures().nodes);
  for (int i = 4999; i >= 100; --i) {
    ASSERT_EQ(list_.Peek(ListEnd::kHead).integer, 1000000 + i);
    list_.Pop(ListEnd::kHead, packing);
    if (i % 3 == 0) {
      list_.Push(ListEnd::kHead, "x", packing);
      list_.Pop(ListEnd::kHead, packing);
    }
  }
  EXPECT_EQ(list_.size(), 100u);
  EXPECT_EQ(encoding(), ListEncoding::kListpack);
}

TEST_F(ListTest, BecomesAListpackAgainWhenLittleIsLeft) {
  const ListPacking packing = Packing(-1);
  for (int i = 0; i < 60; ++i) list_.Push(ListEnd::kTail, std::string(100, 'x'), packing);
  for (int i = 0; i < 60 - 21; ++i) list_.Pop(ListEnd::kHead, packing);
  EXPECT_EQ(encoding(), ListEncoding::kQuicklist);
  for (int i = 0; i < 2; ++i) list_.Pop(ListEnd::kTail, packing);
  EXPECT_EQ(encoding(), ListEncoding::kListpack);
  EXPECT_EQ(list_.size(), 19u);
}

TEST_F(ListTest, LargeElementsHaveNodesOfTheirOwn) {
  SetLargeElementBytes(4);
  const ListPacking packing = Packing(-2);
  Fill({"a", "large", "b", "c"}, packing);
  EXPECT_EQ(Nodes(), (Texts{"a", "[large]", "b c"}));
  list_.Push(ListEnd::kHead, "largest", packing);
  EXPECT_EQ(list_.Peek(ListEnd::kHead).Text(), "largest");
  EXPECT_EQ(TextsOf(list_), (Texts{"largest", "a", "large", "b", "c"}));
  EXPECT_EQ(TextsOf(list_, ListEnd::kTail), (Texts{"c", "b", "large", "a", "largest"}));
}

TEST_F(ListTest, ALargeElementSplitsTheNodeThatItComesInto) {
  SetLargeElementBytes(4);
  const ListPacking packing = Packing(-2);
  Fill({"a", "b", "c"}, packing);
  EXPECT_TRUE(list_.Insert(ListSide::kAfter, "b", "large", packing));
  EXPECT_EQ(Nodes(), (Texts{"a b", "[large]", "c"}));
  EXPECT_TRUE(list_.Insert(ListSide::kBefore, "b", "larger", packing));
  EXPECT_EQ(Nodes(), (Texts{"a", "[larger]", "b", "[large]", "c"}));
  list_.Set(4, "largest", packing);
  EXPECT_EQ(Nodes(), (Texts{"a", "[larger]", "b", "[large]", "[largest]"}));
  list_.Set(1, "x", packing);
  EXPECT_EQ(Nodes(), (Texts{"a", "x b", "[large]", "[largest]"}));
  list_.Set(2, "larger", packing);
  list_.Set(2, "y", packing);
  EXPECT_EQ(Nodes(), (Texts{"a", "x", "y", "[large]", "[largest]"}));
}

TEST_F(ListTest, InsertingIntoAFullNodeUsesItsNeighbourOrSplitsIt) {
  const ListPacking packing = Packing(3);
  Fill({"a", "b", "c", "d", "e", "f", "g"}, packing);
  ASSERT_EQ(Nodes(), (Texts{"a b c", "d e f", "g"}));
  // At the edge, where the next one has room.
  EXPECT_TRUE(list_.Insert(ListSide::kAfter, "f", "1", packing));
  EXPECT_EQ(Nodes(), (Texts{"a b c", "d e f", "1 g"}));
  // At the edge between two full ones: alone.
  EXPECT_TRUE(list_.Insert(ListSide::kBefore, "d", "2", packing));
  EXPECT_EQ(Nodes(), (Texts{"a b c", "2", "d e f", "1 g"}));
  // Inside: split, and merged with what has room.
  EXPECT_TRUE(list_.Insert(ListSide::kAfter, "d", "3", packing));
  EXPECT_EQ(TextsOf(list_), (Texts{"a", "b", "c", "2", "d", "3", "e", "f", "1", "g"}));
  EXPECT_EQ(Nodes(), (Texts{"a b c", "2 d", "3 e f", "1 g"}));
  EXPECT_FALSE(list_.Insert(ListSide::kAfter, "none", "x", packing));
}

TEST_F(ListTest, InnerNodesAreCompressedAndReadAllTheSame) {
  const ListPacking packing = Packing(4, 1);
  const std::string value(1000, 'x');
  Texts texts;
  for (int i = 0; i < 40; ++i) texts.push_back(value + std::to_string(i));
  Fill(texts, packing);
  EXPECT_EQ(list_.figures().nodes, 10u);
  // Eight of ten nodes are next to nothing now.
  EXPECT_LT(kListOperations.allocated_bytes(list_.object()), 13000u);
  EXPECT_EQ(TextsOf(list_), texts);
  EXPECT_EQ(TextsOf(list_, ListEnd::kTail, 38), (Texts{texts[1], texts[0]}));

  const size_t before = kListOperations.allocated_bytes(list_.object());
  list_.Set(20, value + "!", packing);
  texts[20] = value + "!";
  EXPECT_TRUE(list_.Insert(ListSide::kBefore, texts[9], "new", packing));
  texts.insert(texts.begin() + 9, "new");
  EXPECT_EQ(TextsOf(list_), texts);
  EXPECT_LT(kListOperations.allocated_bytes(list_.object()), before + 2000);

  // What comes to the ends by popping is decompressed.
  while (list_.size() > 3) {
    list_.Pop(ListEnd::kHead, packing);
    EXPECT_EQ(list_.Peek(ListEnd::kHead).Text(), texts[texts.size() - list_.size()]);
  }
}

TEST_F(ListTest, LoweringTheDepthLeavesEverythingReadable) {
  Texts texts;
  for (int i = 0; i < 40; ++i) texts.push_back(std::string(100, 'x') + std::to_string(i));
  Fill(texts, Packing(4, 2));
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(list_.Peek(ListEnd::kTail).Text(), texts.back());
    texts.pop_back();
    list_.Pop(ListEnd::kTail, Packing(4, 0));
    EXPECT_EQ(TextsOf(list_), texts);
  }
}

TEST_F(ListTest, ACloneIsAsItsOriginal) {
  SetLargeElementBytes(500);
  for (const int64_t depth : {0, 1}) {
    Texts texts;
    for (int i = 0; i < 20; ++i) texts.push_back(std::string(400 + 10 * i, 'a'));
    const size_t size_before = list_.size();
    Fill(texts, Packing(3, depth));
    const List clone(kListOperations.clone(list_.object()));
    EXPECT_EQ(TextsOf(clone), TextsOf(list_));
    EXPECT_EQ(clone.size(), size_before + 20);
    EXPECT_EQ(kListOperations.allocated_bytes(clone.object()),
              kListOperations.allocated_bytes(list_.object()));
    Destroy(clone.object());
  }
}

TEST_F(ListTest, IsBuiltFromItsNodes) {
  const ListPacking packing = Packing(-2);
  Listpack first = Listpack::Create();
  first.Append("a");
  Listpack second = Listpack::CopyOf(first.bytes());
  list_.AppendListpack(first, packing);
  EXPECT_EQ(encoding(), ListEncoding::kListpack);
  list_.AppendPlain("plain", packing);
  list_.AppendListpack(second, packing);
  EXPECT_EQ(Nodes(), (Texts{"a", "[plain]", "a"}));
  EXPECT_EQ(list_.size(), 3u);
}

// A value that a listpack cannot take for its size must not end the process.
TEST_F(ListTest, ReplacingByMuchMoreThanAListpackHoldsGivesNodes) {
  const ListPacking packing = Packing(-2);
  Fill({"a", "b", "c"}, packing);
  const std::string half(Listpack::kMaxBytes / 2, 'x');
  list_.Set(0, half, packing);
  list_.Set(1, half, packing);
  EXPECT_EQ(list_.figures().nodes, 3u);
  EXPECT_EQ(list_.size(), 3u);
  EXPECT_EQ(list_.Peek(ListEnd::kTail).Text(), "c");
}

struct RandomCase {
  int64_t max_listpack_size;
  int64_t compress_depth;
  size_t large_element_bytes;
};

class ListRandomTest : public ListTest, public testing::WithParamInterface<RandomCase> {
 protected:
  std::string RandomValue() {
    switch (random_.Uniform(4)) {
      case 0:
        return std::to_string(random_.Uniform(100));
      case 1:
        return std::string(random_.Uniform(200), static_cast<char>('a' + random_.Uniform(3)));
      default:
        return std::string(1 + random_.Uniform(2), static_cast<char>('a' + random_.Uniform(3)));
    }
  }
  ListEnd RandomEnd() { return random_.Uniform(2) == 0 ? ListEnd::kHead : ListEnd::kTail; }

  void Step(const ListPacking& packing) {
    const std::string value = RandomValue();
    const ListEnd end = RandomEnd();
    switch (random_.Uniform(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        list_.Push(end, value, packing);
        end == ListEnd::kHead ? model_.push_front(value) : model_.push_back(value);
        return;
      case 5:
      case 6:
        if (model_.empty()) return;
        list_.Pop(end, packing);
        end == ListEnd::kHead ? model_.pop_front() : model_.pop_back();
        return;
      case 7: {
        if (model_.empty()) return;
        const size_t index = random_.Uniform(model_.size());
        list_.Set(index, value, packing);
        model_[index] = value;
        return;
      }
      case 8:
      case 9:
        return Insert(value, packing);
      case 10:
        return Remove(end, value, packing);
      default:
        return EraseRange(packing);
    }
  }

  void Insert(const std::string& value, const ListPacking& packing) {
    if (model_.empty()) return;
    const std::string pivot =
        random_.Uniform(4) == 0 ? RandomValue() : model_[random_.Uniform(model_.size())];
    const ListSide side = random_.Uniform(2) == 0 ? ListSide::kBefore : ListSide::kAfter;
    const auto found = std::find(model_.begin(), model_.end(), pivot);
    ASSERT_EQ(list_.Insert(side, pivot, value, packing), found != model_.end());
    if (found != model_.end()) model_.insert(found + (side == ListSide::kAfter ? 1 : 0), value);
  }

  void Remove(ListEnd end, const std::string& value, const ListPacking& packing) {
    const size_t limit = random_.Uniform(3);
    size_t removed = 0;
    for (size_t i = 0; i < model_.size() && removed < limit;) {
      const size_t index = end == ListEnd::kHead ? i : model_.size() - 1 - i;
      if (model_[index] == value) {
        model_.erase(model_.begin() + static_cast<std::ptrdiff_t>(index));
        ++removed;
      } else {
        ++i;
      }
    }
    ASSERT_EQ(list_.Remove(end, value, limit, packing), removed);
  }

  void EraseRange(const ListPacking& packing) {
    const size_t start = random_.Uniform(model_.size() + 1);
    const size_t most = random_.Uniform(4) == 0 ? 60 : 3;
    const size_t count = random_.Uniform(std::min(model_.size() - start, most) + 1);
    list_.EraseRange(start, count, packing);
    const auto from = model_.begin() + static_cast<std::ptrdiff_t>(start);
    model_.erase(from, from + static_cast<std::ptrdiff_t>(count));
  }

  Random random_{42};
  std::deque<std::string> model_;
};

TEST_P(ListRandomTest, DoesWhatADequeDoes) {
  SetLargeElementBytes(GetParam().large_element_bytes);
  const ListPacking packing = Packing(GetParam().max_listpack_size, GetParam().compress_depth);
  for (int step = 0; step < 6000; ++step) {
    Step(packing);
    if (HasFatalFailure()) return;
    ASSERT_EQ(list_.size(), model_.size());
    ASSERT_EQ(list_.empty(), model_.empty());
    if (!model_.empty()) {
      ASSERT_EQ(list_.Peek(ListEnd::kHead).Text(), model_.front());
      ASSERT_EQ(list_.Peek(ListEnd::kTail).Text(), model_.back());
      const size_t skip = random_.Uniform(model_.size());
      list_.ForEach(ListEnd::kTail, skip, [&](const ListpackValue& value) {
        EXPECT_EQ(value.Text(), model_[model_.size() - 1 - skip]);
        return false;
      });
    }
    if (step % 8 == 0) {
      ASSERT_EQ(TextsOf(list_), Texts(model_.begin(), model_.end()));
    }
    if (step % 64 == 0) {
      // A clone counts anew, and has no room in front of its head.
      const Object clone = kListOperations.clone(list_.object());
      const size_t tight = kListOperations.allocated_bytes(clone);
      ASSERT_GE(kListOperations.allocated_bytes(list_.object()), tight);
      ASSERT_LE(kListOperations.allocated_bytes(list_.object()),
                tight + 2 * packing.max_node_bytes);
      Destroy(clone);
    }
  }
  // What it says that it occupies is what the allocator gets back.
  for (int i = 0; i < 1000; ++i) list_.Push(RandomEnd(), RandomValue(), packing);
  const size_t said = kListOperations.allocated_bytes(list_.object());
  FlushThreadCache();
  const size_t before = AllocatedBytes();
  Destroy(list_.object());
  FlushThreadCache();
  if (MemoryMeter::available()) {
    EXPECT_NEAR(static_cast<double>(before - AllocatedBytes()), static_cast<double>(said),
                0.02 * static_cast<double>(said) + 64);
  }
  list_ = List::Create();
}

INSTANTIATE_TEST_SUITE_P(Packings, ListRandomTest,
                         testing::Values(RandomCase{-2, 0, kMaxLargeElementBytes},
                                         RandomCase{-1, 1, 150}, RandomCase{1, 1, 100},
                                         RandomCase{2, 0, 50}, RandomCase{4, 2, 120},
                                         RandomCase{16, 1, kMaxLargeElementBytes},
                                         RandomCase{128, 3, 1}));

}  // namespace
}  // namespace larder
