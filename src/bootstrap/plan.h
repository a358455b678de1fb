// SPDX-License-Identifier: Apache-2.0
// What queue mode needs in AWS, as values: made from what a person asks for, and then printed
// (cloudformation.h, terraform.h), created or compared with what is there (check.h). Pure.
//
// One queue for each cluster, in its region. Without a router the cluster has rules of its own,
// which send to its queue. With one, the region has the rules once, they send to a topic, and each
// cluster's queue is subscribed to it: a notice names an instance and no cluster, so that every
// queue gets every notice, and each process leaves what is not its own.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

namespace spotkeeper::bootstrap {

// As whom the process calls AWS: a role that a pod of its service account may take.
enum class Identity {
  kNone,         // only the policy is made, for a role that there is
  kIrsa,         // by the cluster's OIDC provider
  kPodIdentity,  // by the EKS Pod Identity agent
};

struct Wish {
  std::string name;                 // of everything: "spotkeeper-prod"
  std::string cluster;              // empty: the router itself is wished for
  std::string router;               // its name; empty: none
  std::string queue;                // its name
  std::vector<std::string> groups;  // Auto Scaling groups
  bool launch_hooks = false;
  int hook_timeout_s = 300;
  bool detach = false;      // the process may detach instances
  std::string managed_tag;  // on the groups; empty: not looked at
  Identity identity = Identity::kNone;
  std::string oidc_issuer;  // without https://
  std::string service_account_namespace = "kube-system";
  std::string service_account = "spotkeeper-queue";
};

// Where it is: what ARNs begin with. A renderer puts its own words for "this account" here.
struct Place {
  std::string partition;
  std::string region;
  std::string account;

  // arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE
  std::string arn(const std::string& service, const std::string& resource) const;
  // The same without a region, as IAM's are.
  std::string global_arn(const std::string& service, const std::string& resource) const;
};

// A day: hooks are answered long after it, if somebody comes back in the morning; and a notice that
// is older is judged by its own time. (NTH's 300 s loses messages while they are worked on.)
inline constexpr int kRetention_s = 86'400;
// The most there is: these are for a person to look at.
inline constexpr int kDeadRetention_s = 1'209'600;
// For each time that somebody looks at a message and leaves it, it counts as received once. At 20 s
// a look, 500 are 2 h 46 min: longer than the longest timeout of a hook (2 h), so that nothing that
// waits for its owner is taken away, and far less than the queue's day.
inline constexpr int kMaxReceives = 500;
inline constexpr int kVisibility_s = 20;

struct Queue {
  std::string name;
  std::string arn;
  std::string dead_name;
  std::string dead_arn;
  boost::json::object policy;
};

struct Topic {
  std::string name;
  std::string arn;
  boost::json::object policy;
};

struct Rule {
  std::string kind;  // "spot"
  std::string name;  // "spotkeeper-prod-spot"
  std::string title;
  boost::json::object pattern;
};

struct Hook {
  std::string name;
  std::string group;
  bool launch = false;
  int timeout_s = 300;
  // CONTINUE for terminate hooks: when nobody answers in time the instance ends in either case, but
  // ABANDON skips the other hooks of the group (log shippers, backups). ABANDON for launch hooks:
  // what has not become a Ready node in time is no use, and is replaced.
  const char* default_result = "CONTINUE";

  const char* transition() const;
};

struct Policy {
  std::string name;
  std::string arn;
  boost::json::object document;
};

struct Role {
  std::string name;
  boost::json::object trust;
};

struct Plan {
  Wish wish;
  Place place;
  std::optional<Queue> queue;    // of a cluster
  std::optional<Topic> topic;    // of the router: of its own, or that which the queue hears
  std::vector<Rule> rules;       // of a router, or of a cluster without one
  std::vector<Hook> hooks;       // of a cluster
  std::optional<Policy> policy;  // of a cluster
  std::optional<Role> role;

  bool is_router() const { return wish.cluster.empty(); }
  bool is_routed() const { return !is_router() && !wish.router.empty(); }
  // Where the rules send to.
  std::string target_arn() const { return topic ? topic->arn : queue->arn; }
};

Plan make_plan(Wish wish, Place place);

// All that can end a host, or start one: source, detail-type and what else is asked of the event.
// Source: EventBridge events reference; docs.aws.amazon.com/health, "aws.health".
std::vector<Rule> all_rules(const std::string& name);

}  // namespace spotkeeper::bootstrap
