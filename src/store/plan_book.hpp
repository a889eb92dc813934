// What is known of every name: readings in, snapshots out. No I/O.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fnkit/store/store.hpp"

namespace fnkit::store {

// What one look at a name has found.
struct Reading {
  enum class Kind {
    absent,
    config,      // `text` is the stored value
    unreadable,  // `text` says why there is no config: a wrong type, too large …
  };
  Kind kind = Kind::absent;
  std::string text;

  bool operator==(const Reading&) const = default;
};

// One that has more bytes than a config may have.
Reading too_large();

// Compares readings with what was known, compiles what is new, and publishes a snapshot where
// something changed. The snapshot is all it knows, but for what is not published yet. Names that no
// pipeline can have are left out, which is said once a name. Keeps `pipelines`, `invalid`,
// `some_invalid` and `loaded` of the status.
class PlanBook {
 public:
  // Of one publish(), logged one by one; above it, as a sum.
  static constexpr size_t kChangesLoggedMax = 32;

  PlanBook(SnapshotSink& sink, FollowerStatus& status) : sink_(sink), status_(status) {}

  // `reading` is what stands under `name` now. In force with the next publish().
  void read(const std::string& name, const Reading& reading);

  // Ends a batch of readings: publishes what they changed, if they did. The first one says that
  // everything has been read, and publishes in any case.
  void publish();

  // Whether something is known to be stored under `name`.
  bool knows(std::string_view name) const { return known(name) != nullptr; }
  // The known names of one of Snapshot::kParts parts.
  std::vector<std::string> names(size_t part) const;

 private:
  bool is_taken(const std::string& name);
  const Entry* known(std::string_view name) const;
  void change(const std::string& name, std::shared_ptr<const Entry> entry);
  void log_changes(bool each) const;
  void tell_invalid();

  SnapshotSink& sink_;
  FollowerStatus& status_;
  std::set<std::string, std::less<>> ignored_;  // names that were warned of
  std::shared_ptr<const Snapshot> snapshot_ = std::make_shared<const Snapshot>();
  // Not published yet; null: it is gone.
  std::map<std::string, std::shared_ptr<const Entry>, std::less<>> changes_;
  std::set<std::string, std::less<>> invalid_;
};

}  // namespace fnkit::store
