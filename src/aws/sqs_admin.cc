// SPDX-License-Identifier: Apache-2.0
#include "aws/sqs_admin.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

#include "base/json.h"

namespace spotkeeper::aws {
namespace {

namespace json = boost::json;

Call sqs_call(const char* action, const std::string& queue, json::object body) {
  return {.service = &kSqs, .action = action, .body = std::move(body), .object = queue};
}

Error with_kind(Error error) {
  if (error.reason == "QueueDoesNotExist") error.kind = ErrorKind::kGone;
  return error;
}

json::object to_json(const Attributes& attributes) {
  json::object out;
  for (const auto& [name, value] : attributes) out[name] = value;
  return out;
}

}  // namespace

Task<Result<std::string>> queue_url_of(Client& client, std::string name) {
  Call call = sqs_call("GetQueueUrl", name, {{"QueueName", name}});
  const Result<json::value> answer = co_await client.json(std::move(call));
  if (!answer) co_return std::unexpected(with_kind(answer.error()));
  std::string url = text_at(*answer, {"QueueUrl"});
  if (url.empty()) co_return permanent("sqs GetQueueUrl " + name + ": the answer has no QueueUrl");
  co_return url;
}

Task<Result<Attributes>> queue_attributes(Client& client, std::string url) {
  Call call = sqs_call("GetQueueAttributes", url,
                       {{"QueueUrl", url}, {"AttributeNames", json::array{"All"}}});
  const Result<json::value> answer = co_await client.json(std::move(call));
  if (!answer) co_return std::unexpected(with_kind(answer.error()));
  Attributes attributes;
  if (const json::object* all = find_object(*answer, {"Attributes"})) {
    for (const auto& [name, value] : *all) {
      if (value.is_string()) attributes[name] = std::string(value.get_string());
    }
  }
  co_return attributes;
}

Task<Result<std::string>> create_queue(Client& client, std::string name, Attributes attributes) {
  Call call =
      sqs_call("CreateQueue", name, {{"QueueName", name}, {"Attributes", to_json(attributes)}});
  const Result<json::value> answer = co_await client.json(std::move(call));
  if (!answer) co_return std::unexpected(answer.error());
  co_return text_at(*answer, {"QueueUrl"});
}

Task<Result<void>> set_queue_attributes(Client& client, std::string url, Attributes attributes) {
  Call call =
      sqs_call("SetQueueAttributes", url, {{"QueueUrl", url}, {"Attributes", to_json(attributes)}});
  const Result<json::value> answer = co_await client.json(std::move(call));
  if (!answer) co_return std::unexpected(with_kind(answer.error()));
  co_return Result<void>();
}

}  // namespace spotkeeper::aws
