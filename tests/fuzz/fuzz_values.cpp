// Values as people write them: flags, environment, CACHE_URL. The first byte says which.
#include "fnkit/cli/values.hpp"
#include "fnkit/net/address.hpp"
#include "fnkit/pipeline/plan.hpp"
#include "fnkit/server/step_url.hpp"
#include "fnkit/store/store.hpp"
#include "fuzz/fuzz.hpp"

namespace fnkit::fuzz {
namespace {

void read_address(std::string_view text) {
  const Result<net::Address> address = net::Address::parse(text);
  if (!address) return;
  const Result<net::Address> again = net::Address::parse(address->to_text());
  require(again && again->to_text() == address->to_text(), "an address is not what it says");
}

void read_host(std::string_view text) {
  const Result<net::HostPort> host = net::parse_host_port(text, 80);
  if (!host) return;
  const Result<net::HostPort> again = net::parse_host_port(host->to_text(), 0);
  require(again && *again == *host, "a host is not what it says");
}

void read_location(std::string_view text) {
  const Result<store::Location> location = store::parse_location(text);
  if (!location || location->password.size() < 4) return;
  const bool elsewhere = location->password == location->user ||
                         location->path.find(location->password) != std::string::npos;
  require(
      elsewhere || location->to_text().find(":" + location->password + "@") == std::string::npos,
      "a password is said");
}

void read_step_url(std::string_view text) {
  const Result<server::StepUrl> url = server::StepUrl::parse(text);
  if (!url) return;
  const server::StepUrl::Target target = url->target_of("step");
  require(target.port != 0 && !target.host.empty(), "a step's URL leads nowhere");
  require(target.path.find_first_of(std::string_view("\r\n \0", 4)) == std::string::npos,
          "a step's URL would break a request line");
}

}  // namespace
}  // namespace fnkit::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fnkit;
  if (size == 0) return 0;
  const std::string_view text = fuzz::text_of(data + 1, size - 1);
  switch (data[0] % 8) {
    case 0: {
      const Result<Duration> duration = cli::parse_duration(text);
      fuzz::require(!duration || *duration >= Duration::zero(), "a duration before it began");
      break;
    }
    case 1: {
      const Result<size_t> bytes = cli::parse_size(text);
      fuzz::require(!bytes || *bytes <= size_t{1} << 40, "a size beyond 1 TiB");
      break;
    }
    case 2: {
      const Result<size_t> count = cli::parse_count(text, 3);
      fuzz::require(!count || *count >= 3, "a count below the least");
      break;
    }
    case 3: fuzz::read_address(text); break;
    case 4: fuzz::read_host(text); break;
    case 5: fuzz::read_location(text); break;
    case 6: fuzz::read_step_url(text); break;
    default: {
      const Result<void> named = pipeline::check_step_name(text);
      fuzz::require(!named || text.find_first_of("/\r\n :@") == text.npos, "no name of a host");
      break;
    }
  }
  return 0;
}
