// The main job with nothing else installed: sample functions, an embedded store, two pipelines.
#pragma once

#include "cli/serve_options.hpp"

namespace fnkit::cli {

// Serves the documented pipelines until a signal; with `once` makes the documented calls itself,
// prints them and ends: 0 when every answer was right. `flags` may hold "--listen".
int demo(FlagValues flags, bool once);

}  // namespace fnkit::cli
