// SPDX-License-Identifier: Apache-2.0
// HCL, as Terraform reads it: values in, text out. Pure.
// A string that is one reference ("${aws_sqs_queue.queue.arn}") is written bare; references within
// a string stay as they are.
// Source: github.com/hashicorp/hcl, hclsyntax/spec.md.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

namespace spotkeeper::bootstrap {

struct HclBlock {
  std::string type;                   // "resource"
  std::vector<std::string> labels{};  // "aws_sqs_queue", "queue"
  // In order. An attribute whose name begins with "json:" is written as jsonencode(…).
  boost::json::object attributes{};
  std::vector<HclBlock> blocks{};
};

std::string to_hcl(const std::vector<HclBlock>& blocks);

}  // namespace spotkeeper::bootstrap
