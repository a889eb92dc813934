// The command line.
#pragma once

namespace fnkit::cli {

// Reads the command line, runs the command, yields the exit code (server::kExit…).
// "gateway orchestrate" before a command is skipped, so that FnKit's documented commands work.
int run(int argc, char** argv);

}  // namespace fnkit::cli
