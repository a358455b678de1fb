// SPDX-License-Identifier: Apache-2.0
// What instance metadata says about our own host: goes into webhooks and Kubernetes events. Pure.
#pragma once

#include <map>
#include <string>

namespace spotkeeper::tell {

struct Instance {
  std::string account_id = {};
  std::string instance_id = {};
  std::string instance_type = {};
  std::string life_cycle = {};  // "spot"
  std::string local_hostname = {};
  std::string local_ip = {};
  std::string public_hostname = {};
  std::string public_ip = {};
  std::string availability_zone = {};
  std::string region = {};
};

// The instance identity document; what it does not say stays as it is. False when it is no JSON
// object, as where only plain metadata is to be had.
bool take_identity(Instance& instance, const std::string& document);

// "us-east-1a" is in us-east-1, "us-west-2-lax-1a" (a Local Zone) in us-west-2.
std::string region_of(const std::string& availability_zone);

// The annotations that NTH gives the events of a node.
std::map<std::string, std::string> annotations_of(const Instance& instance);

}  // namespace spotkeeper::tell
