"""What documents say of the sources, held to what is there: links, files, the names in them, and the rooms."""
import re

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "docs/*.md", "bench/README.md")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
FILE = re.compile(r"(?:(?:src|include|tests|bench|packaging|docs)/[\w./-]*|[\w/]+\.(?:cpp|hpp|py|html))")
NAME = re.compile(r"(?:\w+::)*(~?\w+)(?:\(\))?")
TREES = ("src", "include", "tests", "bench", "packaging")


def anchor_of(heading):
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def link_faults(root, path, text):
    for target in LINK.findall(text):
        if re.match(r"\w+:", target):
            continue
        name, _, anchor = target.partition("#")
        to = (path.parent / name) if name else path
        if not to.exists():
            yield f"links to {target}, which is not there; mend the link"
        elif anchor and anchor not in map(anchor_of, re.findall(r"^#+ (.*)$", to.read_text(), re.M)):
            yield f"links to {target}, which has no such heading; mend the link"


def find(root, path, word):
    """The file or folder that `word` means, or None."""
    for base in (root, path.parent):
        if (base / word).exists():
            return base / word
    if "/" in word:
        return None
    return next((found for tree in TREES for found in sorted((root / tree).rglob(word))), None)


def file_faults(root, path, text):
    """In a row of a table, names stand behind the file that has them."""
    for line in text.splitlines():
        file = None
        for word in CODE.findall(line):
            if FILE.fullmatch(word):
                file = find(root, path, word)
                if file is None and "build" not in word:
                    yield f"names the file `{word}`, which is not there; mend the name"
            elif line.startswith("|") and file is not None and file.is_file() and (name := NAME.fullmatch(word)):
                if not re.search(rf"\b{name[1]}\b", file.read_text(errors="replace")):
                    yield f"says that `{word}` is in {file.relative_to(root)}; it is not: mend the row"


def room_faults(text, may_use):
    """The table "Where things are" against the include table."""
    rows = dict(re.findall(r"^\| `(\w+)`[^|]*\|[^|]*\| *([^|]*?) *\|$", text, re.M))
    for room, allowed in may_use.items():
        said = rows.get(room)
        if said is None:
            yield f"has no row for the room {room}; add one"
        elif said != "all below" and set(re.findall(r"\w+", said)) != set(allowed):
            yield f"says that {room} may use '{said}'; tests/tidy allows {', '.join(allowed)}"


def check(root, may_use):
    for pattern in DOCUMENTS:
        for path in sorted(root.glob(pattern)):
            text = path.read_text()
            faults = [*link_faults(root, path, text), *file_faults(root, path, text)]
            if path.name == "README.md" and path.parent == root:
                faults += room_faults(text, may_use)
            yield from (f"{path.relative_to(root)}:1: it {fault}" for fault in faults)
