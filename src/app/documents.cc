// SPDX-License-Identifier: Apache-2.0
#include "app/documents.h"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "observe/table.h"
#include "observe/terminal.h"

namespace spotkeeper::app {

void print_documents(std::vector<boost::json::object> documents, const std::string& format) {
  boost::json::value root;
  if (documents.size() == 1) {
    root = std::move(documents.front());
  } else {
    boost::json::array items;
    for (boost::json::object& document : documents) items.emplace_back(std::move(document));
    root = boost::json::object{{"items", std::move(items)}};
  }
  observe::write_text(STDOUT_FILENO,
                      format == "json" ? observe::pretty_json(root) : observe::yaml(root));
}

Result<void> check_deadline(const config::DrainOptions& options) {
  const Time now = SteadyClock().now();
  if (options.deadline.from(now) >= now + Seconds(1)) return {};
  return permanent("--deadline: expected a moment that is ahead, got '" +
                   format_time_s(options.deadline.from(now)) + "'");
}

effects::PodRules rules_of_this_pod(const config::Environment& environment) {
  effects::PodRules rules;
  if (!environment("KUBERNETES_SERVICE_HOST")) return rules;
  rules.own_pod = environment("POD_NAME").value_or(environment("HOSTNAME").value_or(""));
  rules.own_namespace = environment("NAMESPACE").value_or("");
  return rules;
}

int fail(const char* command, const Error& error, int status) {
  observe::write_text(STDERR_FILENO, fmt::format("spotkeeper {}: {}\n", command, error.message));
  return status;
}

}  // namespace spotkeeper::app
