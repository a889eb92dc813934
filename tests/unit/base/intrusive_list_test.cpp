#include "fnkit/base/intrusive_list.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <list>
#include <optional>
#include <string>

#include "fnkit/base/random.hpp"

namespace fnkit {
namespace {

struct First;
struct Second;
struct Item : ListNode<First>, ListNode<Second> {
  explicit Item(char given) : name(given) {}
  char name;
};
using FirstList = IntrusiveList<Item, First>;

std::string names(FirstList& list) {
  std::string all;
  for (Item* item = list.front(); item != nullptr; item = list.next(*item)) all += item->name;
  return all;
}

TEST(IntrusiveListTest, KeepsItsOrderAtBothEnds) {
  FirstList list;
  Item a('a'), b('b'), c('c');
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.front(), nullptr);
  EXPECT_EQ(list.back(), nullptr);
  EXPECT_EQ(list.pop_front(), nullptr);
  list.push_back(b);
  list.push_back(c);
  list.push_front(a);
  EXPECT_EQ(names(list), "abc");
  EXPECT_EQ(list.front(), &a);
  EXPECT_EQ(list.back(), &c);
  EXPECT_EQ(list.pop_front(), &a);
  EXPECT_EQ(names(list), "bc");
}

TEST(IntrusiveListTest, AnElementLeavesWhenItLikesAndWhenItDies) {
  FirstList list;
  Item a('a'), c('c');
  std::optional<Item> b('b');
  list.push_back(a);
  list.push_back(*b);
  list.push_back(c);
  b.reset();
  EXPECT_EQ(names(list), "ac");
  static_cast<ListNode<First>&>(a).unlink();
  static_cast<ListNode<First>&>(a).unlink();
  EXPECT_EQ(names(list), "c");
  list.push_back(a);
  EXPECT_EQ(names(list), "ca");
}

TEST(IntrusiveListTest, AnElementIsInOneListForEachTag) {
  FirstList first;
  IntrusiveList<Item, Second> second;
  Item a('a');
  first.push_back(a);
  second.push_back(a);
  first.pop_front();
  EXPECT_EQ(second.front(), &a);
}

TEST(IntrusiveListTest, AppendingEmptiesTheOther) {
  FirstList one;
  FirstList other;
  Item a('a'), b('b'), c('c');
  one.push_back(a);
  other.push_back(b);
  other.push_back(c);
  one.append(other);
  one.append(other);
  EXPECT_EQ(names(one), "abc");
  EXPECT_TRUE(other.empty());
}

TEST(IntrusiveListTest, DoesWhatAListOfPointersWouldDo) {
  Random random(1);
  std::deque<Item> items;
  for (char name = 'a'; name <= 'z'; ++name) items.emplace_back(name);
  FirstList list;
  std::list<Item*> model;
  for (int step = 0; step < 20'000; ++step) {
    Item& item = items[random.below(items.size())];
    auto& node = static_cast<ListNode<First>&>(item);
    if (node.linked()) {
      node.unlink();
      model.remove(&item);
    } else if (random.chance(50)) {
      list.push_back(item);
      model.push_back(&item);
    } else {
      list.push_front(item);
      model.push_front(&item);
    }
    std::string expected;
    for (const Item* each : model) expected += each->name;
    ASSERT_EQ(names(list), expected);
  }
  while (list.pop_front() != nullptr) {
  }
}

TEST(IntrusiveListDeathTest, RefusesASecondPlaceAndALostElement) {
  FirstList list;
  Item a('a');
  list.push_back(a);
  EXPECT_DEATH(list.push_back(a), "REQUIRE");
  EXPECT_DEATH(
      {
        Item b('b');
        FirstList dying;
        dying.push_back(b);
      },
      "INVARIANT");
}

}  // namespace
}  // namespace fnkit
