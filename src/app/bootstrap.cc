// SPDX-License-Identifier: Apache-2.0
#include "app/bootstrap.h"

#include <unistd.h>

#include <utility>

#include "app/bootstrap_run.h"
#include "app/documents.h"
#include "aws/endpoint.h"
#include "bootstrap/cloudformation.h"
#include "bootstrap/terraform.h"
#include "observe/table.h"
#include "observe/terminal.h"

namespace spotkeeper::app {
namespace {

std::string comments(const std::vector<std::string>& notes) {
  std::string out;
  for (const std::string& note : notes) out += "# " + note + "\n";
  return out;
}

int print(const config::BootstrapOptions& options) {
  std::string text;
  if (options.output == "terraform") {
    const auto plan =
        bootstrap::make_plan(wish_of(options), bootstrap::terraform_place(options.region));
    text = comments(bootstrap::terraform_notes(plan)) + bootstrap::to_terraform(plan);
  } else {
    const auto plan = bootstrap::make_plan(wish_of(options), bootstrap::cloudformation_place());
    const boost::json::value root(bootstrap::to_cloudformation(plan));
    text = options.output == "json"
               ? observe::pretty_json(root)
               : comments(bootstrap::cloudformation_notes(plan)) + observe::yaml(root);
  }
  observe::write_text(STDOUT_FILENO, text);
  return 0;
}

}  // namespace

bootstrap::Wish wish_of(const config::BootstrapOptions& options) {
  bootstrap::Wish wish{.name = options.name,
                       .cluster = options.cluster,
                       .router = options.router,
                       .queue = options.queue,
                       .groups = options.groups,
                       .launch_hooks = options.launch_hooks,
                       .hook_timeout_s = options.hook_timeout_s,
                       .detach = options.detach,
                       .managed_tag = options.check_tag ? options.managed_tag : "",
                       .oidc_issuer = options.oidc_issuer};
  if (options.identity == "irsa") wish.identity = bootstrap::Identity::kIrsa;
  if (options.identity == "pod-identity") wish.identity = bootstrap::Identity::kPodIdentity;
  const size_t slash = options.service_account.find('/');
  wish.service_account_namespace = options.service_account.substr(0, slash);
  wish.service_account = options.service_account.substr(slash + 1);
  return wish;
}

int run_bootstrap(const config::BootstrapOptions& options) {
  if (!options.region.empty() && !aws::is_region(options.region)) {
    return fail("bootstrap",
                Error{.message = "--region: expected the name of a region, such as eu-west-1"}, 2);
  }
  return options.mode() == config::BootstrapMode::kPrint ? print(options)
                                                         : run_bootstrap_in_aws(options);
}

}  // namespace spotkeeper::app
