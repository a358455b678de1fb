// SPDX-License-Identifier: Apache-2.0
#include "kube/list.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "kube/list_parser.h"

namespace spotkeeper::kube {
namespace {

using Steady = std::chrono::steady_clock;

constexpr const char* kVerb = "list";

// One page; `token` is the last page's, `whole` asks for all that is left in one answer.
Call page_call(const Listing& listing, const std::string& token, bool whole) {
  std::string parameters = whole ? "" : "limit=" + std::to_string(listing.page);
  if (!token.empty()) parameters += "&continue=" + percent_encode(token);
  return collection_call(listing, kVerb, parameters);
}

Task<Result<ListHead>> read_page(Api& api, Call call, ListParser& parser, ListLimits limits) {
  call.timeout = limits.silence;
  const std::string what = call.verb + " " + call.resource;
  const auto stream = co_await api.open(std::move(call));
  if (!stream) co_return std::unexpected(stream.error());
  const auto until = Steady::now() + limits.page_time;
  for (;;) {
    const auto left = std::chrono::ceil<Millis>(until - Steady::now());
    if (left <= Millis(0)) {
      co_return retryable(what + ": a page took longer than " + format_duration(limits.page_time));
    }
    const Result<std::string> piece = co_await (*stream)->read(std::min(limits.silence, left));
    if (!piece) co_return std::unexpected(piece.error().within(what));
    if (piece->empty()) break;
    const Result<void> taken = parser.add(*piece);
    if (!taken) co_return std::unexpected(taken.error().within(what));
  }
  Result<ListHead> head = parser.finish();
  if (!head) co_return std::unexpected(head.error().within(what));
  co_return head;
}

}  // namespace

Listing listing_of(std::string path) {
  Listing listing;
  listing.resource = path.substr(path.rfind('/') + 1);
  listing.path = std::move(path);
  return listing;
}

Listing listing_in(const std::string& ns, const std::string& api, const std::string& resource) {
  return listing_of(api + "/namespaces/" + percent_encode(ns) + "/" + resource);
}

Listing pods_on(const std::string& node) {
  Listing listing = listing_of("/api/v1/pods");
  listing.field_selector = "spec.nodeName=" + node;
  return listing;
}

Call collection_call(const Listing& listing, const char* verb, const std::string& parameters) {
  Call call;
  call.path = listing.path;
  call.verb = verb;
  call.resource = listing.resource;
  call.urgent = listing.urgent;
  const auto add = [&call](const std::string& parameter) {
    if (parameter.empty()) return;
    if (!call.query.empty()) call.query += "&";
    call.query += parameter;
  };
  if (!listing.field_selector.empty()) {
    add("fieldSelector=" + percent_encode(listing.field_selector));
  }
  if (!listing.label_selector.empty()) {
    add("labelSelector=" + percent_encode(listing.label_selector));
  }
  add(parameters);
  return call;
}

Task<Result<std::string>> read_list(Api& api, Listing listing, ListSink sink, ListLimits limits) {
  const ListParser::Sink objects{
      .object = sink.object, .left_out = [&sink, &listing](const Error& error) {
        sink.left_out(error.within("list " + listing.resource + ": left out"));
      }};
  bool whole = false;
  std::string token;
  sink.begin();
  for (;;) {
    ListParser parser(limits.max_object, objects);
    Call call = page_call(listing, token, whole);
    const Result<ListHead> head = co_await read_page(api, std::move(call), parser, limits);
    if (!head) {
      // The pages took so long that their version is compacted: all in one answer cannot expire.
      if (head.error().status != 410 || token.empty()) co_return std::unexpected(head.error());
      whole = true;
      token.clear();
      sink.begin();
      continue;
    }
    if (head->next.empty()) co_return head->version;
    if (head->next == token) {
      co_return retryable("list " + listing.resource +
                          ": the server answered the continue token that it was given");
    }
    token = head->next;
  }
}

}  // namespace spotkeeper::kube
