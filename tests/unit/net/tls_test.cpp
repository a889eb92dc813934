// TLS without sockets: our session against OpenSSL's server side, byte by byte.
#include "fnkit/net/tls.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <vector>

namespace fnkit {
namespace {

// A key and a certificate for `names` ("DNS:cache,IP:127.0.0.1") that it has signed itself.
struct Identity {
  explicit Identity(const char* names, int days = 1)
      : key(EVP_EC_gen("P-256")), certificate(X509_new()) {
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -2 * 86'400);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86'400L * days);
    X509_set_pubkey(certificate, key);
    const auto* organisation = reinterpret_cast<const unsigned char*>("test");
    X509_NAME* subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC, organisation, -1, -1, 0);
    X509_set_issuer_name(certificate, subject);
    X509_EXTENSION* alternative =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names);
    X509_add_ext(certificate, alternative, -1);
    X509_EXTENSION_free(alternative);
    X509_sign(certificate, key, EVP_sha256());
  }
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;
  ~Identity() {
    X509_free(certificate);
    EVP_PKEY_free(key);
  }

  EVP_PKEY* key;
  X509* certificate;
};

class TlsTest : public testing::Test {
 protected:
  TlsTest() {
    char name[] = "/tmp/fnkit-tls-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~TlsTest() override {
    free_server();
    std::filesystem::remove_all(folder_);
  }

  std::string file(const std::string& name) const { return folder_ + "/" + name + ".pem"; }
  void write_certificate(const Identity& identity, const std::string& name) const {
    std::FILE* out = std::fopen(file(name).c_str(), "w");
    PEM_write_X509(out, identity.certificate);
    std::fclose(out);
  }
  void write_key(const Identity& identity, const std::string& name,
                 const EVP_CIPHER* cipher = nullptr) const {
    std::FILE* out = std::fopen(file(name).c_str(), "w");
    auto* secret = reinterpret_cast<const unsigned char*>("secret");
    PEM_write_PrivateKey(out, identity.key, cipher, cipher ? secret : nullptr, cipher ? 6 : 0,
                         nullptr, nullptr);
    std::fclose(out);
  }

  // A server that shows `identity`, and our session for `host` that believes it.
  void begin(const Identity& identity, const std::string& host, int version = TLS1_3_VERSION) {
    free_server();
    context_ = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_max_proto_version(context_, version);
    SSL_CTX_use_certificate(context_, identity.certificate);
    SSL_CTX_use_PrivateKey(context_, identity.key);
    server_ = SSL_new(context_);
    SSL_set_bio(server_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(server_);
    write_certificate(identity, "ca");
    net::TlsFiles files = files_;
    files.ca = file("ca");
    auto loaded = net::TlsContext::load(files);
    ASSERT_TRUE(loaded) << loaded.error().message;
    session_ = std::make_unique<net::TlsSession>(**loaded, host);
  }

  void free_server() {
    SSL_free(std::exchange(server_, nullptr));
    SSL_CTX_free(std::exchange(context_, nullptr));
  }
  void to_server() {
    const std::string bytes = session_->take_output();
    if (!bytes.empty()) BIO_write(SSL_get_rbio(server_), bytes.data(), int(bytes.size()));
  }
  std::string from_server() {
    std::string bytes(BIO_ctrl_pending(SSL_get_wbio(server_)), '\0');
    if (!bytes.empty()) BIO_read(SSL_get_wbio(server_), bytes.data(), int(bytes.size()));
    return bytes;
  }

  // Both sides until ours is established or fails; the server's bytes come in pieces.
  Result<void> shake_hands(size_t piece) {
    Result<void> step = session_->handshake();
    for (int turn = 0; turn < 10 && step && !session_->established(); ++turn) {
      to_server();
      SSL_do_handshake(server_);
      const std::string bytes = from_server();
      for (size_t at = 0; at < bytes.size() && step; at += piece) {
        session_->feed(std::string_view(bytes).substr(at, piece));
        step = session_->handshake();
      }
    }
    to_server();
    SSL_do_handshake(server_);
    ERR_clear_error();
    return step;
  }
  std::string refusal(const Identity& identity, const std::string& host) {
    begin(identity, host);
    Result<void> shaken = shake_hands(1000);
    return shaken ? "" : shaken.error().message;
  }
  std::string load_failure(const net::TlsFiles& files) const {
    auto loaded = net::TlsContext::load(files);
    return loaded ? "" : loaded.error().message;
  }

  std::string folder_;
  net::TlsFiles files_;
  SSL_CTX* context_ = nullptr;
  SSL* server_ = nullptr;
  std::unique_ptr<net::TlsSession> session_;
};

TEST_F(TlsTest, BytesGoBothWaysWhereverTheyAreCut) {
  const Identity identity("DNS:cache.example,IP:127.0.0.1");
  const std::string question(40'000, 'q');
  const std::string answer = std::string(70'000, 'a') + "end";
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const size_t piece : {size_t{1}, size_t{7}, size_t{100'000}}) {
      begin(identity, "cache.example", version);
      Result<void> shaken = shake_hands(piece);
      ASSERT_TRUE(shaken) << shaken.error().message;
      ASSERT_TRUE(session_->established());
      ASSERT_TRUE(session_->write(question));
      to_server();
      std::string asked(50'000, '\0');
      size_t got = 0;
      for (int count = 1; count > 0; got += count > 0 ? size_t(count) : 0) {
        count = SSL_read(server_, asked.data() + got, int(asked.size() - got));
      }
      EXPECT_EQ(asked.substr(0, got), question);
      SSL_write(server_, answer.data(), int(answer.size()));
      const std::string bytes = from_server();
      std::string told;
      for (size_t at = 0; at < bytes.size(); at += piece) {
        session_->feed(std::string_view(bytes).substr(at, piece));
        Result<std::string> plain = session_->read();
        ASSERT_TRUE(plain) << plain.error().message;
        told += *plain;
      }
      EXPECT_EQ(told, answer);
    }
  }
}

TEST_F(TlsTest, TheEndOfTheSessionComesAfterWhatWasSaid) {
  begin(Identity("DNS:cache"), "cache");
  ASSERT_TRUE(shake_hands(1000));
  SSL_write(server_, "bye", 3);
  SSL_shutdown(server_);
  session_->feed(from_server());
  Result<std::string> last = session_->read();
  ASSERT_TRUE(last);
  EXPECT_EQ(*last, "bye");
  Result<std::string> end = session_->read();
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, ECONNRESET);
}

TEST_F(TlsTest, ACertificateMustBeForTheHost) {
  EXPECT_EQ(refusal(Identity("DNS:cache,IP:127.0.0.1"), "127.0.0.1"), "");
  EXPECT_NE(refusal(Identity("DNS:cache"), "cache2").find("hostname mismatch"), std::string::npos);
  EXPECT_NE(refusal(Identity("IP:127.0.0.1"), "127.0.0.2").find("IP address mismatch"),
            std::string::npos);
  EXPECT_EQ(refusal(Identity("DNS:*.our.example"), "cache.our.example"), "");
  EXPECT_NE(refusal(Identity("DNS:c*.our.example"), "cache.our.example"), "");
}

TEST_F(TlsTest, ACertificateMustBeBelievedAndInItsTime) {
  EXPECT_NE(refusal(Identity("DNS:cache", -1), "cache").find("expired"), std::string::npos);
  const Identity other("DNS:cache");
  begin(Identity("DNS:cache"), "cache");
  SSL_use_certificate(server_, other.certificate);
  SSL_use_PrivateKey(server_, other.key);
  Result<void> shaken = shake_hands(1000);
  ASSERT_FALSE(shaken);
  EXPECT_NE(shaken.error().message.find("not accepted"), std::string::npos);
}

TEST_F(TlsTest, AServerThatAsksIsShownTheCertificate) {
  const Identity ours("DNS:us");
  write_certificate(ours, "certificate");
  write_key(ours, "key");
  files_.certificate = file("certificate");
  files_.key = file("key");
  begin(Identity("DNS:cache"), "cache");
  SSL_set_verify(server_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                 [](int, X509_STORE_CTX*) { return 1; });
  ASSERT_TRUE(shake_hands(1000));
  X509* shown = SSL_get1_peer_certificate(server_);
  ASSERT_NE(shown, nullptr);
  EXPECT_EQ(X509_cmp(shown, ours.certificate), 0);
  X509_free(shown);
}

TEST_F(TlsTest, AServerThatAsksInVainSaysSo) {
  begin(Identity("DNS:cache"), "cache");
  SSL_set_verify(server_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  ASSERT_TRUE(shake_hands(1000));  // in TLS 1.3 our side is done before the server has judged
  session_->feed(from_server());
  Result<std::string> read = session_->read();
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, "it asks for a client certificate");
}

TEST_F(TlsTest, SomethingElseThanTlsIsSaidToBeSo) {
  begin(Identity("DNS:cache"), "cache");
  ASSERT_TRUE(session_->handshake());
  session_->feed("-ERR unknown command\r\n");
  Result<void> step = session_->handshake();
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().message, "it does not speak TLS");
}

TEST_F(TlsTest, FilesThatCannotBeUsedAreNamed) {
  const Identity ours("DNS:us");
  const Identity other("DNS:other");
  write_certificate(ours, "certificate");
  write_key(ours, "key");
  write_key(other, "other");
  write_key(ours, "locked", EVP_aes_128_cbc());
  const std::string certificate = file("certificate");
  EXPECT_EQ(load_failure({}), "");
  EXPECT_EQ(load_failure({certificate, certificate, file("key")}), "");
  EXPECT_EQ(load_failure({file("none"), {}, {}}),
            "the CA file '" + file("none") + "' cannot be used: No such file or directory");
  EXPECT_NE(load_failure({file("key"), {}, {}}), "");
  EXPECT_EQ(load_failure({{}, certificate, {}}), "a certificate without its key");
  EXPECT_EQ(load_failure({{}, {}, file("key")}), "a key without its certificate");
  EXPECT_NE(load_failure({{}, certificate, file("other")}).find("key file"), std::string::npos);
  EXPECT_NE(load_failure({{}, certificate, file("locked")}).find("key file"), std::string::npos);
}

}  // namespace
}  // namespace fnkit
