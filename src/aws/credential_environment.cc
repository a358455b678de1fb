// SPDX-License-Identifier: Apache-2.0
#include "aws/credential_environment.h"

#include <string>

#include "aws/credential_body.h"

namespace spotkeeper::aws {

Result<std::optional<Credentials>> environment_credentials(const Environment& environment) {
  const std::string id = environment("AWS_ACCESS_KEY_ID").value_or("");
  const std::string key = environment("AWS_SECRET_ACCESS_KEY").value_or("");
  const std::string token = environment("AWS_SESSION_TOKEN").value_or("");
  if (id.empty() && key.empty()) return std::nullopt;
  if (id.empty()) return permanent("AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not");
  if (key.empty()) return permanent("AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not");
  if (!is_token(id) || !is_token(key) || (!token.empty() && !is_token(token))) {
    return permanent(
        "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_SESSION_TOKEN holds a space or a line "
        "break");
  }
  return Credentials{.access_key_id = id,
                     .secret_access_key = Secret(key),
                     .session_token = Secret(token),
                     .expires = std::nullopt,
                     .source = "environment"};
}

}  // namespace spotkeeper::aws
