#include <algorithm>

#include "fnkit/base/text.hpp"
#include "fnkit/pipeline/plan.hpp"

namespace fnkit::pipeline {
namespace {

bool is_alphanumeric(char c) { return is_alpha(c) || is_digit(c); }

// A number as inet_aton(3) reads the parts of an address: decimal, octal or 0x… hexadecimal.
bool is_address_part(std::string_view label) {
  if (label.size() >= 2 && label[0] == '0' && ascii_lower(label[1]) == 'x') {
    const std::string_view digits = label.substr(2);
    return std::all_of(digits.begin(), digits.end(), [](char c) {
      return is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f');
    });
  }
  return std::all_of(label.begin(), label.end(), is_digit);
}

// True for every spelling that some resolver takes for an IPv4 address: 127.0.0.1, 0x7f.1,
// 2130706433, 127.1, 0177.0.0.1.
bool spells_an_address(std::string_view name) {
  const std::vector<std::string_view> labels = split(name, '.');
  return std::all_of(labels.begin(), labels.end(), is_address_part);
}

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

bool is_pipeline_name(std::string_view name) {
  constexpr std::string_view kSpecial = "._~:@!$&'()*+,;=-";
  return !name.empty() && name.size() <= kPipelineNameBytesMax &&
         std::all_of(name.begin(), name.end(), [=](char c) {
           return is_alphanumeric(c) || kSpecial.find(c) != std::string_view::npos;
         });
}

Result<void> check_step_name(std::string_view name) {
  if (name.empty()) return Error{"a step name is empty"};
  const std::string quoted = "step '" + std::string(name.substr(0, kStepNameBytesMax)) + "'";
  if (name.size() > kStepNameBytesMax) {
    return Error{quoted + "… is longer than " + std::to_string(kStepNameBytesMax) + " bytes"};
  }
  const bool allowed =
      is_alphanumeric(name.front()) && std::all_of(name.begin(), name.end(), [](char c) {
        return is_alphanumeric(c) || c == '_' || c == '.' || c == '-';
      });
  if (!allowed) {
    return Error{quoted +
                 " is no function name: letters, digits, '_', '.' and '-', the first a "
                 "letter or digit"};
  }
  if (spells_an_address(name)) return Error{quoted + " spells an IP address"};
  return {};
}

std::string_view nearest_key(std::string_view key) {
  static constexpr std::string_view kKeys[] = {"mode", "steps", "fn", "pipelining", "idempotent"};
  std::string_view nearest;
  size_t best = std::max<size_t>(key.size() / 2, 1) + 1;
  for (const std::string_view known : kKeys) {
    const size_t distance = edit_distance(key, known);
    if (distance < best) {
      best = distance;
      nearest = known;
    }
  }
  return nearest;
}

std::string unknown_key(std::string_view key) {
  std::string text = "unknown key \"" + std::string(key) + "\"";
  if (const std::string_view nearest = nearest_key(key); !nearest.empty()) {
    text += ", did you mean \"" + std::string(nearest) + "\"?";
  }
  return text;
}

}  // namespace fnkit::pipeline
