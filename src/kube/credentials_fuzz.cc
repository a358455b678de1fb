// SPDX-License-Identifier: Apache-2.0
// What credentials come in: base64, a token in a file, and what a credential plugin prints.
#include <algorithm>
#include <string>

#include "base/fuzz.h"
#include "base/memory_file.h"
#include "kube/exec_plugin.h"
#include "kube/files.h"
#include "kube/token.h"

namespace spotkeeper {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// RFC 4648, section 4, bit by bit.
std::optional<std::string> decode(std::string text) {
  std::erase_if(text, [](char c) { return std::string_view(" \n\r\t").contains(c); });
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.pop_back();
  std::string plain;
  unsigned bits = 0;
  int held = 0;
  for (const char c : text) {
    const size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6 | static_cast<unsigned>(value)) & 0xFFFF;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    plain += static_cast<char>(bits >> held & 0xFF);
  }
  return plain;
}

bool is_token(const std::string& text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

void check_plugin(std::string_view input) {
  const Result<kube::ExecCredential> printed =
      kube::decode_exec_credential(input, "client.authentication.k8s.io/v1");
  if (!printed) {
    must(printed.error().kind == ErrorKind::kRetryable, "a plugin may do better next time");
    must(is_one_line(printed.error().message), "the message is one line");
    return;
  }
  must(!printed->token.empty() || !printed->client_cert_pem.empty(), "there is a credential");
  must(is_token(printed->token.reveal()), "a token is fit for a header");
  must(printed->client_cert_pem.empty() == printed->client_key_pem.empty(),
       "a certificate has its key");
}

void check_token(std::string_view input) {
  static const MemoryFile file;
  file.put(input);
  kube::Token token(file.path(), Secret());
  const Result<Secret> read = token.at(kube::Token::Steady());
  if (!read) {
    must(read.error().kind == ErrorKind::kDenied, "without a token we are nobody");
    must(read.error().message.contains(file.path()), "the message names the file");
    must(is_one_line(read.error().message), "the message is one line");
    return;
  }
  const std::string& text = read->reveal();
  must(!text.empty() && is_token(text), "a token is fit for a header");
  must(input.contains(text), "a token is what the file holds");
}

}  // namespace

void fuzz(std::string_view input) {
  const std::string text(input);
  must(kube::decode_base64(text) == decode(text), "base64 is RFC 4648's");
  check_token(input);
  check_plugin(input);
}

}  // namespace spotkeeper
