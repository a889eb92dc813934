"""Makes a C++ file of a text: embed.py TEXT FUNCTION OUTPUT. std::string_view FUNCTION() is the text."""
import sys

text, function, output = sys.argv[1:]
with open(text, encoding="utf-8") as source, open(output, "w", encoding="utf-8") as made:
    space, name = function.rsplit("::", 1)
    made.write(f'#include <string_view>\n\nnamespace {space} {{\nstd::string_view {name}() {{\n  return R"text(')
    made.write(source.read())
    made.write(')text";\n}\n}\n')
