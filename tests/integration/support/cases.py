"""Tables of cases as tests: one method a row, named after the row."""

import re


def rows(table):
    """Decorates `def check(self, *row)`; with expand(), each key of the table becomes a test."""

    def mark(function):
        function.rows = table
        return function

    return mark


def expand(cls):
    """Class decorator: replaces each method marked by @rows by one test method for each row."""
    for name, function in list(vars(cls).items()):
        table = getattr(function, "rows", None)
        if table is None:
            continue
        delattr(cls, name)
        stem = re.sub(r"^(test_)?", "test_", name)
        for row_name, row in table.items():
            slug = re.sub(r"[^A-Za-z0-9]+", "_", row_name).strip("_")
            setattr(cls, f"{stem}_{slug}", _bind(function, row))
    return cls


def _bind(function, row):
    row = row if isinstance(row, tuple) else (row,)  # a list is one argument

    def test(self):
        return function(self, *row)

    return test
