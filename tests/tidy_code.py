"""Reads C++ as text, for tests/tidy: what is comment, what is code, where functions begin and end.

A reader of brackets, not a parser: it knows the shapes that this repository is written in.
"""
import re
from bisect import bisect_right

TOKENS = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.DOTALL)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
LAMBDA = re.compile(r"(?<!operator)(?<!delete)\[[^\[\]]*\]\s*(?=[({])")
SPECIFIERS = re.compile(r"(?:\s|mutable|noexcept|constexpr|->[^;{}()=]*)*(?=\{)")


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


class Source:
    """One file: its text, and its code with comments, strings and directives blanked in place."""

    def __init__(self, path, text):
        self.path, self.text = path, text
        self.lines = text.splitlines()
        self.code = text if path.endswith(".py") else TOKENS.sub(blank, text)
        self.plain = DIRECTIVE.sub(blank, self.code)
        self.starts = [0] + [match.end() for match in re.finditer("\n", text)]
        parts = path.split("/")
        self.cpp = path.endswith((".cpp", ".hpp"))
        self.public = parts[0] == "include"
        self.shipped = parts[0] in ("include", "src")
        at = 2 if self.public else 1
        self.room = parts[at] if self.shipped and len(parts) > at + 1 else None

    def line(self, offset):
        return bisect_right(self.starts, offset)

    def fault(self, offset, what):
        return f"{self.path}:{self.line(offset)}: {what}"


def close_of(text, start):
    """The offset of the bracket that closes the one at start, or the text's length."""
    pairs = {"(": ")", "{": "}", "[": "]"}
    opening, depth = text[start], 0
    for offset in range(start, len(text)):
        if text[offset] == opening:
            depth += 1
        elif text[offset] == pairs[opening]:
            depth -= 1
            if depth == 0:
                return offset
    return len(text)


def without_brackets(text):
    while True:
        shorter = re.sub(r"\([^()]*\)", " @ ", text)
        shorter = re.sub(r"\btemplate\s*<[^<>]*>|<[^<>]*>|\[\[[^\]]*\]\]", " ", shorter)
        if shorter == text:
            return text.strip()
        text = shorter


def brace_kind(head):
    """What the brace after this text opens: a container, a function, a member's value, or else."""
    bare = without_brackets(re.sub(r"\b(?:public|private|protected)\s*:(?!:)", " ", head))
    bare = re.sub(r"^\s*template\s+", "", bare)
    if re.search(r"@\s*(?:noexcept\s*)?:(?!:)", bare) and not re.search(r"[@}]\s*$", bare):
        return "value"  # Foo(int a) : a_{a}, …: the body is still to come
    if re.match(r"(inline\s+)?(namespace|extern)\b", bare):
        return "container"
    # `struct sqe* next() {` begins like a type and is none.
    if re.match(r"(class|struct|union|enum)\b", bare) and not re.search(
            r"@(const|noexcept|override|final|&|\s)*$", bare):
        return "container"
    if "@" in bare and not bare.endswith("="):
        return "function"
    return "other"


LABELS = re.compile(r"\s*((public|private|protected)\s*:\s*)*")


def functions(plain):
    """Yields (start, end) of each function; lambdas and types inside one belong to it."""
    begin = offset = 0
    while offset < len(plain):
        letter = plain[offset]
        if letter in "([":
            offset = close_of(plain, offset)
        elif letter in ";}":
            begin = offset + 1
        elif letter == "{":
            head = plain[begin:offset]
            kind = brace_kind(head)
            if kind == "container":
                begin = offset + 1
            else:
                end = close_of(plain, offset)
                if kind == "function":
                    yield begin + LABELS.match(head).end(), end
                    begin = end + 1
                offset = end
        offset += 1


AWAIT = re.compile(r"(?<!operator )\bco_await\b")
CONTROL = re.compile(r"\s*(?:else\b|do\b|case\b(?:[^:?]|::)*:(?!:)|default\s*:"
                     r"|(?:if|while|for|switch)\s*(?:constexpr\s*)?(?=\())")
AWAIT_FORM = re.compile(r"\s*(?:co_return\s+|[^=()?]*[\w\])>&*]\s*=\s*)?$")


def statement_start(plain, offset):
    """Where the statement around offset starts, or None where it stands inside brackets."""
    depth = 0
    while offset > 0:
        letter = plain[offset - 1]
        if letter in ")]":
            depth += 1
        elif letter in "([":
            if depth == 0:
                return None
            depth -= 1
        elif letter in ";{}" and depth == 0:
            return offset
        offset -= 1
    return 0


def without_control(text):
    """The text less `if (…)`, `else` and the like before it: they are statements of their own."""
    while match := CONTROL.match(text):
        rest = text[match.end():]
        text = rest[close_of(rest, 0) + 1:] if rest.startswith("(") else rest
    return text


def await_fault(plain, offset):
    start = statement_start(plain, offset)
    if start is None:
        return "co_await inside a condition or a call's arguments; name its result in a line before"
    before = without_control(plain[start:offset])
    end = plain.find(";", offset)
    operand = plain[offset + len("co_await"):end if end >= 0 else len(plain)]
    if "?" in before + operand:
        return "co_await in ?:; write if and else"
    if re.search(r"\bauto\s*&{0,2}\s*\[", before):
        return "a structured binding straight from co_await; name the result first"
    if re.search(r"[{}]", operand):
        return "a braced temporary or lambda in a co_await line; name it in a line before"
    if not AWAIT_FORM.match(before):
        return "co_await inside an expression; write `co_await x;`, `T y = co_await x;` or " \
               "`co_return co_await x;`"
    return None


def coroutine_lambdas(plain):
    """Yields where each lambda begins that awaits, returns or yields as a coroutine."""
    end = 0
    for match in LAMBDA.finditer(plain):
        at = match.end()
        if match.start() < end:
            continue
        if plain[at] == "(":
            at = close_of(plain, at) + 1
        specifiers = SPECIFIERS.match(plain, at)
        if not specifiers:
            continue
        close = close_of(plain, specifiers.end())
        if re.search(r"\bco_(await|return|yield)\b", plain[specifiers.end():close]):
            end = close
            yield match.start()
