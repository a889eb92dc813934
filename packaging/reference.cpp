// Prints the command line in the form that its argument names, for the package.
#include "fnkit/cli/reference.hpp"

#include <iostream>

int main(int argc, char** argv) {
  const auto text = fnkit::cli::reference(argc == 2 ? argv[1] : "");
  if (!text) {
    std::cerr << "usage: reference commands|settings|defaults|bash|zsh|fish\n";
    return 2;
  }
  std::cout << *text;
  return 0;
}
