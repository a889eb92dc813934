// TLS for connections that this program opens, as bytes in and bytes out, without I/O.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "fnkit/base/result.hpp"

// OpenSSL's, seen by src/net alone.
struct ssl_st;
struct ssl_ctx_st;

namespace fnkit::net {

// Files in PEM. The certificate and its key are both given or neither.
struct TlsFiles {
  std::string ca;           // whom to believe; empty: whom the system believes
  std::string certificate;  // to show to a server that asks, with its chain
  std::string key;
};

// What sessions have in common.
class TlsContext {
 public:
  // Reads the files; the error names the one that cannot be used.
  static Result<std::shared_ptr<const TlsContext>> load(const TlsFiles& files);

 private:
  friend class TlsSession;
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  std::unique_ptr<ssl_ctx_st, Free> context_;
};

// One connection's, of TLS 1.2 or 1.3: what the peer sent goes in with feed(), what it must be sent
// comes out of take_output(), to be asked for after every call. The server's certificate must be
// valid for `host`, a name or an IP address (RFC 9525). One thread.
//
// 1. handshake() at once and after each feed(), until established().
// 2. write() and read() as they are needed.
// After an error the connection is of no use any more; what take_output() has then tells the peer.
class TlsSession {
 public:
  TlsSession(const TlsContext& context, const std::string& host);

  Result<void> handshake();
  bool established() const { return established_; }

  void feed(std::string_view received);
  // All of what can be decrypted by now. ECONNRESET where the peer has ended it.
  Result<std::string> read();
  Result<void> write(std::string_view plain);
  std::string take_output();

 private:
  Error failure(int outcome) const;

  struct Free {
    void operator()(ssl_st* session) const;
  };
  std::unique_ptr<ssl_st, Free> session_;
  bool established_ = false;
};

}  // namespace fnkit::net
