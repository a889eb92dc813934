#include "cli/commands.hpp"

#include <cerrno>
#include <fstream>
#include <iostream>
#include <iterator>

#include "fnkit/base/text.hpp"
#include "fnkit/json/quote.hpp"
#include "fnkit/pipeline/plan.hpp"
#include "fnkit/server/server.hpp"

namespace fnkit::cli {
namespace {

using server::kExitDone;
using server::kExitFailed;
using server::kExitForbidden;
using server::kExitUsage;

// What a command does with the store, as a task that leaves its result in `outcome`.
template <class T>
coro::Task<void> keep(coro::Task<Result<T>> task, store::Catalog& catalog, net::Resolver& resolver,
                      std::optional<Result<T>>& outcome) {
  outcome = co_await task;
  co_await catalog.close();
  co_await resolver.close();
}

// Runs `start(catalog)` to its end on a ring of its own. Nothing: the machine forbids io_uring.
template <class T, class Start>
std::optional<Result<T>> with_catalog(const store::Location& location, Start start) {
  auto ring = ring::make_kernel_ring();
  if (!ring) {
    fail(kExitForbidden, "io_uring is not available: " + ring.error().reason);
    return std::nullopt;
  }
  net::Resolver resolver(**ring, net::ResolverOptions());
  const std::unique_ptr<store::Catalog> catalog = store::make_catalog(location, **ring, resolver);
  std::optional<Result<T>> outcome;
  (*ring)->run(keep<T>(start(*catalog), *catalog, resolver, outcome));
  return outcome;
}

Result<std::string> read_text(const std::string& file) {
  if (file == "-") {
    return std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  }
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return Error::from_errno(errno, "cannot read '" + file + "'");
  std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (stream.bad()) return Error::from_errno(errno, "cannot read '" + file + "'");
  return text;
}

// As compile(), but keys that mean nothing are an error here: whoever writes a config is told of a
// slip of the pen, while a server lets newer configs pass.
Result<pipeline::Plan> compile_strictly(std::string_view config) {
  Result<pipeline::Plan> plan = pipeline::compile(config);
  if (!plan || plan->unknown_keys.empty()) return plan;
  return Error{pipeline::unknown_key(plan->unknown_keys.front())};
}

std::string config_of_steps(const AddArguments& arguments) {
  std::string config = R"({"mode":)";
  json::append_quoted(config, arguments.mode);
  config += R"(,"steps":[)";
  const std::vector<std::string_view> steps = split(arguments.steps, ',');
  for (size_t i = 0; i < steps.size(); ++i) {
    if (i > 0) config += ',';
    json::append_quoted(config, steps[i]);
  }
  return config + "]}";
}

std::string joined(const std::vector<std::string>& names, std::string_view separator) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += separator;
    text += name;
  }
  return text;
}

// A stored value as `ls` shows it.
struct Row {
  std::string name;
  std::string mode;
  std::vector<std::string> steps;
  std::string invalid;  // why it is no pipeline
};

Row row_of(const store::Stored& stored) {
  Row row{stored.name, {}, {}, stored.unreadable};
  if (!row.invalid.empty()) return row;
  Result<pipeline::Plan> plan = pipeline::compile(stored.config);
  if (!plan) {
    row.invalid = plan.error().message;
    return row;
  }
  row.mode = pipeline::mode_of(*plan);
  row.steps = pipeline::step_names(*plan);
  return row;
}

void print_json(const std::vector<Row>& rows) {
  std::string out = "[";
  for (const Row& row : rows) {
    out += out.size() > 1 ? ",\n {\"name\":" : "{\"name\":";
    json::append_quoted(out, row.name);
    if (!row.invalid.empty()) {
      out += ",\"error\":";
      json::append_quoted(out, row.invalid);
    } else {
      out += ",\"mode\":";
      json::append_quoted(out, row.mode);
      out += ",\"steps\":[";
      for (const std::string& step : row.steps) {
        if (&step != row.steps.data()) out += ',';
        json::append_quoted(out, step);
      }
      out += ']';
    }
    out += '}';
  }
  std::cout << out << "]\n";
}

void print_table(const std::vector<Row>& rows) {
  if (rows.empty()) {
    std::cout << "No pipelines are stored.\n";
    return;
  }
  size_t width = 4;
  for (const Row& row : rows) width = std::max(width, row.name.size());
  const auto print = [width](std::string_view name, std::string_view mode, std::string_view steps) {
    std::cout << name << std::string(width - name.size() + 2, ' ') << mode
              << std::string(12 - std::min<size_t>(mode.size(), 11), ' ') << steps << '\n';
  };
  print("NAME", "MODE", "STEPS");
  for (const Row& row : rows) {
    if (row.invalid.empty()) {
      print(row.name, row.mode, joined(row.steps, row.mode == "parallel" ? ", " : " -> "));
    } else {
      print(row.name, "invalid", row.invalid);
    }
  }
}

int not_found(const std::string& name) { return fail(kExitFailed, "Pipeline not found: " + name); }

Result<void> check_name(const std::string& name) {
  if (pipeline::is_pipeline_name(name)) return {};
  return Error{"'" + name + "' is no pipeline name: 1 to " +
               std::to_string(pipeline::kPipelineNameBytesMax) +
               " of A-Z a-z 0-9 and ._~:@!$&'()*+,;=-"};
}

}  // namespace

int fail(int exit_code, const std::string& message) {
  std::cerr << "fnkit-orchestrator: " << message << '\n';
  return exit_code;
}

int add(const store::Location& location, const AddArguments& arguments) {
  if (Result<void> name = check_name(arguments.name); !name) {
    return fail(kExitUsage, name.error().message);
  }
  std::string config = config_of_steps(arguments);
  if (!arguments.file.empty()) {
    Result<std::string> text = read_text(arguments.file);
    if (!text) return fail(kExitFailed, text.error().message);
    config = std::move(*text);
  }
  Result<pipeline::Plan> plan = compile_strictly(config);
  if (!plan) return fail(kExitFailed, arguments.name + ": " + plan.error().message);
  if (pipeline::step_names(*plan).empty()) {
    return fail(kExitFailed, arguments.name + ": Pipeline has no steps");
  }
  auto stored = with_catalog<void>(
      location, [&](store::Catalog& catalog) { return catalog.put(arguments.name, config); });
  if (!stored) return kExitForbidden;
  if (!*stored) return fail(kExitFailed, stored->error().message);
  std::cout << "Pipeline stored: " << arguments.name << " (" << pipeline::mode_of(*plan) << ": "
            << joined(pipeline::step_names(*plan), ", ") << ")\n";
  return kExitDone;
}

int list(const store::Location& location, bool as_json) {
  auto stored = with_catalog<std::vector<store::Stored>>(
      location, [](store::Catalog& catalog) { return catalog.list(); });
  if (!stored) return kExitForbidden;
  if (!*stored) return fail(kExitFailed, stored->error().message);
  std::vector<Row> rows;
  for (const store::Stored& each : **stored) rows.push_back(row_of(each));
  if (as_json) {
    print_json(rows);
  } else {
    print_table(rows);
  }
  return kExitDone;
}

int show(const store::Location& location, const std::string& name) {
  auto stored = with_catalog<std::optional<store::Stored>>(
      location, [&](store::Catalog& catalog) { return catalog.get(name); });
  if (!stored) return kExitForbidden;
  if (!*stored) return fail(kExitFailed, stored->error().message);
  const std::optional<store::Stored>& found = **stored;
  if (!found) return not_found(name);
  if (!found->unreadable.empty()) return fail(kExitFailed, name + ": " + found->unreadable);
  std::cout << found->config << (found->config.ends_with('\n') ? "" : "\n");
  return kExitDone;
}

int remove(const store::Location& location, const std::string& name) {
  auto removed =
      with_catalog<bool>(location, [&](store::Catalog& catalog) { return catalog.remove(name); });
  if (!removed) return kExitForbidden;
  if (!*removed) return fail(kExitFailed, removed->error().message);
  if (!**removed) return not_found(name);
  std::cout << "Pipeline removed: " << name << '\n';
  return kExitDone;
}

int check(const std::vector<std::string>& files) {
  int exit_code = kExitDone;
  for (const std::string& file : files) {
    Result<std::string> text = read_text(file);
    if (!text) {
      exit_code = fail(kExitFailed, text.error().message);
      continue;
    }
    Result<pipeline::Plan> plan = compile_strictly(*text);
    if (!plan) {
      exit_code = fail(kExitFailed, file + ": " + plan.error().message);
    } else if (pipeline::step_names(*plan).empty()) {
      exit_code = fail(kExitFailed, file + ": Pipeline has no steps");
    } else {
      std::cout << file << ": valid (" << pipeline::mode_of(*plan) << ", "
                << pipeline::step_names(*plan).size() << " steps)\n";
    }
  }
  return exit_code;
}

}  // namespace fnkit::cli
