// What a core wrote down, as a span to be exported.
#pragma once

#include "fnkit/observe/otlp.hpp"
#include "fnkit/observe/trace_log.hpp"
#include "fnkit/server/settings.hpp"

namespace fnkit::server {

observe::Span span_of(const observe::Record& record, const Settings& settings,
                      const observe::WallClock& clock);

}  // namespace fnkit::server
