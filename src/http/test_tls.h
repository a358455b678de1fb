// SPDX-License-Identifier: Apache-2.0
// Tests only: certificates made in memory, and a ScriptServer that speaks TLS with them. Include
// it in one file of a test executable only: that file holds Asio's compiled TLS half.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "http/test_server.h"

namespace spotkeeper::http {

struct Certificate {
  std::string pem;
  std::string key_pem;
};

// A certificate authority of a test's own.
class TestCa {
 public:
  explicit TestCa(const std::string& name) : key_(make_key()), cert_(X509_new(), X509_free) {
    fill(cert_.get(), name, key_.get());
    X509_set_issuer_name(cert_.get(), X509_get_subject_name(cert_.get()));
    extend(cert_.get(), NID_basic_constraints, "critical,CA:TRUE");
    sign(cert_.get());
  }

  std::string pem() const { return to_pem(cert_.get()); }

  // `names`: "DNS:a.test,IP:127.0.0.1". `expired`: ended an hour ago.
  Certificate issue(const std::string& names, bool expired = false) const {
    const auto key = make_key();
    const std::unique_ptr<X509, decltype(&X509_free)> cert(X509_new(), X509_free);
    fill(cert.get(), "leaf", key.get());
    if (expired) X509_gmtime_adj(X509_getm_notAfter(cert.get()), -3600);
    X509_set_issuer_name(cert.get(), X509_get_subject_name(cert_.get()));
    extend(cert.get(), NID_subject_alt_name, names.c_str());
    sign(cert.get());
    return {to_pem(cert.get()), key_to_pem(key.get())};
  }

 private:
  using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

  static Key make_key() { return {EVP_EC_gen("P-256"), EVP_PKEY_free}; }

  static void fill(X509* cert, const std::string& name, EVP_PKEY* key) {
    static long serial = 1;
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(cert), -24L * 3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 24L * 3600);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  }

  static void extend(X509* cert, int what, const char* value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, what, value);
    if (extension == nullptr) throw std::runtime_error(std::string("bad extension ") + value);
    X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
  }

  void sign(X509* cert) const { X509_sign(cert, key_.get(), EVP_sha256()); }

  template <class Write>
  static std::string collect(Write write) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
    write(bio.get());
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<size_t>(size)};
  }
  static std::string to_pem(X509* cert) {
    return collect([&](BIO* bio) { PEM_write_bio_X509(bio, cert); });
  }
  static std::string key_to_pem(EVP_PKEY* key) {
    return collect([&](BIO* bio) {
      PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    });
  }

  Key key_;
  std::unique_ptr<X509, decltype(&X509_free)> cert_;
};

class TlsPeer final : public Peer {
 public:
  TlsPeer(boost::asio::ip::tcp::socket socket, std::shared_ptr<boost::asio::ssl::context> context)
      : Peer(std::move(socket)), context_(std::move(context)), stream_(socket_, *context_) {}

  Task<> handshake() override {
    co_await stream_.async_handshake(boost::asio::ssl::stream_base::server,
                                     boost::asio::use_awaitable);
  }
  Task<> write(std::string bytes) override {
    co_await boost::asio::async_write(stream_, boost::asio::buffer(bytes),
                                      boost::asio::use_awaitable);
  }
  // The name the client asked for (SNI), or "".
  std::string asked_for() {
    const char* name = SSL_get_servername(stream_.native_handle(), TLSEXT_NAMETYPE_host_name);
    return name == nullptr ? "" : name;
  }
  // The handshake resumed an earlier session.
  bool resumed() { return SSL_session_reused(stream_.native_handle()) == 1; }

 protected:
  Task<size_t> read_some(char* into, size_t room) override {
    co_return co_await stream_.async_read_some(boost::asio::buffer(into, room),
                                               boost::asio::use_awaitable);
  }

 private:
  std::shared_ptr<boost::asio::ssl::context> context_;
  boost::asio::ssl::stream<boost::asio::ip::tcp::socket&> stream_;
};

// For ScriptServer: TLS with that certificate. `client_ca`: clients must show one signed by it.
inline ScriptServer::MakePeer tls_peers(const Certificate& certificate,
                                        const std::string& client_ca = "") {
  namespace ssl = boost::asio::ssl;
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  context->use_certificate_chain(boost::asio::buffer(certificate.pem));
  context->use_private_key(boost::asio::buffer(certificate.key_pem), ssl::context::pem);
  if (!client_ca.empty()) {
    context->add_certificate_authority(boost::asio::buffer(client_ca));
    context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
  }
  return [context](boost::asio::ip::tcp::socket socket) {
    return std::make_unique<TlsPeer>(std::move(socket), context);
  };
}

}  // namespace spotkeeper::http
