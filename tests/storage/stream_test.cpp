#include "storage/stream.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"
#include "storage/radix_count.h"

namespace larder {
namespace {

using Fields = std::vector<std::string>;
using Entries = std::map<StreamId, Fields>;

// A stream that frees itself.
class OwnedStream {
 public:
  OwnedStream() : stream_(Stream::Create()) {}
  explicit OwnedStream(Stream stream) : stream_(stream) {}
  ~OwnedStream() { stream_.Destroy(); }
  OwnedStream(const OwnedStream&) = delete;
  OwnedStream& operator=(const OwnedStream&) = delete;

  Stream* operator->() { return &stream_; }
  Stream& operator*() { return stream_; }

 private:
  Stream stream_;
};

void Append(Stream& stream, StreamId id, const Fields& fields, const EncodingLimits& limits = {}) {
  const std::vector<std::string_view> views(fields.begin(), fields.end());
  stream.Append(id, views, limits);
}

Fields FieldsOf(const StreamCursor& cursor) {
  Fields fields;
  cursor.ForEachField([&](const ListpackValue& field, const ListpackValue& value) {
    fields.push_back(field.Text());
    fields.push_back(value.Text());
  });
  return fields;
}

std::vector<std::pair<StreamId, Fields>> Read(
    const Stream& stream, StreamId first, StreamId last,
    StreamCursor::Order order = StreamCursor::Order::kForward) {
  std::vector<std::pair<StreamId, Fields>> read;
  StreamCursor cursor(stream, first, last, order);
  while (cursor.Next()) read.emplace_back(cursor.id(), FieldsOf(cursor));
  return read;
}

std::vector<std::pair<StreamId, Fields>> All(const Stream& stream) {
  return Read(stream, StreamId::Min(), StreamId::Max());
}

// What the stream should say it occupies, added up anew.
size_t NodeBytes(const Stream& stream) {
  size_t bytes = 0;
  for (const auto& [id, node] : stream.nodes()) bytes += Listpack(node).allocated_bytes();
  return bytes;
}

TEST(StreamTest, ReadsBackWhatWasAppended) {
  OwnedStream stream;
  Append(*stream, {1, 1}, {"a", "1", "b", "two"});
  Append(*stream, {1, 2}, {"a", "-7", "b", ""});
  Append(*stream, {2, 0}, {"c", "x"});
  const std::vector<std::pair<StreamId, Fields>> expected = {
      {{1, 1}, {"a", "1", "b", "two"}}, {{1, 2}, {"a", "-7", "b", ""}}, {{2, 0}, {"c", "x"}}};
  EXPECT_EQ(All(*stream), expected);
  EXPECT_EQ(Read(*stream, {1, 2}, {1, 2}).size(), 1u);
  EXPECT_TRUE(Read(*stream, {1, 3}, {1, 9}).empty());
  EXPECT_TRUE(Read(*stream, {2, 0}, {1, 0}).empty());
  EXPECT_EQ(stream->size(), 3u);
  EXPECT_EQ(stream->last_id(), (StreamId{2, 0}));
  EXPECT_EQ(stream->first_id(), (StreamId{1, 1}));
}

// Bytes that redis-server 7.0.15 wrote (DUMP) for XADD s 1-1 a 1 b 2, XADD s 1-2 a 3 b 4, XADD s
// 2-5 c x, XDEL s 1-2.
TEST(StreamTest, NodesAreRedissBytes) {
  OwnedStream stream;
  Append(*stream, {1, 1}, {"a", "1", "b", "2"});
  Append(*stream, {1, 2}, {"a", "3", "b", "4"});
  Append(*stream, {2, 5}, {"c", "x"});
  ASSERT_TRUE(stream->Erase({1, 2}));
  const unsigned char expected[] = {
      0x3d, 0x00, 0x00, 0x00, 0x19, 0x00, 0x02, 0x01, 0x01, 0x01, 0x02, 0x01, 0x81,
      0x61, 0x02, 0x81, 0x62, 0x02, 0x00, 0x01, 0x02, 0x01, 0x00, 0x01, 0x00, 0x01,
      0x01, 0x01, 0x02, 0x01, 0x05, 0x01, 0x03, 0x01, 0x00, 0x01, 0x01, 0x01, 0x03,
      0x01, 0x04, 0x01, 0x05, 0x01, 0x00, 0x01, 0x01, 0x01, 0x04, 0x01, 0x01, 0x01,
      0x81, 0x63, 0x02, 0x81, 0x78, 0x02, 0x06, 0x01, 0xff,
  };
  const std::string_view bytes = Listpack(stream->nodes().begin()->second).bytes();
  EXPECT_EQ(bytes, std::string_view(reinterpret_cast<const char*>(expected), sizeof(expected)));
  EXPECT_TRUE(StreamNode::Validate(bytes));
}

TEST(StreamTest, StartsANodeByEntriesOrBytes) {
  OwnedStream by_entries;
  for (uint64_t i = 1; i <= 10; ++i) {
    Append(*by_entries, {i, 0}, {"f", "v"}, {.stream_node_max_entries = 4});
  }
  EXPECT_EQ(by_entries->nodes().size(), 3u);

  OwnedStream by_bytes;
  for (uint64_t i = 1; i <= 10; ++i) {
    Append(*by_bytes, {i, 0}, {"f", std::string(100, 'x')}, {.stream_node_max_bytes = 256});
  }
  EXPECT_EQ(by_bytes->nodes().size(), 5u);

  OwnedStream unlimited;
  for (uint64_t i = 1; i <= 1000; ++i) {
    Append(*unlimited, {i, 0}, {"f", std::string(100, 'x')},
           {.stream_node_max_bytes = 0, .stream_node_max_entries = 0});
  }
  EXPECT_EQ(unlimited->nodes().size(), 1u);
}

TEST(StreamTest, TheNodeGoesWithItsLastEntry) {
  OwnedStream stream;
  for (uint64_t i = 1; i <= 4; ++i) {
    Append(*stream, {i, 0}, {"f", "v"}, {.stream_node_max_entries = 2});
  }
  EXPECT_TRUE(stream->Erase({1, 0}));
  EXPECT_FALSE(stream->Erase({1, 0}));
  EXPECT_EQ(stream->nodes().size(), 2u);
  EXPECT_TRUE(stream->Erase({2, 0}));
  EXPECT_EQ(stream->nodes().size(), 1u);
  EXPECT_EQ(stream->first_id(), (StreamId{3, 0}));
  EXPECT_EQ(stream->max_deleted_id(), (StreamId{2, 0}));
}

TEST(StreamTest, ApproximateTrimmingRemovesWholeNodesOnly) {
  OwnedStream stream;
  for (uint64_t i = 1; i <= 10; ++i) {
    Append(*stream, {i, 0}, {"f", "v"}, {.stream_node_max_entries = 4});
  }
  EXPECT_EQ(stream->Trim({.by = StreamTrim::By::kMaxLength, .approximate = true, .max_length = 5}),
            4u);
  EXPECT_EQ(stream->Trim({.by = StreamTrim::By::kMaxLength, .max_length = 5}), 1u);
  EXPECT_EQ(stream->Trim({.by = StreamTrim::By::kMinId, .min_id = {9, 0}}), 3u);
  EXPECT_EQ(stream->first_id(), (StreamId{9, 0}));
  EXPECT_EQ(stream->Trim({.by = StreamTrim::By::kMaxLength, .max_length = 0}), 2u);
  EXPECT_EQ(stream->nodes().size(), 0u);
  EXPECT_EQ(stream->first_id(), StreamId());
}

TEST(StreamTest, TrimmingStopsAtItsLimit) {
  OwnedStream stream;
  for (uint64_t i = 1; i <= 20; ++i) {
    Append(*stream, {i, 0}, {"f", "v"}, {.stream_node_max_entries = 4});
  }
  EXPECT_EQ(stream->Trim({.by = StreamTrim::By::kMaxLength,
                          .approximate = true,
                          .max_length = 0,
                          .max_deletions = 9}),
            8u);
}

TEST(StreamTest, TrimmingSparesWhatIsNotAcknowledged) {
  OwnedStream stream;
  for (uint64_t i = 1; i <= 8; ++i) {
    Append(*stream, {i, 0}, {"f", "v"}, {.stream_node_max_entries = 4});
  }
  StreamGroup& group = stream->AddGroup("g", {6, 0}, 6);
  StreamConsumer& consumer = group.AddConsumer("c", 0);
  group.Deliver({2, 0}, {0, 1, &consumer});
  EXPECT_EQ(stream->Trim({.by = StreamTrim::By::kMaxLength,
                          .max_length = 0,
                          .references = StreamReferences::kAcknowledged}),
            5u);
  EXPECT_TRUE(stream->Contains({2, 0}));
  EXPECT_FALSE(stream->Contains({6, 0}));
  EXPECT_TRUE(stream->Contains({7, 0}));
  EXPECT_EQ(stream->Trim({.by = StreamTrim::By::kMaxLength,
                          .max_length = 0,
                          .references = StreamReferences::kDelete}),
            3u);
  EXPECT_TRUE(group.pending().empty());
  EXPECT_TRUE(consumer.pending().empty());
}

TEST(StreamTest, ManyDeletionsMoveEntriesInTheirNode) {
  // The counters in front outgrow their bytes at 128 and shrink again.
  const EncodingLimits limits = {.stream_node_max_bytes = 0, .stream_node_max_entries = 0};
  OwnedStream stream;
  for (uint64_t i = 1; i <= 300; ++i) Append(*stream, {i, 0}, {"f", std::to_string(i)}, limits);
  EXPECT_EQ(stream->Trim({.by = StreamTrim::By::kMinId, .min_id = {200, 0}}), 199u);
  EXPECT_EQ(stream->size(), 101u);
  EXPECT_EQ(All(*stream).front().second, (Fields{"f", "200"}));
  EXPECT_TRUE(StreamNode::Validate(Listpack(stream->nodes().begin()->second).bytes()));
}

TEST(StreamGroupTest, AnEntryIsPendingForOneConsumer) {
  OwnedStream stream;
  StreamGroup& group = stream->AddGroup("g", {}, 0);
  StreamConsumer& alice = group.AddConsumer("alice", 10);
  StreamConsumer& bob = group.AddConsumer("bob", 20);
  group.Deliver({1, 0}, {100, 1, &alice});
  group.Deliver({2, 0}, {100, 1, &alice});
  group.Deliver({1, 0}, {200, 2, &bob});
  EXPECT_EQ(alice.pending().size(), 1u);
  EXPECT_EQ(bob.pending().size(), 1u);
  EXPECT_EQ(group.FindPending({1, 0})->deliveries, 2u);
  EXPECT_TRUE(group.Acknowledge({1, 0}));
  EXPECT_FALSE(group.Acknowledge({1, 0}));
  EXPECT_TRUE(bob.pending().empty());
  group.RemoveConsumer(&alice);
  EXPECT_TRUE(group.pending().empty());
  EXPECT_EQ(group.FindConsumer("alice"), nullptr);
  EXPECT_EQ(group.FindConsumer("bob"), &bob);
}

TEST(StreamGroupTest, CopiesAreIndependent) {
  OwnedStream stream;
  Append(*stream, {1, 0}, {"f", "v"});
  StreamGroup& group = stream->AddGroup("g", {1, 0}, 1);
  group.Deliver({1, 0}, {100, 3, &group.AddConsumer("c", 10)});
  OwnedStream copy(stream->Clone());
  EXPECT_EQ(copy->allocated_bytes(), stream->allocated_bytes());
  ASSERT_TRUE(stream->RemoveGroup("g"));
  EXPECT_FALSE(stream->RemoveGroup("g"));
  ASSERT_TRUE(stream->Erase({1, 0}));
  EXPECT_EQ(All(*copy).size(), 1u);
  ASSERT_NE(copy->FindGroup("g"), nullptr);
  const PendingEntry* pending = copy->FindGroup("g")->FindPending({1, 0});
  ASSERT_NE(pending, nullptr);
  EXPECT_EQ(pending->deliveries, 3u);
  EXPECT_EQ(pending->consumer, copy->FindGroup("g")->FindConsumer("c"));
}

TEST(StreamGroupTest, WhatItOccupiedIsGivenBack) {
  OwnedStream stream;
  const size_t before = stream->allocated_bytes();
  stream->AddGroup("first", {}, 0);
  stream->RemoveGroup("first");
  const size_t with_groups = stream->allocated_bytes();  // The empty map of groups stays.
  EXPECT_LE(with_groups - before, 48u);
  StreamGroup& group = stream->AddGroup("some group with a long name", {}, 0);
  for (int i = 0; i < 10; ++i) group.AddConsumer("consumer " + std::to_string(i), 0);
  for (uint64_t i = 0; i < 1000; ++i) {
    group.Deliver({i, 0}, {0, 1, group.FindConsumer("consumer " + std::to_string(i % 10))});
  }
  EXPECT_GT(stream->allocated_bytes(), with_groups + 1000 * 56);
  EXPECT_LT(stream->allocated_bytes(), with_groups + 1000 * 90);
  stream->RemoveGroup("some group with a long name");
  EXPECT_EQ(stream->allocated_bytes(), with_groups);
}

// ---- Against a model.

Fields RandomFields(Random& random) {
  Fields fields;
  const size_t pairs = random.Uniform(4) == 0 ? 1 + random.Uniform(5) : 2;
  for (size_t i = 0; i < pairs; ++i) {
    fields.push_back(std::string(1, static_cast<char>('a' + i)));
    fields.push_back(random.Uniform(2) == 0 ? std::to_string(random.Next() >> random.Uniform(64))
                                            : std::string(random.Uniform(90), 'x'));
  }
  return fields;
}

void ExpectSame(Stream& stream, const Entries& model, Random& random) {
  ASSERT_EQ(stream.size(), model.size());
  const std::vector<std::pair<StreamId, Fields>> all(model.begin(), model.end());
  ASSERT_EQ(All(stream), all);
  ASSERT_EQ(stream.first_id(), model.empty() ? StreamId() : model.begin()->first);
  StreamId first{random.Uniform(400), random.Uniform(3)};
  StreamId last{random.Uniform(400), random.Uniform(3)};
  if (last < first) std::swap(first, last);
  std::vector<std::pair<StreamId, Fields>> some(model.lower_bound(first), model.upper_bound(last));
  ASSERT_EQ(Read(stream, first, last), some);
  std::reverse(some.begin(), some.end());
  ASSERT_EQ(Read(stream, first, last, StreamCursor::Order::kBackward), some);
  for (const auto& [id, node] : stream.nodes()) {
    ASSERT_TRUE(StreamNode::Validate(Listpack(node).bytes()));
  }
}

TEST(StreamTest, BehavesLikeAMap) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const EncodingLimits limits = {
        .stream_node_max_bytes = random.Uniform(3) == 0 ? 0 : 200 + random.Uniform(1000),
        .stream_node_max_entries = static_cast<int64_t>(random.Uniform(10))};
    OwnedStream stream;
    const size_t empty_bytes = stream->allocated_bytes();
    Entries model;
    for (int step = 0; step < 400; ++step) {
      const StreamId some{random.Uniform(400), random.Uniform(3)};
      switch (random.Uniform(8)) {
        case 0:
          ASSERT_EQ(stream->Erase(some), model.erase(some) == 1);
          break;
        case 1:
          ASSERT_EQ(stream->Contains(some), model.contains(some));
          break;
        case 2:
          if (random.Uniform(10) == 0) {
            const uint64_t removed = stream->Trim({.by = StreamTrim::By::kMinId, .min_id = some});
            const auto end = model.lower_bound(some);
            ASSERT_EQ(removed, static_cast<uint64_t>(std::distance(model.begin(), end)));
            model.erase(model.begin(), end);
          } else if (random.Uniform(10) == 0) {
            const uint64_t length = random.Uniform(20);
            stream->Trim({.by = StreamTrim::By::kMaxLength, .max_length = length});
            while (model.size() > length) model.erase(model.begin());
          }
          break;
        default: {
          StreamId id = stream->last_id();
          id = random.Uniform(2) == 0 ? id.Next() : StreamId{id.ms + 1, 0};
          const Fields fields = RandomFields(random);
          Append(*stream, id, fields, limits);
          model.emplace(id, fields);
        }
      }
    }
    ExpectSame(*stream, model, random);
    {
      OwnedStream copy(stream->Clone());
      ExpectSame(*copy, model, random);
    }
    const size_t tree_bytes = stream->allocated_bytes() - empty_bytes - NodeBytes(*stream);
    EXPECT_LE(tree_bytes, 256 + stream->nodes().size() * 48);
    stream->Trim({.by = StreamTrim::By::kMaxLength, .max_length = 0});
    EXPECT_EQ(stream->allocated_bytes(), empty_bytes);
  }
}

// ---- The radix tree that is not there.

// By the definition: leaves, prefixes where keys part, and runs between.
size_t RadixNodes(const std::vector<std::string>& keys, size_t depth) {
  if (keys.size() == 1) return depth < keys[0].size() ? 2 : 1;
  std::map<char, std::vector<std::string>> children;
  size_t run = depth;
  while (true) {
    for (const std::string& key : keys) children[key[run]].push_back(key);
    if (children.size() > 1) break;
    children.clear();
    ++run;
  }
  size_t nodes = 1 + (run > depth ? 1 : 0);
  for (const auto& [edge, below] : children) nodes += RadixNodes(below, run + 1);
  return nodes;
}

std::string BigEndian(StreamId id) {
  std::string bytes;
  for (const uint64_t part : {id.ms, id.seq}) {
    for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(part >> shift);
  }
  return bytes;
}

TEST(RadixCountTest, CountsTheNodesOfATreeThatIsNotThere) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    std::map<StreamId, int> keys;
    size_t nodes = 1;
    const auto part = [&random] {
      return random.Uniform(3) << (8 * random.Uniform(8)) | random.Uniform(2);
    };
    for (int step = 0; step < 100; ++step) {
      const StreamId id{part(), part()};
      if (keys.erase(id) == 1) {
        nodes -= RadixNodesFor(keys, id);
      } else {
        nodes += RadixNodesFor(keys, id);
        keys.emplace(id, 0);
      }
      std::vector<std::string> texts;
      for (const auto& [key, unused] : keys) texts.push_back(BigEndian(key));
      ASSERT_EQ(nodes, texts.empty() ? 1 : RadixNodes(texts, 0)) << seed << " " << step;
    }
  }
}

}  // namespace
}  // namespace larder
