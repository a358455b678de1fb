// SPDX-License-Identifier: Apache-2.0
#include "kube/files.h"

#include <openssl/evp.h>
#include <sys/stat.h>

#include "base/file.h"

namespace spotkeeper::kube {
namespace {

constexpr size_t kLargest = size_t{4} * 1024 * 1024;

}  // namespace

Result<std::string> read_file(const std::string& path) {
  return spotkeeper::read_file(path, kLargest);
}

FileStamp file_stamp(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return {};
  return {
      .inode = info.st_ino, .modified_s = info.st_mtim.tv_sec, .modified_ns = info.st_mtim.tv_nsec};
}

std::string encode_base64(const std::string& plain) {
  std::string packed(4 * ((plain.size() + 2) / 3) + 1, '\0');  // and the NUL that OpenSSL writes
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(packed.data()),
                                   reinterpret_cast<const unsigned char*>(plain.data()),
                                   static_cast<int>(plain.size()));
  packed.resize(static_cast<size_t>(size));
  return packed;
}

std::optional<std::string> decode_base64(const std::string& text) {
  std::string packed;
  for (const char c : text) {
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') packed += c;
  }
  if (packed.empty() || packed.size() % 4 != 0) return std::nullopt;
  const size_t padding = packed.ends_with("==") ? 2 : packed.ends_with('=') ? 1 : 0;
  if (packed.find('=') < packed.size() - padding) return std::nullopt;
  std::string plain(packed.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(plain.data()),
                                   reinterpret_cast<const unsigned char*>(packed.data()),
                                   static_cast<int>(packed.size()));
  // It passes over some characters at the end that are no base64, and gives less for them.
  if (size != static_cast<int>(plain.size())) return std::nullopt;
  plain.resize(static_cast<size_t>(size) - padding);  // EVP_DecodeBlock counts the padding
  return plain;
}

}  // namespace spotkeeper::kube
