#include "storage/rank_tree.h"

#include <algorithm>

#include "base/allocator.h"
#include "base/check.h"

namespace larder {

// ---- Nodes

void RankTree::Leaf::CopySlots(unsigned to, const Leaf& source, unsigned from, unsigned n) {
  std::memmove(scores + to, source.scores + from, n * sizeof(double));
  std::memmove(addresses + 6 * to, source.addresses + 6 * from, 6 * n);
}

void RankTree::Leaf::Insert(unsigned slot, double score, const Entry* entry) {
  CopySlots(slot + 1, *this, slot, count - slot);
  Set(slot, score, entry);
  ++count;
}

void RankTree::Leaf::Erase(unsigned slot, unsigned n) {
  CopySlots(slot, *this, slot + n, count - slot - n);
  count = static_cast<uint16_t>(count - n);
}

void RankTree::Inner::CopySlots(unsigned to, const Inner& source, unsigned from, unsigned n) {
  std::memmove(children + to, source.children + from, n * sizeof(children[0]));
  std::memmove(counts + to, source.counts + from, n * sizeof(counts[0]));
  std::memmove(scores + to, source.scores + from, n * sizeof(scores[0]));
  std::memmove(entries + to, source.entries + from, n * sizeof(entries[0]));
}

void RankTree::Inner::Erase(unsigned slot) {
  CopySlots(slot, *this, slot + 1, count - slot - 1);
  --count;
}

uint64_t RankTree::Inner::TotalBelow() const {
  uint64_t total = 0;
  for (unsigned i = 0; i < count; ++i) total += counts[i];
  return total;
}

unsigned RankTree::Inner::ChildOf(size_t& rank) const {
  unsigned index = 0;
  while (rank >= counts[index]) rank -= counts[index++];
  return index;
}

RankTree::Leaf* RankTree::NewLeaf() {
  auto* leaf = static_cast<Leaf*>(Allocate(kLeafBytes));
  leaf->previous = nullptr;
  leaf->next = nullptr;
  leaf->count = 0;
  ++leaves_;
  return leaf;
}

RankTree::Inner* RankTree::NewInner() {
  auto* inner = static_cast<Inner*>(Allocate(kInnerBytes));
  inner->count = 0;
  ++inners_;
  return inner;
}

void RankTree::FreeLeaf(Leaf* leaf) {
  if (leaf->previous != nullptr) leaf->previous->next = leaf->next;
  if (leaf->next != nullptr) leaf->next->previous = leaf->previous;
  Deallocate(leaf, kLeafBytes);
  --leaves_;
}

void RankTree::FreeInner(Inner* inner) {
  Deallocate(inner, kInnerBytes);
  --inners_;
}

void RankTree::FreeBelow(void* node, unsigned height) {
  if (height == 0) return Deallocate(node, kLeafBytes);
  const auto& inner = *static_cast<Inner*>(node);
  for (unsigned i = 0; i < inner.count; ++i) FreeBelow(inner.children[i], height - 1);
  Deallocate(node, kInnerBytes);
}

void RankTree::Clear() {
  if (root_ != nullptr) FreeBelow(root_, height_);
  root_ = nullptr;
  height_ = 0;
  size_ = leaves_ = inners_ = 0;
}

// ---- Finding

RankTree::Position RankTree::At(size_t rank) const {
  LARDER_DCHECK(rank < size_);
  void* node = root_;
  for (unsigned level = height_; level > 0; --level) {
    const auto& inner = *static_cast<const Inner*>(node);
    node = inner.children[inner.ChildOf(rank)];
  }
  Position position;
  position.leaf_ = static_cast<Leaf*>(node);
  position.slot_ = static_cast<unsigned>(rank);
  return position;
}

size_t RankTree::RankOf(double score, const Entry& entry) const {
  const std::string_view member = entry.key();
  return CountWhile([=](double other_score, const Entry& other) {
    return IsBefore(other_score, other, score, member);
  });
}

void RankTree::FindPath(double score, std::string_view member, Path& path) const {
  const auto before = [=](double other_score, const Entry& other) {
    return IsBefore(other_score, other, score, member);
  };
  // The element itself may be a child's first, and then stands in that child.
  const auto not_after = [=](double other_score, const Entry& other) {
    return other_score < score || (other_score == score && other.key() <= member);
  };
  void* node = root_;
  for (unsigned depth = 0; depth < height_; ++depth) {
    auto* inner = static_cast<Inner*>(node);
    const unsigned index = inner->ChildWhere(not_after);
    path.steps[depth] = {inner, index};
    node = inner->children[index];
  }
  path.leaf = static_cast<Leaf*>(node);
  path.slot = path.leaf->CountWhile(before);
}

void RankTree::FindPath(size_t rank, Path& path) const {
  void* node = root_;
  for (unsigned depth = 0; depth < height_; ++depth) {
    auto* inner = static_cast<Inner*>(node);
    const unsigned index = inner->ChildOf(rank);
    path.steps[depth] = {inner, index};
    node = inner->children[index];
  }
  path.leaf = static_cast<Leaf*>(node);
  path.slot = static_cast<unsigned>(rank);
}

// ---- Inserting

void RankTree::Count(const Path& path, int64_t elements) {
  const auto change = static_cast<uint64_t>(elements);
  for (unsigned depth = 0; depth < height_; ++depth) {
    path.steps[depth].node->counts[path.steps[depth].index] += change;
  }
  size_ += change;
}

void RankTree::Insert(double score, Entry* entry) {
  if (root_ == nullptr) root_ = NewLeaf();
  Path path;
  FindPath(score, entry->key(), path);
  Count(path, 1);
  // It never becomes the first of a leaf but of the first leaf, so no node above has to know.
  if (path.leaf->count < kLeafSlots) return path.leaf->Insert(path.slot, score, entry);
  SplitLeaf(path, score, entry);
}

void RankTree::SplitLeaf(const Path& path, double score, Entry* entry) {
  Leaf* const left = path.leaf;
  // Whoever appends, or prepends, will go on doing so.
  const bool at_back = left->next == nullptr && path.slot == kLeafSlots;
  const bool at_front = left->previous == nullptr && path.slot == 0;
  const unsigned keep = at_back ? kLeafSlots : at_front ? 0 : kLeafSlots / 2;

  Leaf* const right = NewLeaf();
  right->previous = left;
  right->next = left->next;
  if (left->next != nullptr) left->next->previous = right;
  left->next = right;
  right->CopySlots(0, *left, keep, kLeafSlots - keep);
  right->count = static_cast<uint16_t>(kLeafSlots - keep);
  left->count = static_cast<uint16_t>(keep);
  if (path.slot <= keep && !at_back) {
    left->Insert(path.slot, score, entry);
  } else {
    right->Insert(path.slot - keep, score, entry);
  }
  AddChild(path, height_, left->count, {right, right->count, right->scores[0], right->entry(0)},
           at_front, at_back);
}

// `child` goes behind the one to which the first `depth` steps of `path` lead, which now has
// `left_count` elements.
void RankTree::AddChild(const Path& path, unsigned depth, uint64_t left_count, NewChild child,
                        bool at_front, bool at_back) {
  if (depth == 0) {
    Inner* const root = NewInner();
    root->children[0] = root_;
    root->counts[0] = left_count;
    root->children[1] = child.node;
    root->counts[1] = child.count;
    root->scores[0] = root->scores[1] = child.score;
    root->entries[0] = root->entries[1] = child.entry;
    root->count = 2;
    root_ = root;
    LARDER_CHECK(++height_ <= kMaxHeight);
    return;
  }
  Inner* const left = path.steps[depth - 1].node;
  const unsigned slot = path.steps[depth - 1].index + 1;
  left->counts[slot - 1] = left_count;
  const auto insert = [&child](Inner& node, unsigned at) {
    node.CopySlots(at + 1, node, at, node.count - at);
    node.children[at] = child.node;
    node.counts[at] = child.count;
    node.scores[at] = child.score;
    node.entries[at] = child.entry;
    ++node.count;
  };
  if (left->count < kInnerSlots) return insert(*left, slot);

  at_back = at_back && slot == kInnerSlots;
  at_front = at_front && slot == 1;
  const unsigned keep = at_back ? kInnerSlots : at_front ? 1 : kInnerSlots / 2;
  Inner* const right = NewInner();
  right->CopySlots(0, *left, keep, kInnerSlots - keep);
  right->count = kInnerSlots - keep;
  left->count = keep;
  if (slot <= keep && !at_back) {
    insert(*left, slot);
  } else {
    insert(*right, slot - keep);
  }
  AddChild(path, depth - 1, left->TotalBelow(),
           {right, right->TotalBelow(), right->scores[0], right->entries[0]}, at_front, at_back);
}

void RankTree::Build(std::span<const Element> elements) {
  LARDER_DCHECK(size_ == 0);
  for (const Element& element : elements) {
    if (root_ == nullptr) root_ = NewLeaf();
    Path path;
    // Behind the last element: nothing needs to be compared.
    void* node = root_;
    for (unsigned depth = 0; depth < height_; ++depth) {
      auto* inner = static_cast<Inner*>(node);
      path.steps[depth] = {inner, inner->count - 1};
      node = inner->children[inner->count - 1];
    }
    path.leaf = static_cast<Leaf*>(node);
    path.slot = path.leaf->count;
    Count(path, 1);
    if (path.leaf->count < kLeafSlots) {
      path.leaf->Insert(path.slot, element.score, element.entry);
    } else {
      SplitLeaf(path, element.score, element.entry);
    }
  }
}

// ---- Erasing

void RankTree::Erase(double score, const Entry& entry) {
  Path path;
  FindPath(score, entry.key(), path);
  LARDER_DCHECK(path.slot < path.leaf->count && path.leaf->entry(path.slot) == &entry);
  EraseSlots(path, 1);
}

void RankTree::EraseRange(size_t rank, size_t count, absl::FunctionRef<void(Entry*)> removed) {
  LARDER_DCHECK(rank + count <= size_);
  Entry* entries[kLeafSlots];
  while (count > 0) {
    Path path;
    FindPath(rank, path);
    const unsigned n = static_cast<unsigned>(std::min<size_t>(count, path.leaf->count - path.slot));
    for (unsigned i = 0; i < n; ++i) entries[i] = path.leaf->entry(path.slot + i);
    EraseSlots(path, n);
    count -= n;
    for (unsigned i = 0; i < n; ++i) removed(entries[i]);
  }
}

void RankTree::EraseSlots(Path& path, unsigned n) {
  Leaf* const leaf = path.leaf;
  leaf->Erase(path.slot, n);
  Count(path, -int64_t{n});
  if (leaf->count == 0) {
    FreeLeaf(leaf);
    return RemoveChild(path, height_);
  }
  if (path.slot == 0) SetFirst(path, height_, leaf->scores[0], leaf->entry(0));
  if (leaf->count < kLeafLow && height_ > 0) BalanceLeaf(path);
}

void RankTree::SetFirst(const Path& path, unsigned depth, double score, Entry* entry) {
  // It is known where the way last turned away from a first child.
  while (depth > 0) {
    const auto [node, index] = path.steps[--depth];
    if (index == 0) continue;
    node->scores[index] = score;
    node->entries[index] = entry;
    return;
  }
}

// Takes out the child to which the first `depth` steps lead, which has been freed.
void RankTree::RemoveChild(Path& path, unsigned depth) {
  if (depth == 0) {
    root_ = nullptr;
    height_ = 0;
    return;
  }
  const auto [node, index] = path.steps[depth - 1];
  node->Erase(index);
  if (node->count == 0) {
    FreeInner(node);
    return RemoveChild(path, depth - 1);
  }
  if (index == 0) SetFirst(path, depth - 1, node->scores[0], node->entries[0]);
  if (depth > 1) {
    if (node->count < kInnerLow) BalanceInner(path, depth - 1);
    return;
  }
  while (height_ > 0 && static_cast<Inner*>(root_)->count == 1) {
    auto* const old_root = static_cast<Inner*>(root_);
    root_ = old_root->children[0];
    --height_;
    FreeInner(old_root);
  }
}

void RankTree::BalanceLeaf(Path& path) {
  auto& [parent, index] = path.steps[height_ - 1];
  if (parent->count == 1) return;
  const unsigned at = index + 1 < parent->count ? index : index - 1;  // The left one of the two.
  auto* const left = static_cast<Leaf*>(parent->children[at]);
  auto* const right = static_cast<Leaf*>(parent->children[at + 1]);
  const unsigned total = unsigned{left->count} + right->count;
  if (total <= kLeafSlots) {
    left->CopySlots(left->count, *right, 0, right->count);
    left->count = static_cast<uint16_t>(total);
    parent->counts[at] = total;
    FreeLeaf(right);
    index = at + 1;
    return RemoveChild(path, height_);
  }
  const unsigned keep = total / 2;
  if (left->count < keep) {
    const unsigned n = keep - left->count;
    left->CopySlots(left->count, *right, 0, n);
    right->Erase(0, n);
  } else {
    const unsigned n = left->count - keep;
    right->CopySlots(n, *right, 0, right->count);
    right->CopySlots(0, *left, keep, n);
  }
  left->count = static_cast<uint16_t>(keep);
  right->count = static_cast<uint16_t>(total - keep);
  parent->counts[at] = keep;
  parent->counts[at + 1] = total - keep;
  parent->scores[at + 1] = right->scores[0];
  parent->entries[at + 1] = right->entry(0);
}

// The same for the inner node behind the first `depth` steps.
void RankTree::BalanceInner(Path& path, unsigned depth) {
  auto& [parent, index] = path.steps[depth - 1];
  if (parent->count == 1) return;
  const unsigned at = index + 1 < parent->count ? index : index - 1;
  auto* const left = static_cast<Inner*>(parent->children[at]);
  auto* const right = static_cast<Inner*>(parent->children[at + 1]);
  const unsigned total = left->count + right->count;
  // What comes first in the right node was known above only.
  right->scores[0] = parent->scores[at + 1];
  right->entries[0] = parent->entries[at + 1];
  if (total <= kInnerSlots) {
    left->CopySlots(left->count, *right, 0, right->count);
    left->count = total;
    parent->counts[at] += parent->counts[at + 1];
    FreeInner(right);
    index = at + 1;
    return RemoveChild(path, depth);
  }
  const unsigned keep = total / 2;
  if (left->count < keep) {
    const unsigned n = keep - left->count;
    left->CopySlots(left->count, *right, 0, n);
    right->CopySlots(0, *right, n, right->count - n);
  } else {
    const unsigned n = left->count - keep;
    right->CopySlots(n, *right, 0, right->count);
    right->CopySlots(0, *left, keep, n);
  }
  left->count = keep;
  right->count = total - keep;
  parent->counts[at] = left->TotalBelow();
  parent->counts[at + 1] = right->TotalBelow();
  parent->scores[at + 1] = right->scores[0];
  parent->entries[at + 1] = right->entries[0];
}

// ---- Another score

void RankTree::Rescore(double old_score, double new_score, Entry* entry) {
  const std::string_view member = entry->key();
  Path path;
  FindPath(old_score, member, path);
  Leaf& leaf = *path.leaf;
  const unsigned slot = path.slot;
  LARDER_DCHECK(slot < leaf.count && leaf.entry(slot) == entry);
  // Most changes are small and leave the element where it is.
  const bool after_previous =
      slot > 0 ? IsBefore(leaf.scores[slot - 1], *leaf.entry(slot - 1), new_score, member)
               : leaf.previous == nullptr;
  const bool before_next =
      slot + 1u < leaf.count
          ? !IsBefore(leaf.scores[slot + 1], *leaf.entry(slot + 1), new_score, member)
          : leaf.next == nullptr;
  if (after_previous && before_next) {
    leaf.scores[slot] = new_score;
    if (slot == 0) SetFirst(path, height_, new_score, entry);
    return;
  }
  EraseSlots(path, 1);
  Insert(new_score, entry);
}

// ---- Checking

size_t RankTree::CheckBelow(const void* node, unsigned height, const Leaf*& previous) const {
  if (height == 0) {
    const auto& leaf = *static_cast<const Leaf*>(node);
    LARDER_CHECK(leaf.previous == previous);
    LARDER_CHECK(previous == nullptr || previous->next == &leaf);
    LARDER_CHECK(leaf.count > 0 && leaf.count <= kLeafSlots);
    for (unsigned slot = 0; slot < leaf.count; ++slot) {
      const Leaf* before = slot == 0 ? previous : &leaf;
      if (before == nullptr) continue;
      const unsigned last = (slot == 0 ? before->count : slot) - 1u;
      LARDER_CHECK(IsBefore(before->scores[last], *before->entry(last), leaf.scores[slot],
                            leaf.entry(slot)->key()));
    }
    previous = &leaf;
    return leaf.count;
  }
  const auto& inner = *static_cast<const Inner*>(node);
  LARDER_CHECK(inner.count > 0 && inner.count <= kInnerSlots);
  size_t total = 0;
  for (unsigned i = 0; i < inner.count; ++i) {
    const size_t below = CheckBelow(inner.children[i], height - 1, previous);
    LARDER_CHECK(below == inner.counts[i]);
    total += below;
    if (i == 0) continue;
    const void* first = inner.children[i];
    for (unsigned level = height - 1; level > 0; --level) {
      first = static_cast<const Inner*>(first)->children[0];
    }
    const auto& leaf = *static_cast<const Leaf*>(first);
    LARDER_CHECK(inner.entries[i] == leaf.entry(0) && inner.scores[i] == leaf.scores[0]);
  }
  return total;
}

void RankTree::CheckInvariants() const {
  const Leaf* last = nullptr;
  LARDER_CHECK((root_ == nullptr) == (size_ == 0));
  if (root_ != nullptr) LARDER_CHECK(CheckBelow(root_, height_, last) == size_);
  LARDER_CHECK(last == nullptr || last->next == nullptr);
  if (root_ != nullptr && height_ > 0) LARDER_CHECK(static_cast<Inner*>(root_)->count > 1);
}

}  // namespace larder
