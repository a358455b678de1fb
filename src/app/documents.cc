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

int fail(const char* command, const Error& error, int status) {
  fmt::print(stderr, "spotkeeper {}: {}\n", command, error.message);
  return status;
}

}  // namespace spotkeeper::app
