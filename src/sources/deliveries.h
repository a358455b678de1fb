// SPDX-License-Identifier: Apache-2.0
// The messages of a queue that are ours for the moment, and what becomes of each: deleted when all
// that it says is done with, given back where it is not ours, kept from others until then. Pure;
// owned by the SqsConsumer.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace spotkeeper::sources {

// What one thing that a message says has come to. Of several the last in this order counts.
enum class Fate {
  kDone,    // the message is not needed any more
  kLeft,    // nobody here: others may know it, so it is seen again, soon at first
  kPoison,  // not understood: it is seen again when its time is over, for the redrive policy
};

class Deliveries {
 public:
  // `visibility`: for so long a message is ours.
  explicit Deliveries(Seconds visibility) : visibility_(visibility) {}

  // True: it says something new to us. False: it is in hand; the newer receipt counts.
  // `receives`: how often it was received by anybody.
  bool received(const std::string& id, const std::string& receipt, int receives, Time now);

  // It says so many things, each to be settled: 1 and more.
  void holds(const std::string& id, int parts);
  void settle(const std::string& id, Fate fate);

  // For the requests that are due; each message is told of once. Receipts.
  std::vector<std::string> take_done();
  // Ours for another while, if that is granted.
  std::vector<std::string> take_due(Time now);
  // It was not, for these: they are due again soon, several times before they are seen by others.
  void not_extended(const std::vector<std::string>& receipts, Time now);
  // To be seen again after so long.
  std::vector<std::pair<std::string, Seconds>> take_left();
  // All that is in hand, which is forgotten: to be seen by others at once.
  std::vector<std::string> give_up();

  // Some are done or left.
  bool has_news() const { return !done_.empty() || !left_.empty(); }
  // When one is to be extended; kNever: there is none.
  Time due() const;

  size_t in_hand() const { return messages_.size(); }

 private:
  struct Message {
    std::string receipt;
    int receives = 0;
    int open = 1;  // parts that are not settled
    Fate fate = Fate::kDone;
    Time extend{};
    bool asked = false;  // to be extended, and not refused since
    int failures = 0;    // of extending it, in a row
  };
  Seconds visibility_;
  std::map<std::string, Message> messages_;
  std::vector<std::string> done_;
  std::vector<std::pair<std::string, Seconds>> left_;
};

}  // namespace spotkeeper::sources
