// SPDX-License-Identifier: Apache-2.0
// Reads a queue: one long poll while it is empty, several receives beside each other while there is
// a backlog. A message is ours until settle() says what it has come to; until then it is kept from
// others. Every failure is weather: reported, backed off, never the end. Owned by the app; its
// tasks belong to the group, which must outlive it, as must the client and the clock.
#pragma once

#include <functional>
#include <string>

#include "async/task_group.h"
#include "async/timing.h"
#include "aws/client.h"
#include "aws/sqs.h"
#include "sources/deliveries.h"

namespace spotkeeper::sources {

class SqsConsumer {
 public:
  struct Options {
    std::string queue_url;
    Seconds visibility{20};
    bool read_only = false;  // a dry run: nothing is deleted
  };
  struct Hooks {
    // Not in hand yet: to be settled, once for each thing that it holds (see Deliveries).
    std::function<void(const aws::SqsMessage&)> message;
    std::function<void(bool well)> polled;
    // Receiving, deleting, or extending failed, as often in a row.
    std::function<void(const Error&, int in_a_row)> failed;
  };

  SqsConsumer(TaskGroup& group, aws::Client& client, const Clock& clock, Options options,
              Hooks hooks);

  // Begins to receive.
  void start();

  void holds(const std::string& id, int parts) { deliveries_.holds(id, parts); }
  void settle(const std::string& id, Fate fate);

  // Nothing is received any more.
  void stop() { stopped_ = true; }
  // What is done with is deleted, and what is in hand given back to other consumers, at once.
  Task<> give_back();

  // More messages are probably there, and about to be received.
  bool has_backlog() const { return beside_ > 0; }
  size_t in_hand() const { return deliveries_.in_hand(); }

 private:
  Task<> receive_for_ever();
  Task<> receive_more();
  // How many messages are new to us.
  Task<Result<int>> receive(Seconds wait);
  // Deletes what is done, and puts back what is left.
  Task<> settle_all();
  Task<> tidy();
  // Keeps from others what is in hand: apart, for no other request may hold it up.
  Task<> keep();
  Task<> extend();

  TaskGroup& group_;
  aws::Client& client_;
  const Clock& clock_;
  Options options_;
  Hooks hooks_;
  Deliveries deliveries_;
  Event news_;
  Event held_;
  bool stopped_ = false;
  int beside_ = 0;    // receives of a backlog that are under way
  int failures_ = 0;  // of receives, in a row
  int settled_badly_ = 0;
  int kept_badly_ = 0;
};

}  // namespace spotkeeper::sources
