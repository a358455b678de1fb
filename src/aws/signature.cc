// SPDX-License-Identifier: Apache-2.0
#include "aws/signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace spotkeeper::aws {
namespace {

constexpr const char* kAlgorithm = "AWS4-HMAC-SHA256";
constexpr char kUpper[] = "0123456789ABCDEF";
constexpr char kLower[] = "0123456789abcdef";

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

std::string hex(const Digest& digest) {
  std::string text;
  for (const unsigned char byte : digest) {
    text += kLower[byte >> 4];
    text += kLower[byte & 15];
  }
  return text;
}

// A key on its way to the signature; wiped when it goes.
struct Key {
  Digest bytes{};
  Key() = default;
  Key(const Key&) = default;
  Key& operator=(const Key&) = default;
  ~Key() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

Key hmac(const void* key, size_t size, std::string_view text) {
  Key result;
  HMAC(EVP_sha256(), key, static_cast<int>(size),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), result.bytes.data(),
       nullptr);
  return result;
}

Key hmac(const Key& key, std::string_view text) {
  return hmac(key.bytes.data(), key.bytes.size(), text);
}

std::optional<int> digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

std::string uri_decode(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) && digit(text[i + 2])) {
      plain += static_cast<char>(*digit(text[i + 1]) * 16 + *digit(text[i + 2]));
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

// "/a//./b/../" is "/a/".
std::string normalized(std::string_view path) {
  std::vector<std::string_view> kept;
  bool ends_open = true;  // with a slash
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(part.size() + 1, path.size()));
    ends_open = part.empty() || part == "." || part == "..";
    if (part == ".." && !kept.empty()) kept.pop_back();
    if (!ends_open) {
      kept.push_back(part);
      ends_open = path.data() != part.data() + part.size();
    }
  }
  std::string plain;
  for (const std::string_view part : kept) plain += "/" + std::string(part);
  return plain.empty() || ends_open ? plain + "/" : plain;
}

std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const size_t equals = std::min(pair.find('='), pair.size());
    pairs.emplace_back(uri_encode(uri_decode(pair.substr(0, equals))),
                       uri_encode(uri_decode(pair.substr(std::min(equals + 1, pair.size())))));
  }
  std::ranges::sort(pairs);
  std::string text;
  for (const auto& [key, value] : pairs) text += (text.empty() ? "" : "&") + key + "=" + value;
  return text;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return text;
}

// Without white space at its ends, and with single spaces within.
std::string squeezed(std::string_view value) {
  std::string text;
  bool gap = false;
  for (const char c : value) {
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      gap = !text.empty();
      continue;
    }
    if (std::exchange(gap, false)) text += ' ';
    text += c;
  }
  return text;
}

// By name, in lower case and in order; values of one name are joined in theirs.
std::map<std::string, std::string> canonical_headers(const Signable& request,
                                                     const Signature& signature,
                                                     bool token_signed) {
  std::map<std::string, std::string> headers;
  for (const http::Header& header : request.headers) {
    const std::string name = lower(header.name);
    if (name == "x-amz-date") continue;
    const auto [at, is_new] = headers.try_emplace(name, squeezed(header.value));
    if (!is_new) at->second += "," + squeezed(header.value);
  }
  headers["x-amz-date"] = signature.date;
  if (!signature.content_sha256.empty()) headers["x-amz-content-sha256"] = signature.content_sha256;
  if (token_signed && !signature.session_token.empty()) {
    headers["x-amz-security-token"] = signature.session_token.reveal();
  }
  return headers;
}

// "20150830T123600Z"
std::string basic_time(Time time) {
  std::string text = format_time_s(time);  // "2015-08-30T12:36:00Z"
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  Digest digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return hex(digest);
}

std::string uri_encode(std::string_view text, bool keep_slashes) {
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~' || (keep_slashes && c == '/');
    if (plain) {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += {'%', kUpper[byte >> 4], kUpper[byte & 15]};
    }
  }
  return encoded;
}

http::Headers Signature::headers() const {
  http::Headers headers{{.name = "X-Amz-Date", .value = date}};
  if (!content_sha256.empty()) {
    headers.push_back({.name = "X-Amz-Content-Sha256", .value = content_sha256});
  }
  if (!session_token.empty()) {
    headers.push_back({.name = "X-Amz-Security-Token", .value = session_token.reveal()});
  }
  headers.push_back({.name = "Authorization", .value = authorization});
  return headers;
}

Signature sign(const Signable& request, const Credentials& credentials, const SigningScope& scope) {
  Signature signature;
  signature.date = basic_time(scope.now);
  signature.session_token = credentials.session_token;
  const std::string body_hash = sha256_hex(request.body);
  if (scope.content_hash) signature.content_sha256 = body_hash;

  std::string lines;
  std::string names;
  for (const auto& [name, value] : canonical_headers(request, signature, scope.token_signed)) {
    lines += name + ":" + value + "\n";
    names += (names.empty() ? "" : ";") + name;
  }
  std::string path = scope.normalize_path ? normalized(request.path) : request.path;
  if (!scope.encode_path_twice) path = uri_decode(path);
  signature.canonical_request =
      Secret(request.method + "\n" + uri_encode(path, true) + "\n" +
             canonical_query(request.query) + "\n" + lines + "\n" + names + "\n" + body_hash);

  const std::string day = signature.date.substr(0, signature.date.find('T'));
  const std::string of = day + "/" + scope.region + "/" + scope.service + "/aws4_request";
  signature.string_to_sign = std::string(kAlgorithm) + "\n" + signature.date + "\n" + of + "\n" +
                             sha256_hex(signature.canonical_request.reveal());

  std::string seed = "AWS4" + credentials.secret_access_key.reveal();
  const Key key = hmac(hmac(hmac(hmac(seed.data(), seed.size(), day), scope.region), scope.service),
                       "aws4_request");
  OPENSSL_cleanse(seed.data(), seed.size());
  signature.authorization = std::string(kAlgorithm) + " Credential=" + credentials.access_key_id +
                            "/" + of + ", SignedHeaders=" + names +
                            ", Signature=" + hex(hmac(key, signature.string_to_sign).bytes);
  return signature;
}

}  // namespace spotkeeper::aws
