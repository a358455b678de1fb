// SPDX-License-Identifier: Apache-2.0
#include "ecs/words.h"

#include <array>
#include <cctype>
#include <string_view>
#include <utility>

namespace spotkeeper::ecs {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

// Whole phrases first: what a right is called, and what is lost without it.
constexpr std::array kPhrases{
    Pair{"; new pods may still land here; allow: nodes get, patch",
         "; new tasks may still be placed here"},
    Pair{"; guarded pods are deleted at their last moment instead; allow: pods/eviction create",
         "; what DRAINING does not move ends with the host, untold"},
    Pair{"; a budget can hold a pod until the host ends; allow: pods delete",
         "; what DRAINING does not move ends with the host, untold"},
    Pair{"its eviction is accepted", "ECS stops it"},
    Pair{"its deletion is written", "ECS stops it"},
    Pair{"it ends: somebody else deleted it", "ECS stops it"},
    Pair{"Node would have been cordoned and drained",
         "The container instance would have been set DRAINING, and drained"},
    Pair{"Node would have been cordoned", "The container instance would have been set DRAINING"},
    Pair{"not even cordoned", "not even set DRAINING"},
    Pair{"cordoned only", "set DRAINING only"},
    Pair{"take it back by 'spotkeeper drain --undo'",
         "take it back by 'spotkeeper drain --platform ecs --undo'"},
    Pair{"asked now; its budget can hold it until",
         "DRAINING moves it; at the latest it is stopped "
         "at"},
    Pair{"and its budget does not let it go", "and its service does not let it go"},
    Pair{"whatever its budget", "whatever its service"},
    Pair{"no budget is overruled", "no service is overruled"},
    Pair{"overrules no budget", "overrules no service"},
    Pair{"budgets have not arrived after", "nothing is known of its services after"},
    Pair{"pods are asked to find out", "what ECS moves is seen as it goes"},
    Pair{"budget service ", "service "},
    Pair{"it could not be evicted", "it could not be stopped"},
    Pair{"the API refuses to evict it", "ECS refuses to stop it"},
    Pair{"ended by somebody else", "DRAINING, or somebody else, has ended it"},
    Pair{"overruled a budget", "overruled a service"},
    Pair{"POD   ", "TASK  "},  // a column's head
    Pair{"(a standalone task)", "(it is a standalone task, which DRAINING does not move)"},
};

constexpr std::array kWords{Pair{"pods", "tasks"}, Pair{"pod", "task"}, Pair{"budgets", "services"},
                            Pair{"budget", "service"}};

void replace_all(std::string& text, std::string_view what, std::string_view with,
                 bool whole_words) {
  const auto is_part = [&text](size_t at) {
    return at < text.size() && std::isalnum(static_cast<unsigned char>(text[at])) != 0;
  };
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    const bool inside = (at > 0 && is_part(at - 1)) || is_part(at + what.size());
    if (whole_words && inside) {
      at += what.size();
      continue;
    }
    text.replace(at, what.size(), with);
    at += with.size();
  }
}

// A service's tasks are never asked by us: "… allows no disruption now" would read as if they were.
void say_who_moves_it(std::string& text) {
  constexpr std::string_view kBegin = "budget service ";
  constexpr std::string_view kEnd = " allows no disruption now";
  if (!text.starts_with(kBegin)) return;
  const size_t end = text.find(kEnd);
  if (end == std::string::npos) return;
  text = "DRAINING moves it as " + text.substr(kBegin.size() - 8, end - kBegin.size() + 8) +
         " lets it" + text.substr(end + kEnd.size());
}

}  // namespace

std::string in_ecs_words(std::string text) {
  say_who_moves_it(text);
  for (const auto& [what, with] : kPhrases) replace_all(text, what, with, false);
  for (const auto& [what, with] : kWords) replace_all(text, what, with, true);
  return text;
}

}  // namespace spotkeeper::ecs
