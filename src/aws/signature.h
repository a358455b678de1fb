// SPDX-License-Identifier: Apache-2.0
// AWS Signature Version 4 of one request, put into its headers. Pure: the time comes as a value.
// Checked with every header vector that AWS publishes (signature_test.cc).
// Source:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
#pragma once

#include <string>
#include <string_view>

#include "aws/credentials.h"
#include "base/clock.h"
#include "base/strong.h"
#include "http/message.h"

namespace spotkeeper::aws {

// A request as it goes over the wire; every header given is signed, so leave out those that a proxy
// may change. An X-Amz-Date among them is replaced.
struct Signable {
  std::string method = "POST";
  std::string path = "/";
  std::string query = {};  // without the question mark
  http::Headers headers;   // Host among them
  std::string body = {};
};

struct SigningScope {
  Time now{};
  std::string region;
  std::string service;            // Service::signing
  bool normalize_path = true;     // "a/./b/../" is "a/"; false for S3
  bool encode_path_twice = true;  // of a path that is encoded already; false for S3
  bool content_hash = false;      // also sends X-Amz-Content-Sha256
  bool token_signed = true;  // false: the session token is sent, but not part of what is signed
};

struct Signature {
  std::string date;            // X-Amz-Date: "20150830T123600Z"
  std::string content_sha256;  // X-Amz-Content-Sha256; empty: not sent
  Secret session_token;        // X-Amz-Security-Token; empty: not sent
  std::string authorization;   // Authorization
  // For tests and puzzles: the former may hold the session token.
  Secret canonical_request;
  std::string string_to_sign;

  // What to add to the request.
  http::Headers headers() const;
};

Signature sign(const Signable& request, const Credentials& credentials, const SigningScope& scope);

// Of bytes, in lower-case hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

// Percent-encodes all but unreserved characters (RFC 3986), and slashes where told.
std::string uri_encode(std::string_view text, bool keep_slashes = false);

}  // namespace spotkeeper::aws
