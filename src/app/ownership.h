// SPDX-License-Identifier: Apache-2.0
// Whose the instance of an event is: a node of our cluster, somebody else's, or nobody's. The
// cluster knows its own; EC2 is asked only about what it does not know. What it is given must
// outlive it.
#pragma once

#include <string>

#include "app/instances.h"
#include "async/task.h"
#include "config/queue_options.h"
#include "effects/node_book.h"
#include "observe/log.h"
#include "sources/queue_message.h"

namespace spotkeeper::app {

struct Whose {
  enum class Answer {
    kOurs,        // `node`
    kNobodys,     // EC2 knows no such instance, or it has ended
    kNotManaged,  // it lacks the tag
    kElsewhere,   // it is there, and no node of this cluster
    kUnknown,     // that cannot be found out now
  };
  Answer answer = Answer::kUnknown;
  std::string node = {};
  bool managed = false;
};

class Ownership {
 public:
  Ownership(const config::QueueOptions& options, const effects::NodeBook& nodes,
            Instances& instances, observe::Log& log)
      : options_(options), nodes_(nodes), instances_(instances), log_(log) {}

  Task<Whose> whose(sources::QueueEvent event);

 private:
  std::string node_of(const std::string& instance) const;

  const config::QueueOptions& options_;
  const effects::NodeBook& nodes_;
  Instances& instances_;
  observe::Log& log_;
};

}  // namespace spotkeeper::app
