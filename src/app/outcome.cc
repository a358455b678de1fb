// SPDX-License-Identifier: Apache-2.0
#include "app/outcome.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <span>

#include "app/documents.h"
#include "observe/hosts_view.h"
#include "observe/post_mortem.h"
#include "observe/terminal.h"

namespace spotkeeper::app {
namespace {

constexpr size_t kNamesShown = 5;
constexpr int kOtherLines = 6;  // of the prompt, the closing sentence and errors
constexpr int kFewestRows = 5;

void print_rows(const std::vector<observe::HostRow>& rows, int width, const PutInWords& words) {
  size_t most = rows.size();
  if (observe::is_terminal(STDOUT_FILENO)) {
    const int room = observe::terminal_rows(STDOUT_FILENO) - kOtherLines;
    most = static_cast<size_t>(std::max(kFewestRows, room));
  }
  const std::string table = observe::to_table(rows, most, width);
  observe::write_text(STDOUT_FILENO, "\n" + (words ? words(table) : table));
}

void put_in_words(observe::PostMortem& post_mortem, const PutInWords& words) {
  for (observe::Row& row : post_mortem.rows) {
    row.why = words(std::move(row.why));
    row.remark = words(std::move(row.remark));
  }
}

}  // namespace

void log_outcome(observe::Log& log, observe::PostMortem post_mortem, const PutInWords& words) {
  if (words) put_in_words(post_mortem, words);
  if (log.json()) {
    log.write_json("post-mortem", boost::json::serialize(observe::to_json(post_mortem)));
    return;
  }
  const std::string table = observe::to_table(post_mortem);
  log.print(words ? words(table) : table);
}

bool print_outcome(const std::vector<const core::Drain*>& drains, Time now,
                   const std::string& format, bool many, int width, const PutInWords& words) {
  bool all_well = true;
  std::vector<boost::json::object> documents;
  std::vector<observe::HostRow> rows;
  for (const core::Drain* drain : drains) {
    observe::PostMortem result = observe::make_post_mortem(*drain, now);
    if (words) put_in_words(result, words);
    all_well = all_well && result.listed && result.untold == 0 && result.ending == 0;
    if (format != "table") {
      documents.push_back(observe::to_json(result));
    } else if (many) {
      rows.push_back(observe::row_of(result));
    } else {
      const std::string table = observe::to_table(result, width);
      observe::write_text(STDOUT_FILENO, "\n" + (words ? words(table) : table));
    }
  }
  if (!rows.empty()) print_rows(rows, width, words);
  if (format != "table") print_documents(std::move(documents), format);
  return all_well;
}

std::string not_begun(const std::vector<std::string>& hosts) {
  if (hosts.empty()) return "every host's drain had begun";
  const std::span<const std::string> shown(hosts.data(), std::min(hosts.size(), kNamesShown));
  std::string text = fmt::format("{} host{} not begun: {}", hosts.size(),
                                 hosts.size() == 1 ? " is" : "s are", fmt::join(shown, ", "));
  if (shown.size() < hosts.size()) {
    text += fmt::format(" and {} more", hosts.size() - shown.size());
  }
  return text;
}

}  // namespace spotkeeper::app
