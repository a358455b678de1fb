// SPDX-License-Identifier: Apache-2.0
// Polls one document of instance metadata. What differs between documents is a Document: where it
// is, how often it is looked at, and what is made of it. Every failure is weather: counted,
// reported, backed off, never the end. All share one client, and so one token and one connection.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "async/task.h"
#include "aws/imds.h"
#include "base/counters.h"
#include "core/notice.h"

namespace spotkeeper::sources {

// What a look has come to, as it is counted: "quiet", "notice" …
using Outcome = Result<std::string>;

class Document {
 public:
  virtual ~Document() = default;
  // For the log: "spot/instance-action".
  virtual const char* name() const = 0;
  // One look, and what it says is told by the document's own hooks. A failure says nothing about
  // what was heard before.
  virtual Task<Outcome> look(aws::ImdsClient& imds) = 0;
};

// A document that is one path.
class Page : public Document {
 public:
  explicit Page(const char* name) : name_(name) {}
  const char* name() const override { return name_; }
  Task<Outcome> look(aws::ImdsClient& imds) override;

 protected:
  // nullopt: 404.
  virtual Outcome read(const std::optional<std::string>& body) = 0;

 private:
  const char* name_;  // below /latest/meta-data/
};

class Poller {
 public:
  struct Options {
    Millis period{5'000};         // at most so long from one look to the next, while all is well
    double jitter = 0.2;          // of it by up to this part less, so that hosts are not in step
    Millis longest_pause{5'000};  // after failures; the period, where that is longer
    Millis begin_after{0};        // the first look
  };
  struct Hooks {
    std::function<void(const Error&, int in_a_row)> failure;
    std::function<void(int failures)> recovery;
    std::function<void(bool good)> looked = {};  // after every look
  };

  // The client, the clock and the counters must outlive run().
  Poller(std::unique_ptr<Document> document, aws::ImdsClient& imds, const Clock& clock,
         Counters& counters, Options options, Hooks hooks);

  const Document& document() const { return *document_; }

  // Polls until cancelled.
  Task<> run();

 private:
  Millis pause(Time began) const;

  std::unique_ptr<Document> document_;
  aws::ImdsClient& imds_;
  const Clock& clock_;
  Counters& counters_;
  Options options_;
  Hooks hooks_;
  int failures_ = 0;  // in a row
};

}  // namespace spotkeeper::sources
