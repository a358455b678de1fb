// SPDX-License-Identifier: Apache-2.0
// The JSON in which the instance's role and the endpoints of containers give credentials, and the
// files that tokens stand in. Pure but for the file. No message holds any of what was read.
// Source: the AWS SDKs' reference guide, "IMDS credential provider", "Container credential
// provider".
#pragma once

#include <string>

#include "aws/credentials.h"
#include "base/result.h"
#include "base/strong.h"

namespace spotkeeper::aws {

// An Error (kPermanent) says what is missing. A body with a Code other than "Success" is kDenied,
// with that code and its message. No Expiration: they never expire.
Result<Credentials> decode_credential_body(const std::string& body, const std::string& source);

// A session token, or one that proves who we are: one line, at most 64 KiB, white space around it
// cut off. Errors (kPermanent) name the file.
Result<Secret> read_token_file(const std::string& path);

// Whether it can be sent as a header's value.
bool is_token(const std::string& text);

}  // namespace spotkeeper::aws
