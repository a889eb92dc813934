#include "fnkit/http/request_writer.hpp"

#include <string>

namespace fnkit::http {

void RequestWriter::begin(std::string_view method, std::string_view path, std::string_view query,
                          std::string_view host) {
  out_.append(method);
  out_.append(" ");
  out_.append(path);
  out_.append(query);
  out_.append(" HTTP/1.1");
  field("host", host);
}

void RequestWriter::field(std::string_view name, std::string_view value) {
  out_.append("\r\n");
  out_.append(name);
  out_.append(": ");
  out_.append(value);
}

std::string_view RequestWriter::end(std::string_view method, uint64_t body_bytes) {
  const bool expects_body = method == "POST" || method == "PUT" || method == "PATCH";
  if (body_bytes > 0 || expects_body) field("content-length", std::to_string(body_bytes));
  out_.append("\r\n\r\n");
  return out_.view();
}

std::string_view RequestWriter::end_chunked() {
  out_.append("\r\ntransfer-encoding: chunked\r\n\r\n");
  return out_.view();
}

}  // namespace fnkit::http
