// SPDX-License-Identifier: Apache-2.0
#include "tell/instance.h"

#include <boost/json/parse.hpp>

#include "base/json.h"

namespace spotkeeper::tell {

bool take_identity(Instance& instance, const std::string& document) {
  boost::system::error_code wrong;
  const boost::json::value root = boost::json::parse(document, wrong);
  if (wrong || !root.is_object()) return false;
  const auto take = [&root](std::string& field, const char* name) {
    std::string said = text_at(root, {name});
    if (!said.empty()) field = std::move(said);
  };
  take(instance.account_id, "accountId");
  take(instance.instance_id, "instanceId");
  take(instance.instance_type, "instanceType");
  take(instance.local_ip, "privateIp");
  take(instance.availability_zone, "availabilityZone");
  take(instance.region, "region");
  return true;
}

std::string region_of(const std::string& availability_zone) {
  // Up to its number, which is behind the second dash in every region but those of GovCloud.
  size_t end = availability_zone.find('-');
  while (end != std::string::npos) {
    const size_t digits = availability_zone.find_first_not_of("0123456789", end + 1);
    if (digits != end + 1) return availability_zone.substr(0, digits);
    end = availability_zone.find('-', end + 1);
  }
  return {};
}

std::map<std::string, std::string> annotations_of(const Instance& instance) {
  return {
      {"account-id", instance.account_id},       {"availability-zone", instance.availability_zone},
      {"instance-id", instance.instance_id},     {"instance-life-cycle", instance.life_cycle},
      {"instance-type", instance.instance_type}, {"local-hostname", instance.local_hostname},
      {"local-ipv4", instance.local_ip},         {"public-hostname", instance.public_hostname},
      {"public-ipv4", instance.public_ip},       {"region", instance.region}};
}

}  // namespace spotkeeper::tell
