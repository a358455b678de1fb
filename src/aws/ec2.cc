// SPDX-License-Identifier: Apache-2.0
#include "aws/ec2.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace spotkeeper::aws {
namespace {

using Steady = std::chrono::steady_clock;

constexpr size_t kMostDescribed = 100;  // a call, and a page
constexpr int kMostPages = 1'000;
constexpr size_t kLargestAnswer = size_t{16} * 1024 * 1024;
constexpr size_t kLongestId = 64;

// All pages of DescribeInstances with this filter.
Task<Result<void>> add_instances(Client& client, Form filter, Steady::time_point until,
                                 std::vector<Ec2Instance>* all) {
  std::string token;
  for (int page = 0; page < kMostPages; ++page) {
    Call call{.service = &kEc2, .action = "DescribeInstances", .form = filter};
    call.form.emplace_back("MaxResults", std::to_string(kMostDescribed));
    if (!token.empty()) call.form.emplace_back("NextToken", token);
    call.at_most = std::max(std::chrono::ceil<Millis>(until - Steady::now()), Millis(0));
    call.max_body = kLargestAnswer;
    const Result<Xml> answer = co_await client.query(std::move(call));
    if (!answer) co_return std::unexpected(answer.error());
    Result<std::vector<Ec2Instance>> found = decode_instances(*answer);
    if (!found) co_return std::unexpected(found.error().within("ec2 DescribeInstances"));
    std::ranges::move(*found, std::back_inserter(*all));
    std::string next = (*answer)["nextToken"].text;
    if (next.empty()) co_return Result<void>();
    if (next == token) break;
    token = std::move(next);
  }
  co_return permanent("ec2 DescribeInstances: pages without an end");
}

}  // namespace

bool is_instance_id(const std::string& text) {
  return text.size() > 2 && text.size() <= kLongestId && text.starts_with("i-") &&
         std::all_of(text.begin() + 2, text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Result<std::vector<Ec2Instance>> decode_instances(const Xml& answer) {
  std::vector<Ec2Instance> instances;
  for (const Xml* reservation : answer["reservationSet"].members("item")) {
    for (const Xml* each : (*reservation)["instancesSet"].members("item")) {
      Ec2Instance instance{.id = (*each)["instanceId"].text,
                           .state = (*each)["instanceState"]["name"].text,
                           .private_dns_name = (*each)["privateDnsName"].text,
                           .zone = (*each)["placement"]["availabilityZone"].text,
                           .type = (*each)["instanceType"].text,
                           .lifecycle = (*each)["instanceLifecycle"].text,
                           .tags = {}};
      if (instance.id.empty()) return permanent("instance without instanceId");
      for (const Xml* tag : (*each)["tagSet"].members("item")) {
        instance.tags[(*tag)["key"].text] = (*tag)["value"].text;
      }
      instances.push_back(std::move(instance));
    }
  }
  return instances;
}

Task<Result<std::vector<Ec2Instance>>> describe_instances(Client& client,
                                                          std::vector<std::string> ids,
                                                          Millis at_most) {
  const auto until = Steady::now() + at_most;
  // A filter's value may be a pattern: "i-*" would be everybody's.
  std::erase_if(ids, [](const std::string& id) { return !is_instance_id(id); });
  std::vector<Ec2Instance> all;
  for (size_t begin = 0; begin < ids.size(); begin += kMostDescribed) {
    Form filter{{"Filter.1.Name", "instance-id"}};
    for (size_t i = begin; i < std::min(begin + kMostDescribed, ids.size()); ++i) {
      filter.emplace_back("Filter.1.Value." + std::to_string(i - begin + 1), ids[i]);
    }
    const Result<void> added = co_await add_instances(client, std::move(filter), until, &all);
    if (!added) co_return std::unexpected(added.error());
  }
  co_return all;
}

Task<Result<std::vector<std::string>>> describe_tagged_instances(Client& client,
                                                                 std::string tag_key,
                                                                 Millis at_most) {
  const auto until = Steady::now() + at_most;
  // "*" and "?" stand for anything, unless after a backslash.
  std::string plain;
  for (const char c : tag_key) {
    if (c == '*' || c == '?' || c == '\\') plain += '\\';
    plain += c;
  }
  Form filter{{"Filter.1.Name", "tag-key"}, {"Filter.1.Value.1", plain}};
  std::vector<Ec2Instance> all;
  const Result<void> added = co_await add_instances(client, std::move(filter), until, &all);
  if (!added) co_return std::unexpected(added.error());
  std::vector<std::string> ids;
  ids.reserve(all.size());
  for (Ec2Instance& each : all) ids.push_back(std::move(each.id));
  co_return ids;
}

Task<Result<void>> terminate_instances(Client& client, std::vector<std::string> ids,
                                       Millis at_most) {
  if (ids.empty()) co_return Result<void>();
  Call call{.service = &kEc2, .action = "TerminateInstances", .at_most = at_most};
  for (size_t i = 0; i < ids.size(); ++i) {
    call.form.emplace_back("InstanceId." + std::to_string(i + 1), ids[i]);
  }
  call.object = ids.front();
  if (ids.size() > 1) call.object += " and " + std::to_string(ids.size() - 1) + " more";
  const Result<Xml> answer = co_await client.query(std::move(call));
  if (!answer) co_return std::unexpected(answer.error());
  co_return Result<void>();
}

}  // namespace spotkeeper::aws
