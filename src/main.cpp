#include "fnkit/cli/app.hpp"

int main(int argc, char** argv) { return fnkit::cli::run(argc, argv); }
