// SPDX-License-Identifier: Apache-2.0
#include "observe/terminal.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>

namespace spotkeeper::observe {
namespace {

constexpr int kNarrowest = 40;
constexpr int kPatience = 1000;  // ms, for a reader that is slow
constexpr int kWidest = 120;     // longer lines are hard to follow

winsize size_of(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
    size.ws_col = 80;
    size.ws_row = 24;
  }
  return size;
}

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

bool speaks_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (!is_set(name)) continue;
    const std::string value = std::getenv(name);
    return value.find("UTF-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

}  // namespace

bool is_terminal(int fd) {
  return isatty(fd) == 1;
}

bool can_redraw(int fd) {
  const char* term = std::getenv("TERM");
  return is_terminal(fd) && term != nullptr && std::string_view(term) != "dumb";
}

BoardStyle style_of(int fd) {
  BoardStyle style;
  style.colour = can_redraw(fd) && !is_set("NO_COLOR");
  style.unicode = speaks_utf8();
  style.width = is_terminal(fd) ? std::clamp<int>(size_of(fd).ws_col, kNarrowest, kWidest) : 80;
  return style;
}

int terminal_rows(int fd) {
  return size_of(fd).ws_row;
}

std::string LiveLines::erase() const {
  return shown_.empty() ? std::string() : fmt::format("\x1b[{}F\x1b[J", shown_.size());
}

void LiveLines::show(const std::vector<std::string>& lines) {
  const auto room = static_cast<size_t>(std::max(3, terminal_rows(fd_) - 1));
  std::vector<std::string> next = lines;
  if (next.size() > room) {
    const size_t more = next.size() - room + 1;
    next.resize(room - 1);
    next.push_back(fmt::format("and {} more lines", more));
  }
  if (next == shown_) return;
  std::string text = erase();
  for (const std::string& line : next) text += line + "\n";
  shown_ = std::move(next);
  write_text(fd_, text);
}

void LiveLines::keep(const std::string& line) {
  std::string text = erase() + line + "\n";
  for (const std::string& shown : shown_) text += shown + "\n";
  write_text(fd_, text);
}

void LiveLines::leave() {
  shown_.clear();
}

void write_text(int fd, const std::string& text) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = ::write(fd, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) {  // somebody has made the terminal non-blocking
      pollfd ready{.fd = fd, .events = POLLOUT, .revents = 0};
      poll(&ready, 1, kPatience);
      continue;
    }
    if (written <= 0) return;
    rest.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace spotkeeper::observe
