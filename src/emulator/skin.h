// SPDX-License-Identifier: Apache-2.0
// The emulated API server: a world behind the real API's paths, verbs and answers, well enough for
// spotkeeper, kubectl and the tests' Python client. Takes requests and gives answers; whoever owns
// it serves it with an http::Server. The world and the runner must outlive it, and it must outlive
// the server that runs its watches.
//
// Beside the API it answers below /emulator, for scripts: POST /emulator/compact forgets all events
// so far (or up to ?version=N), so that older watches are expired; POST /emulator/hosts/NODE/end
// ends a machine.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <fstream>
#include <memory>
#include <string>

#include "emulator/accounts.h"
#include "emulator/cluster.h"
#include "emulator/runner.h"
#include "emulator/watch.h"
#include "http/server.h"

namespace spotkeeper::emulator {

struct SkinOptions {
  std::string administrator = "kubernetes-admin";  // who sends no token; also their token
  Accounts::Denied denied = {};
  std::string audit_log = {};  // file: each request, in the form of the API server's own audit log
};

class ApiSkin {
 public:
  ApiSkin(boost::asio::any_io_executor executor, world::World& world, Runner& runner,
          SkinOptions options);

  http::ServerResponse answer(const http::ServerRequest& request);

  size_t watches() const { return hub_.watches(); }

 private:
  using Response = Outcome<http::ServerResponse>;

  Response route(const http::ServerRequest& request, const std::string& user, Attempt& attempt);
  Response review(const Query& query, const json::value& body, const std::string& user);
  Response on_collection(const http::ServerRequest& request, const Query& query,
                         const Resource& resource, const json::value& body);
  Response on_object(const http::ServerRequest& request, const Query& query,
                     const Resource& resource, const json::value& body);
  Response on_subresource(const http::ServerRequest& request, const Query& query,
                          const Resource& resource, const json::value& body);
  Response control(const http::ServerRequest& request);
  void audit(const http::ServerRequest& request, const std::string& user, const Attempt& attempt,
             int status);

  world::World& world_;
  Runner& runner_;
  Cluster cluster_;
  WatchHub hub_;
  Accounts accounts_;
  std::ofstream audit_;
  uint64_t requests_ = 0;
};

}  // namespace spotkeeper::emulator
