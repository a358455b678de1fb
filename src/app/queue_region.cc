// SPDX-License-Identifier: Apache-2.0
#include "app/queue_region.h"

#include <fmt/format.h>

#include "aws/endpoint.h"
#include "aws/sqs.h"

namespace spotkeeper::app {

Result<std::string> region_of(const config::QueueOptions& options) {
  const std::string of_queue = aws::region_of_queue(options.queue_url);
  std::string region = options.region.empty() ? of_queue : options.region;
  if (region.empty()) {
    return permanent(
        "--aws-region (AWS_REGION): expected the queue's region, for --queue-url does not say it");
  }
  if (!aws::is_region(region)) {
    return permanent("--aws-region (AWS_REGION): '" + region +
                     "': expected a region such as eu-west-1");
  }
  if (!of_queue.empty() && of_queue != region) {
    return permanent(fmt::format(
        "--queue-url (QUEUE_URL): the queue is in {}, and --aws-region (AWS_REGION) says {}: leave "
        "the region out, or name the queue of that region",
        of_queue, region));
  }
  return region;
}

}  // namespace spotkeeper::app
