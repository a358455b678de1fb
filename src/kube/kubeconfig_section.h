// SPDX-License-Identifier: Apache-2.0
// One map of a kubeconfig file, and reading its members with errors that name the file and the key
// and never what the key holds. For kubeconfig.cc only. Views a YAML tree that outlives it.
#pragma once

#include <yaml-cpp/yaml.h>

#include <string>
#include <vector>

#include "base/result.h"

namespace spotkeeper::kube {

// PEM, and the file it came from; that is empty where it was in the kubeconfig itself.
struct Pem {
  std::string text;
  std::string file;
};

struct Section {
  std::string file;
  std::string name;  // "clusters[dev].cluster"; empty: the root
  YAML::Node node;

  // kPermanent "kubeconfig FILE: NAME.KEY: WHAT".
  std::unexpected<Error> error(const std::string& key, const std::string& what) const;

  bool has(const std::string& key) const;
  Section at(const std::string& key) const;  // may be undefined or of any type

  // The scalar at `key`, empty where there is none.
  Result<std::string> text(const std::string& key) const;
  Result<bool> flag(const std::string& key) const;
  Result<std::vector<std::string>> texts(const std::string& key) const;

  // The maps of a list, each named "KEY[INDEX]"; empty where there is none.
  Result<std::vector<Section>> maps(const std::string& key) const;

  // A file name, made absolute by the kubeconfig's folder.
  Result<std::string> path(const std::string& key) const;

  // PEM out of "<key>-data" or of the file that `key` names; empty where there is neither.
  Result<Pem> pem(const std::string& key) const;
};

}  // namespace spotkeeper::kube
