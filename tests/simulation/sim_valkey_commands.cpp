// The commands of SimValkey.
#include <cstdlib>

#include "simulation/resp.hpp"
#include "simulation/sim_valkey.hpp"

namespace fnkit::test {
namespace {

// Where nothing stands for an argument, the word that is no key, no name and no number.
const std::string& word(const std::vector<std::string>& words, size_t i) {
  static const std::string kNone;
  return i < words.size() ? words[i] : kNone;
}

std::string upper(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

bool reads_data(const std::string& name) {
  return name == "SCAN" || name == "GETRANGE" || name == "GET" || name == "EXISTS";
}

}  // namespace

std::string SimValkey::answer_to(SimValkeyClient& client, const Words& words) {
  const std::string name = upper(words[0]);
  if (const std::string refused = refusal_of(client, name); !refused.empty()) {
    return resp::error(refused);
  }
  if (name == "SUBSCRIBE" || name == "PSUBSCRIBE") return subscribe(client, name, words);
  if (client.subscribed()) {
    if (name == "PING") return resp::array({resp::bulk("pong"), resp::bulk("")});
    return resp::error("ERR Can't execute '" + words[0] +
                       "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are "
                       "allowed in this context");
  }
  if (name == "AUTH") return log_in(client, words);
  if (name == "PING") return resp::simple("PONG");
  if (name == "CONFIG") return config(words);
  if (name == "CLIENT") return client_command(client, words);
  if (name == "SCAN") return scan(client, words);
  if (reads_data(name)) {
    std::string answer = read(client, name, words);
    flicker(client.database, word(words, 1));
    return answer;
  }
  if (name == "ROLE") {
    return resp::array({resp::bulk("master"), resp::integer(0), resp::array({})});
  }
  if (name == "SELECT") {
    client.database = static_cast<unsigned>(std::strtoul(word(words, 1).c_str(), nullptr, 10));
    return resp::simple("OK");
  }
  return resp::error("ERR unknown command '" + words[0] + "', with args beginning with: ");
}

// Empty: it is not refused.
std::string SimValkey::refusal_of(const SimValkeyClient& client, const std::string& name) {
  const bool logged_in = manners_.password.empty() || client.logged_in;
  if (name == "AUTH") return {};
  if (!logged_in || refusal_.starts_with("NOAUTH")) return "NOAUTH Authentication required.";
  if (refusal_.starts_with("BUSY") || manners_.busy_times > 0) {
    if (manners_.busy_times > 0) --manners_.busy_times;
    return "BUSY Redis is busy running a script.";
  }
  const bool meant = reads_data(name) || name == "PING";
  return meant ? refusal_ : std::string();
}

std::string SimValkey::log_in(SimValkeyClient& client, const Words& words) {
  if (manners_.password.empty() || words.back() != manners_.password) {
    return resp::error("WRONGPASS invalid username-password pair or user is disabled.");
  }
  client.logged_in = true;
  return resp::simple("OK");
}

std::string SimValkey::config(const Words& words) {
  const std::string verb = upper(word(words, 1));
  if (manners_.refuses_config) {
    return resp::error("NOPERM User default has no permissions to run the 'config' command");
  }
  if (word(words, 2) != "notify-keyspace-events") return resp::array({});
  if (verb == "GET") return resp::array({resp::bulk(words[2]), resp::bulk(flags_)});
  flags_ = word(words, 3);
  return resp::simple("OK");
}

std::string SimValkey::client_command(SimValkeyClient& client, const Words& words) {
  const std::string verb = upper(word(words, 1));
  if (verb == "ID") return resp::integer(client.id);
  if (verb != "TRACKING") return resp::error("ERR unknown subcommand '" + verb + "'.");
  if (manners_.refuses_tracking) {
    return resp::error(
        "NOPERM User default has no permissions to run the 'client|tracking' command");
  }
  const uint64_t target = std::strtoull(word(words, 4).c_str(), nullptr, 10);
  for (const SimValkeyClient* other : clients_) {
    if (other->id != target) continue;
    client.redirect = target;
    client.tracking_prefix = word(words, 7);
    return resp::simple("OK");
  }
  return resp::error("ERR The client ID you want redirect to does not exist");
}

std::string SimValkey::subscribe(SimValkeyClient& client, const std::string& name,
                                 const Words& words) {
  const bool by_pattern = name == "PSUBSCRIBE";
  (by_pattern ? client.patterns : client.channels).insert(word(words, 1));
  return resp::array({resp::bulk(by_pattern ? "psubscribe" : "subscribe"),
                      resp::bulk(word(words, 1)),
                      resp::integer(client.patterns.size() + client.channels.size())});
}

std::string SimValkey::scan(const SimValkeyClient& client, const Words& words) {
  const std::string& pattern = word(words, 3);
  const SimKeys::Page page = databases_[client.database].scan(
      std::strtoull(word(words, 1).c_str(), nullptr, 10), 1 + random_.below(manners_.page_keys),
      pattern.substr(0, pattern.find('*')), random_);
  std::vector<std::string> keys;
  for (const std::string& key : page.keys) keys.push_back(resp::bulk(key));
  return resp::array({resp::bulk(std::to_string(page.cursor)), resp::array(keys)});
}

std::string SimValkey::read(const SimValkeyClient& client, const std::string& name,
                            const Words& words) {
  const std::string& key = word(words, 1);
  come_across(client.database, key);
  const SimValue* value = find(client.database, key);
  if (name == "EXISTS") return resp::integer(value == nullptr ? 0 : 1);
  SimValue stale;
  if (const auto found = stale_.find({client.database, key}); found != stale_.end()) {
    stale = std::move(found->second);
    stale_.erase(found);
    value = &stale;
  }
  if (value == nullptr) return name == "GET" ? resp::nil() : resp::bulk("");
  if (!value->is_string) {
    return resp::error("WRONGTYPE Operation against a key holding the wrong kind of value");
  }
  if (name == "GET") return resp::bulk(value->text);
  const size_t last = std::strtoull(word(words, 3).c_str(), nullptr, 10);
  return resp::bulk(std::string_view(value->text).substr(0, last + 1));
}

void SimValkey::flicker(unsigned database, const std::string& key) {
  if (manners_.flickers == 0) return;
  --manners_.flickers;
  if (find(database, key) != nullptr) {
    remove(database, key, "del");
  } else {
    put(database, key, {R"({"steps":["flicker"]})", true, {"flicker"}}, {"set"});
  }
}

}  // namespace fnkit::test
