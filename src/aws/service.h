// SPDX-License-Identifier: Apache-2.0
// The AWS services we call, as values: how each is named and spoken to. Pure; constants.
// Source: the service models of AWS's SDKs (endpointPrefix, signingName, serviceId, protocol,
// targetPrefix, jsonVersion, apiVersion).
#pragma once

namespace spotkeeper::aws {

enum class Protocol {
  kJson10,    // JSON 1.0, the action in X-Amz-Target
  kJson11,    // JSON 1.1, likewise
  kQuery,     // a form, answered in XML
  kEc2Query,  // the same, the answer without <ActionResult>
};

constexpr bool is_form(Protocol protocol) {
  return protocol == Protocol::kQuery || protocol == Protocol::kEc2Query;
}

struct Service {
  const char* name;     // for people, metrics and messages: "ecs"
  const char* prefix;   // of the host name: "ecs" in ecs.eu-west-1.amazonaws.com
  const char* signing;  // in the credential scope of a signature
  const char* id;       // as in AWS_ENDPOINT_URL_<id>
  Protocol protocol;
  const char* target;   // JSON: what precedes the action in X-Amz-Target
  const char* version;  // query: the Version parameter
  bool plain_in_gov;    // its FIPS host in aws-us-gov has no "-fips"
};

inline constexpr Service kEcs{.name = "ecs",
                              .prefix = "ecs",
                              .signing = "ecs",
                              .id = "ECS",
                              .protocol = Protocol::kJson11,
                              .target = "AmazonEC2ContainerServiceV20141113",
                              .version = "2014-11-13",
                              .plain_in_gov = false};
inline constexpr Service kElb{.name = "elbv2",
                              .prefix = "elasticloadbalancing",
                              .signing = "elasticloadbalancing",
                              .id = "ELASTIC_LOAD_BALANCING_V2",
                              .protocol = Protocol::kQuery,
                              .target = "",
                              .version = "2015-12-01",
                              .plain_in_gov = true};
// The default event bus.
inline constexpr Service kEventBridge{.name = "events",
                                      .prefix = "events",
                                      .signing = "events",
                                      .id = "EVENTBRIDGE",
                                      .protocol = Protocol::kJson11,
                                      .target = "AWSEvents",
                                      .version = "2015-10-07",
                                      .plain_in_gov = true};
inline constexpr Service kSns{.name = "sns",
                              .prefix = "sns",
                              .signing = "sns",
                              .id = "SNS",
                              .protocol = Protocol::kQuery,
                              .target = "",
                              .version = "2010-03-31",
                              .plain_in_gov = true};
// One for all regions of a partition: called in global_region_of().
inline constexpr Service kIam{.name = "iam",
                              .prefix = "iam",
                              .signing = "iam",
                              .id = "IAM",
                              .protocol = Protocol::kQuery,
                              .target = "",
                              .version = "2010-05-08",
                              .plain_in_gov = true};
inline constexpr Service kSts{.name = "sts",
                              .prefix = "sts",
                              .signing = "sts",
                              .id = "STS",
                              .protocol = Protocol::kQuery,
                              .target = "",
                              .version = "2011-06-15",
                              .plain_in_gov = true};
inline constexpr Service kAutoScaling{.name = "autoscaling",
                                      .prefix = "autoscaling",
                                      .signing = "autoscaling",
                                      .id = "AUTO_SCALING",
                                      .protocol = Protocol::kQuery,
                                      .target = "",
                                      .version = "2011-01-01",
                                      .plain_in_gov = true};
inline constexpr Service kEc2{.name = "ec2",
                              .prefix = "ec2",
                              .signing = "ec2",
                              .id = "EC2",
                              .protocol = Protocol::kEc2Query,
                              .target = "",
                              .version = "2016-11-15",
                              .plain_in_gov = true};
inline constexpr Service kSqs{.name = "sqs",
                              .prefix = "sqs",
                              .signing = "sqs",
                              .id = "SQS",
                              .protocol = Protocol::kJson10,
                              .target = "AmazonSQS",
                              .version = "2012-11-05",
                              .plain_in_gov = true};

}  // namespace spotkeeper::aws
