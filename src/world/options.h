// SPDX-License-Identifier: Apache-2.0
// How quick the emulated cluster's parts are. The defaults are what a Kubernetes 1.34 control plane
// showed on one machine.
#pragma once

#include <cstddef>

#include "base/clock.h"

namespace spotkeeper::world {

// Uniform between the two.
struct Latency {
  Millis least{0};
  Millis most{0};
};

struct Options {
  // From a change to the controller's reaction.
  Latency replica_set{Millis(5), Millis(15)};
  Latency deployment{Millis(5), Millis(15)};
  Latency stateful_set{Millis(5), Millis(20)};
  Latency job{Millis(5), Millis(20)};
  Latency daemon_set{Millis(10), Millis(50)};
  Latency budget{Millis(15), Millis(50)};
  Latency endpoints{Millis(50), Millis(150)};
  Latency scheduler{Millis(5), Millis(15)};
  Latency garbage{Millis(50), Millis(500)};  // owner gone, to its dependents' deletion
  // The namespace controller waits 5 s before it deletes what is in there.
  Latency namespaces{Millis(5000), Millis(5200)};
  Latency taints{Millis(5), Millis(50)};
  Latency start{Millis(50), Millis(400)};   // placed, to Running: sandbox, image
  Latency removal{Millis(10), Millis(50)};  // its processes ended, to the object's removal
  Latency daemon_return{Millis(1000), Millis(3000)};  // a deleted DaemonSet pod's replacement
  // What the controllers (not the scheduler) may write: requests/s and burst; 0: no limit. The
  // controller-manager's own defaults are 20 and 30 for each controller.
  double controller_rate = 0;
  double controller_burst = 30;
  Seconds job_back_off{10};  // before the first retry; doubles
  // After a host has ended its kubelet is silent: the Node and its pods are not Ready then, and
  // later the Node is removed with its pods. kNever-like values switch that off.
  Seconds host_missed_after{40};
  Seconds host_removed_after{120};
  // Events kept for watches, of each kind; older ones are expired. 0: no log at all (observers
  // only), the quickest.
  size_t log_keeps = 100'000;
};

}  // namespace spotkeeper::world
