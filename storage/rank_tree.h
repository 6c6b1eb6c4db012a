// The order of a large sorted set: a B+ tree (Bayer, McCreight 1972) of scored entries by score and
// then by member, that also knows ranks.
//
// A leaf holds the scores of up to 62 entries beside their addresses, so that a search looks at the
// members themselves only where scores are equal. An inner node knows how many elements are below
// each child and the first of them (but for its own first child, where nothing asks for it). Leaves
// are linked, for walks. Elements that come in order, up or down, leave full leaves behind; in
// random order leaves are filled to two thirds, which makes 22 bytes an element.
//
// The tree does not own the entries and never reads a score from one: it is told.
//
// Concurrency: shard-guarded, as the value that it is part of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "absl/functional/function_ref.h"
#include "storage/bucket.h"
#include "storage/entry.h"

namespace larder {

class RankTree {
  struct Leaf;
  struct Inner;

 public:
  // An element, or none. Void after a change.
  class Position {
   public:
    explicit operator bool() const { return leaf_ != nullptr; }
    Entry* entry() const { return leaf_->entry(slot_); }
    double score() const { return leaf_->scores[slot_]; }
    // Behind the last and before the first is none.
    void StepForward() {
      if (++slot_ < leaf_->count) return;
      leaf_ = leaf_->next;
      slot_ = 0;
    }
    void StepBack() {
      if (slot_-- > 0) return;
      leaf_ = leaf_->previous;
      if (leaf_ != nullptr) slot_ = leaf_->count - 1u;
    }
    // Bring in the entry that stands `steps` further on or back, if it is in the same leaf.
    void PrefetchAhead(unsigned steps) const {
      if (slot_ + steps < leaf_->count) Prefetch(leaf_->entry(slot_ + steps));
    }
    void PrefetchBehind(unsigned steps) const {
      if (slot_ >= steps) Prefetch(leaf_->entry(slot_ - steps));
    }

   private:
    friend class RankTree;
    Leaf* leaf_ = nullptr;
    unsigned slot_ = 0;
  };

  struct Element {
    double score;
    Entry* entry;
  };

  RankTree() = default;
  ~RankTree() { Clear(); }
  RankTree(const RankTree&) = delete;
  RankTree& operator=(const RankTree&) = delete;

  size_t size() const { return size_; }
  // Nodes, allocator rounding included; entries and this object not.
  size_t bytes() const { return leaves_ * kLeafBytes + inners_ * kInnerBytes; }
  size_t node_count() const { return leaves_ + inners_; }

  // ---- Finding. No score may be a NaN.
  // REQUIRES: rank < size().
  Position At(size_t rank) const;
  // How many elements stand before this one. REQUIRES: it is there.
  size_t RankOf(double score, const Entry& entry) const;
  // How many elements, counted from the first, `before(score, entry)` holds for. It must hold for
  // all elements up to some point and for none behind it.
  template <typename Before>
  size_t CountWhile(Before before) const;

  // ---- Changing.
  // REQUIRES: neither the entry nor one of the same member is there.
  void Insert(double score, Entry* entry);
  // The tree becomes these elements. REQUIRES: it is empty; they are in order.
  void Build(std::span<const Element> elements);
  // REQUIRES: the element is there.
  void Erase(double score, const Entry& entry);
  // Moves an element to where its new score belongs. REQUIRES: it is there.
  void Rescore(double old_score, double new_score, Entry* entry);
  // Removes `count` elements from `rank` on; `removed` gets each, in order, when it is out.
  // REQUIRES: rank + count <= size().
  void EraseRange(size_t rank, size_t count, absl::FunctionRef<void(Entry*)> removed);
  void Clear();

  // Aborts if anything is not as this file says. For tests.
  void CheckInvariants() const;

 private:
  static constexpr unsigned kLeafSlots = 62;
  static constexpr unsigned kInnerSlots = 31;
  static constexpr size_t kLeafBytes = 896;
  static constexpr size_t kInnerBytes = 1024;
  // A node with fewer than these takes from a sibling or joins it, if it has one.
  static constexpr unsigned kLeafLow = kLeafSlots / 4;
  static constexpr unsigned kInnerLow = kInnerSlots / 4;
  // More elements than fit into any memory: a split leaves at least a quarter of 31 below a node.
  static constexpr unsigned kMaxHeight = 20;

  struct Leaf {
    Leaf* previous;
    Leaf* next;
    double scores[kLeafSlots];
    uint8_t addresses[kLeafSlots * 6];  // Of six bytes, as in a Bucket.
    uint16_t count;

    Entry* entry(unsigned slot) const {
      uint64_t address;  // Two bytes too many, which are still of this leaf.
      std::memcpy(&address, addresses + 6 * slot, sizeof(address));
      return reinterpret_cast<Entry*>(address & kAddressMask);
    }
    void Set(unsigned slot, double score, const Entry* entry) {
      scores[slot] = score;
      const auto address = reinterpret_cast<uint64_t>(entry);
      std::memcpy(addresses + 6 * slot, &address, 6);
    }
    // The number of slots, of the first so many, for which `before` holds.
    template <typename Before>
    unsigned CountWhile(Before before) const;
    // Copies slots [from, from + n) of `source` to `to` on; the two may be one leaf.
    void CopySlots(unsigned to, const Leaf& source, unsigned from, unsigned n);
    void Insert(unsigned slot, double score, const Entry* entry);
    void Erase(unsigned slot, unsigned n);
  };
  static_assert(sizeof(Leaf) <= kLeafBytes);

  struct Inner {
    void* children[kInnerSlots];
    uint64_t counts[kInnerSlots];  // Elements below each child.
    // The first element below each child. Those of child 0 mean nothing.
    double scores[kInnerSlots];
    Entry* entries[kInnerSlots];
    uint32_t count;

    // In which child the first element stands for which `before` does not hold.
    template <typename Before>
    unsigned ChildWhere(Before before) const;
    // The same for the rank-th element; `rank` becomes its rank in that child.
    unsigned ChildOf(size_t& rank) const;
    void CopySlots(unsigned to, const Inner& source, unsigned from, unsigned n);
    void Erase(unsigned slot);
    uint64_t TotalBelow() const;
  };
  static_assert(sizeof(Inner) <= kInnerBytes);

  // The way from the root to a slot of a leaf.
  struct Path {
    struct Step {
      Inner* node;
      unsigned index;
    };
    Step steps[kMaxHeight];
    Leaf* leaf;
    unsigned slot;
  };

  struct NewChild {
    void* node;
    uint64_t count;
    double score;
    Entry* entry;
  };

  static constexpr uint64_t kAddressMask = (uint64_t{1} << 48) - 1;

  static bool IsBefore(double score, const Entry& entry, double other_score,
                       std::string_view other_member) {
    return score < other_score || (score == other_score && entry.key() < other_member);
  }

  Leaf* NewLeaf();
  Inner* NewInner();
  void FreeLeaf(Leaf* leaf);
  void FreeInner(Inner* inner);
  void FreeBelow(void* node, unsigned height);

  // The slot at which this element stands, or would.
  void FindPath(double score, std::string_view member, Path& path) const;
  void FindPath(size_t rank, Path& path) const;
  void Count(const Path& path, int64_t elements);
  void SplitLeaf(const Path& path, double score, Entry* entry);
  void AddChild(const Path& path, unsigned depth, uint64_t left_count, NewChild child,
                bool at_front, bool at_back);
  void EraseSlots(Path& path, unsigned n);
  // The first element of the child at the end of `path`, cut off at `depth` steps, is this now.
  static void SetFirst(const Path& path, unsigned depth, double score, Entry* entry);
  void RemoveChild(Path& path, unsigned depth);
  void BalanceLeaf(Path& path);
  void BalanceInner(Path& path, unsigned depth);
  size_t CheckBelow(const void* node, unsigned height, const Leaf*& previous) const;

  void* root_ = nullptr;  // A leaf if height_ is 0.
  unsigned height_ = 0;   // Levels of inner nodes.
  size_t size_ = 0;
  size_t leaves_ = 0;
  size_t inners_ = 0;
};

template <typename Before>
unsigned RankTree::Leaf::CountWhile(Before before) const {
  // Halving without branches that depend on what is found.
  unsigned base = 0;
  unsigned n = count;
  while (n > 1) {
    const unsigned half = n / 2;
    base = before(scores[base + half - 1], *entry(base + half - 1)) ? base + half : base;
    n -= half;
  }
  return base + (n == 1 && before(scores[base], *entry(base)) ? 1 : 0);
}

template <typename Before>
unsigned RankTree::Inner::ChildWhere(Before before) const {
  unsigned base = 0;
  unsigned n = count;
  while (n > 1) {
    const unsigned half = n / 2;
    base = before(scores[base + half], *entries[base + half]) ? base + half : base;
    n -= half;
  }
  return base;
}

template <typename Before>
size_t RankTree::CountWhile(Before before) const {
  if (root_ == nullptr) return 0;
  size_t rank = 0;
  void* node = root_;
  for (unsigned level = height_; level > 0; --level) {
    const auto& inner = *static_cast<const Inner*>(node);
    const unsigned index = inner.ChildWhere(before);
    for (unsigned i = 0; i < index; ++i) rank += inner.counts[i];
    node = inner.children[index];
  }
  return rank + static_cast<const Leaf*>(node)->CountWhile(before);
}

}  // namespace larder
