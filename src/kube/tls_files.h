// SPDX-License-Identifier: Apache-2.0
// The certificate files of an Access: the CA that vouches for the server, our client certificate
// and its key. They are read again when they were replaced (a CA that is rotated, a certificate
// that cert-manager or kubeadm renewed), and new connections use what they hold. Owned by Api.
// Failure: files that cannot be read, hold no PEM, or do not belong together yet (certificate and
// key are replaced one after the other) change nothing; they are looked at again.
#pragma once

#include <string>
#include <vector>

#include "http/client.h"
#include "kube/access.h"
#include "kube/files.h"

namespace spotkeeper::kube {

class TlsFiles {
 public:
  // `access.tls` has what the files held when it was made.
  explicit TlsFiles(const Access& access);

  const http::ClientOptions& options() const { return options_; }

  // Looks whether files were replaced; true when options() changed. `thorough`: reads them even
  // where they look untouched.
  bool refresh(bool thorough = false);

 private:
  std::vector<FileStamp> stamps() const;
  bool read_ca();
  bool read_client();

  std::string ca_file_;
  std::string client_cert_file_;
  std::string client_key_file_;
  http::ClientOptions options_;
  std::vector<FileStamp> read_;  // of the files when they were read last
};

}  // namespace spotkeeper::kube
