#include "fnkit/net/tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "fnkit/net/address.hpp"

namespace fnkit::net {
namespace {

// What OpenSSL says of the error it met first, the innermost one, without codes and source files.
std::string reason_of_failure() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (ERR_SYSTEM_ERROR(code)) return std::strerror(ERR_GET_REASON(code));
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "unknown error";
}

Error unusable(std::string_view what, const std::string& file) {
  return Error{std::string(what) + " '" + file + "' cannot be used: " + reason_of_failure()};
}

Result<void> trust(SSL_CTX* context, const std::string& ca) {
  if (ca.empty()) {
    SSL_CTX_set_default_verify_paths(context);
    return {};
  }
  if (SSL_CTX_load_verify_file(context, ca.c_str()) == 1) return {};
  return unusable("the CA file", ca);
}

Result<void> identify(SSL_CTX* context, const TlsFiles& files) {
  if (files.certificate.empty() && files.key.empty()) return {};
  if (files.certificate.empty()) return Error{"a key without its certificate"};
  if (files.key.empty()) return Error{"a certificate without its key"};
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1) {
    return unusable("the certificate file", files.certificate);
  }
  // Fails as well where it is the key of another certificate.
  if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return unusable("the key file", files.key);
  }
  return {};
}

// A key with a passphrase: nobody is there to be asked for it.
int no_passphrase(char*, int, int, void*) { return -1; }

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }
void TlsSession::Free::operator()(ssl_st* session) const { SSL_free(session); }

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const TlsFiles& files) {
  ERR_clear_error();
  auto made = std::make_shared<TlsContext>();
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  INVARIANT(context != nullptr);
  made->context_.reset(context);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_default_passwd_cb(context, &no_passphrase);
  if (Result<void> trusted = trust(context, files.ca); !trusted) return trusted.error();
  if (Result<void> identified = identify(context, files); !identified) return identified.error();
  return std::shared_ptr<const TlsContext>(std::move(made));
}

TlsSession::TlsSession(const TlsContext& context, const std::string& host)
    : session_(SSL_new(context.context_.get())) {
  SSL* session = session_.get();
  INVARIANT(session != nullptr);
  SSL_set_bio(session, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(session);
  const bool is_address = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host.c_str()) == 1;
  if (!is_address) {
    SSL_set_tlsext_host_name(session, host.c_str());
    SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    INVARIANT(SSL_set1_host(session, host.c_str()) == 1);
  }
}

Result<void> TlsSession::handshake() {
  ERR_clear_error();
  const int outcome = SSL_do_handshake(session_.get());
  established_ = outcome == 1;
  if (established_ || SSL_get_error(session_.get(), outcome) == SSL_ERROR_WANT_READ) return {};
  return failure(outcome);
}

void TlsSession::feed(std::string_view received) {
  if (received.empty()) return;
  const int taken =
      BIO_write(SSL_get_rbio(session_.get()), received.data(), static_cast<int>(received.size()));
  INVARIANT(taken == static_cast<int>(received.size()));
}

Result<std::string> TlsSession::read() {
  std::string plain;
  std::array<char, 16 * 1024> piece;  // a record has no more
  while (true) {
    ERR_clear_error();
    const int outcome = SSL_read(session_.get(), piece.data(), static_cast<int>(piece.size()));
    if (outcome > 0) {
      plain.append(piece.data(), static_cast<size_t>(outcome));
      continue;
    }
    if (SSL_get_error(session_.get(), outcome) == SSL_ERROR_WANT_READ) return plain;
    if (!plain.empty()) return plain;  // the next call tells of the end
    return failure(outcome);
  }
}

Result<void> TlsSession::write(std::string_view plain) {
  if (plain.empty()) return {};
  ERR_clear_error();
  const int outcome = SSL_write(session_.get(), plain.data(), static_cast<int>(plain.size()));
  if (outcome == static_cast<int>(plain.size())) return {};
  return failure(outcome);
}

std::string TlsSession::take_output() {
  BIO* output = SSL_get_wbio(session_.get());
  std::string taken(BIO_ctrl_pending(output), '\0');
  if (!taken.empty()) BIO_read(output, taken.data(), static_cast<int>(taken.size()));
  return taken;
}

Error TlsSession::failure(int outcome) const {
  SSL* session = session_.get();
  const int kind = SSL_get_error(session, outcome);
  if (kind == SSL_ERROR_ZERO_RETURN) return Error{"it ended the TLS session", ECONNRESET};
  const long verified = SSL_get_verify_result(session);
  if (verified != X509_V_OK) {
    return Error{std::string("its certificate is not accepted: ") +
                 X509_verify_cert_error_string(verified)};
  }
  switch (ERR_GET_REASON(ERR_peek_error())) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG: return Error{"it does not speak TLS"};
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED: return Error{"it asks for a client certificate"};
    default: return Error{"TLS failed: " + reason_of_failure()};
  }
}

}  // namespace fnkit::net
