#include "fnkit/store/store.hpp"

#include "store/directory_catalog.hpp"
#include "store/directory_follower.hpp"
#include "store/valkey_catalog.hpp"
#include "store/valkey_follower.hpp"

namespace fnkit::store {

std::unique_ptr<Catalog> make_catalog(const Location& location, ring::Ring& ring,
                                      net::Resolver& resolver) {
  if (location.kind == Location::Kind::directory) {
    return std::make_unique<DirectoryCatalog>(location);
  }
  return std::make_unique<ValkeyCatalog>(location, ring, resolver);
}

std::unique_ptr<Follower> make_follower(const Location& location, ring::Ring& ring,
                                        net::Resolver& resolver, SnapshotSink& sink,
                                        const FollowerOptions& options) {
  if (location.kind == Location::Kind::directory) {
    return std::make_unique<DirectoryFollower>(location, ring, sink, options);
  }
  return std::make_unique<ValkeyFollower>(location, ring, resolver, sink, options);
}

}  // namespace fnkit::store
