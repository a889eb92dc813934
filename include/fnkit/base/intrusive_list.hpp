// A doubly linked list whose links live in its elements: no allocation, O(1) removal of any one.
#pragma once

#include "fnkit/base/check.hpp"

namespace fnkit {

// Derive from ListNode<Tag> once for each list an object can be in. Unlinks itself when destroyed.
template <class Tag>
class ListNode {
 public:
  ListNode() = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;
  ~ListNode() { unlink(); }

  bool linked() const { return next_ != nullptr; }

  // Does nothing when not linked.
  void unlink() {
    if (next_ == nullptr) return;
    next_->previous_ = previous_;
    previous_->next_ = next_;
    next_ = previous_ = nullptr;
  }

 private:
  template <class T, class U>
  friend class IntrusiveList;
  ListNode* next_ = nullptr;
  ListNode* previous_ = nullptr;
};

// Does not own its elements: they leave it by unlink() or by being destroyed. T derives from
// ListNode<Tag>. The list must be empty when destroyed.
template <class T, class Tag>
class IntrusiveList {
 public:
  IntrusiveList() { head_.next_ = head_.previous_ = &head_; }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;
  ~IntrusiveList() {
    INVARIANT(empty());
    head_.next_ = head_.previous_ = nullptr;
  }

  bool empty() const { return head_.next_ == &head_; }
  T* front() { return empty() ? nullptr : element(head_.next_); }
  T* back() { return empty() ? nullptr : element(head_.previous_); }

  void push_front(T& item) { insert_after(head_, item); }
  void push_back(T& item) { insert_after(*head_.previous_, item); }

  // The element after `item`, or nullptr at the end.
  T* next(T& item) {
    Node* following = static_cast<Node&>(item).next_;
    return following == &head_ ? nullptr : element(following);
  }

  T* pop_front() {
    T* item = front();
    if (item != nullptr) static_cast<Node*>(item)->unlink();
    return item;
  }

  // Moves all elements of `other` to the end of this list, in order.
  void append(IntrusiveList& other) {
    while (T* item = other.pop_front()) push_back(*item);
  }

 private:
  using Node = ListNode<Tag>;
  static T* element(Node* node) { return static_cast<T*>(node); }
  static void insert_after(Node& place, T& item) {
    Node& node = item;
    REQUIRE(!node.linked());
    node.previous_ = &place;
    node.next_ = place.next_;
    place.next_->previous_ = &node;
    place.next_ = &node;
  }

  Node head_;
};

}  // namespace fnkit
