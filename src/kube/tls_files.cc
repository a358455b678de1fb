// SPDX-License-Identifier: Apache-2.0
#include "kube/tls_files.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <utility>

namespace spotkeeper::kube {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

Bio reader(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free};
}

// Whether the first certificate and the key are of one pair.
bool belong_together(const std::string& certificate, const std::string& key) {
  const Bio certificate_bio = reader(certificate);
  const Bio key_bio = reader(key);
  const std::unique_ptr<X509, decltype(&X509_free)> parsed(
      PEM_read_bio_X509(certificate_bio.get(), nullptr, nullptr, nullptr), &X509_free);
  char no_password[] = "";
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> parsed_key(
      PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, no_password), &EVP_PKEY_free);
  const bool together =
      parsed && parsed_key && X509_check_private_key(parsed.get(), parsed_key.get()) == 1;
  ERR_clear_error();
  return together;
}

bool is_pem(const std::string& text) {
  return text.find("-----BEGIN ") != std::string::npos;
}

}  // namespace

TlsFiles::TlsFiles(const Access& access)
    : ca_file_(access.ca_file),
      client_cert_file_(access.client_cert_file),
      client_key_file_(access.client_key_file),
      options_(access.tls) {
  refresh();  // what was replaced since the Access was made
}

std::vector<FileStamp> TlsFiles::stamps() const {
  std::vector<FileStamp> all;
  for (const std::string* file : {&ca_file_, &client_cert_file_, &client_key_file_}) {
    if (!file->empty()) all.push_back(file_stamp(*file));
  }
  return all;
}

bool TlsFiles::refresh(bool thorough) {
  std::vector<FileStamp> now = stamps();
  if (now.empty() || (!thorough && now == read_)) return false;
  // taken before reading: what is replaced meanwhile is read again next time
  read_ = std::move(now);
  const bool ca = read_ca();
  const bool client = read_client();
  return ca || client;
}

bool TlsFiles::read_ca() {
  if (ca_file_.empty()) return false;
  Result<std::string> content = read_file(ca_file_);
  if (!content || !is_pem(*content)) {
    read_.clear();
    return false;
  }
  if (*content == options_.ca_pem) return false;
  options_.ca_pem = std::move(*content);
  return true;
}

bool TlsFiles::read_client() {
  if (client_cert_file_.empty() && client_key_file_.empty()) return false;
  std::string certificate = options_.client_cert_pem;
  std::string key = options_.client_key_pem.reveal();
  for (const auto& [file, text] :
       {std::pair{&client_cert_file_, &certificate}, std::pair{&client_key_file_, &key}}) {
    if (file->empty()) continue;
    Result<std::string> content = read_file(*file);
    if (!content) {
      read_.clear();
      return false;
    }
    *text = std::move(*content);
  }
  if (certificate == options_.client_cert_pem && key == options_.client_key_pem.reveal()) {
    return false;
  }
  if (!belong_together(certificate, key)) {
    read_.clear();
    return false;
  }
  options_.client_cert_pem = std::move(certificate);
  options_.client_key_pem = Secret(std::move(key));
  return true;
}

}  // namespace spotkeeper::kube
