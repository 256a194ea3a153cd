"""A condition on the columns of a catalogue, as text: `group == 'BAG' and price < 20`.

Its grammar is a small part of Python's: comparisons of one column with constants, `in`, `and`, `or` and
`not`. The text is parsed and never run; it can name the columns, and nothing else.
"""

import ast
import operator
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import reduce

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.errors import RequestError
from intertask.options import arguments

LONGEST, MOST = 2_000, 300  # characters, and parts of a condition: parsing and evaluation recurse
NAMED = 30  # columns that a message names
WIDEST = 2**100  # of a number that ids are compared with
LIKE = "a condition on columns of the catalogue, as group == 'BAG' and price < 20"
# Text, where a backtick is one; or a column between backticks, whose name Python could not read.
_QUOTED = re.compile(r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|`([^`]+)`""")
ORDERS: dict[type[ast.cmpop], Callable[[pl.Series, pl.Series], pl.Series]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
MIRRORED = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE}

Constant = str | int | float | None


def matching(rows: pl.DataFrame, condition: object) -> NDArray[np.bool_]:
    """Which rows meet a condition, bool [rows]. A missing value equals nothing but None.

    Args:
        rows: A catalogue's rows: text, numbers and lists of text.
        condition: As text. Names with blanks stand between backticks. `'odd' in tags` looks for a tag,
            `'odd' in title` for a part of the text, `group in ['BAG', 'HAT']` for one of several,
            `price == None` for a missing value.

    Raises:
        RequestError: It is no condition, or names another column, or compares what cannot be compared.
    """
    tree, quoted = parsed(condition)
    return Condition(rows, quoted).truth(tree).to_numpy()


def parsed(condition: object) -> tuple[ast.expr, dict[str, str]]:
    """The tree of a condition, and which names in it stand for columns between backticks.

    Raises:
        RequestError: It is no condition.
    """
    text = arguments.word(condition, "where", LIKE, longest=sys.maxsize)
    if len(text) > LONGEST:
        raise RequestError("where", f"{LONGEST:,} characters at most", f"{len(text):,}", "pass ids to allow")
    names: list[str] = []

    def plain(match: re.Match[str]) -> str:
        if match[2] is None:
            return match[0]
        names.append(match[2])
        return f" column{len(names) - 1}_ "

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the parser, about a strange escape
            tree = ast.parse(_QUOTED.sub(plain, text).strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        hint = "write == for is equal" if re.search(r"[^=<>!]=[^=]", text) else ""
        raise RequestError("where", LIKE, arguments.shown(text), hint) from None
    if sum(not isinstance(node, ast.expr_context) for node in ast.walk(tree)) > MOST:
        raise RequestError("where", f"{MOST} parts at most", arguments.shown(text), "pass ids to allow")
    return tree, {f"column{place}_": name for place, name in enumerate(names)}


class Condition:
    """Evaluates the tree of a condition over rows."""

    hint = "name it in the recipe, [data.catalogue] categories or numbers, and train again"

    def __init__(self, rows: pl.DataFrame, quoted: dict[str, str]) -> None:
        self.rows, self.quoted = rows, quoted

    def truth(self, node: ast.expr) -> pl.Series:
        """Of each row, without nulls."""
        if isinstance(node, ast.BoolOp):
            join = operator.and_ if isinstance(node.op, ast.And) else operator.or_
            return reduce(join, [self.truth(value) for value in node.values])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return ~self.truth(node.operand)
        if isinstance(node, ast.Compare):
            return reduce(operator.and_, self.comparisons(node))
        return self.alone(node)

    def alone(self, node: ast.expr) -> pl.Series:
        """What is neither a comparison nor made of some."""
        raise refused(node)

    def comparisons(self, node: ast.Compare) -> Iterator[pl.Series]:
        """Of each row, for each sign of a chain."""
        sides = [node.left, *node.comparators]
        for left, sign, right in zip(sides, node.ops, sides[1:], strict=False):
            if isinstance(sign, ast.NotIn):
                yield ~self._contained(left, right)
            elif isinstance(sign, ast.In):
                yield self._contained(left, right)
            elif isinstance(left, ast.Name):
                yield self._compared(left, type(sign), constant(right))
            elif isinstance(right, ast.Name):
                yield self._compared(right, MIRRORED.get(type(sign), type(sign)), constant(left))
            else:
                raise refused(node)

    def _compared(self, name: ast.Name, sign: type[ast.cmpop], value: Constant) -> pl.Series:
        if sign in (ast.NotEq, ast.IsNot):
            return ~self._compared(name, ast.Eq, value)
        column = self.column(name)
        if value is None and sign in (ast.Eq, ast.Is):
            return column.is_null()
        compare = operator.eq if sign is ast.Eq else ORDERS.get(sign)
        if value is None or compare is None:
            raise refused(name)
        column, fits = fitting(column, value)
        return compare(column, fits).fill_null(False)

    def _contained(self, left: ast.expr, right: ast.expr) -> pl.Series:
        """`column in [constants]`, or `constant in column`."""
        if isinstance(left, ast.Name) and isinstance(right, ast.List | ast.Tuple | ast.Set):
            column, nothing = self.column(left), pl.repeat(False, self.rows.height, eager=True)
            values = [constant(value) for value in right.elts]
            found = [column.is_null() if v is None else _equal(*fitting(column, v)) for v in values]
            return reduce(operator.or_, found, nothing)
        value = constant(left)
        if not isinstance(right, ast.Name) or not isinstance(value, str):
            raise refused(right)
        return containing(self.column(right), value)

    def column(self, node: ast.Name) -> pl.Series:
        """The column of a name."""
        name = self.quoted.get(node.id, node.id)
        if name not in self.rows.columns:
            known = ", ".join(map(arguments.shown, self.rows.columns[:NAMED]))
            raise RequestError(
                "where",
                f"columns of the catalogue, {known}",
                arguments.shown(name),
                self.hint,
            )
        return self.rows.get_column(name)


def containing(column: pl.Series, value: str) -> pl.Series:
    """Rows whose tags hold a word, or whose text holds a part."""
    if column.dtype == pl.String:
        return column.str.contains(value, literal=True).fill_null(False)
    if isinstance(column.dtype, pl.List):
        return column.list.contains(value).fill_null(False)
    raise RequestError("where", f"text or tags in {column.name!r}", "numbers")


def constant(node: ast.expr) -> Constant:
    """The value that is written out."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = constant(node.operand)
        if isinstance(value, int | float):
            return -value
    if not isinstance(node, ast.Constant) or isinstance(node.value, bool):
        raise refused(node)
    # Half of a character, written '\ud800', is no text.
    if isinstance(node.value, str) and not arguments.is_text(node.value):
        raise RequestError("where", "text in Unicode", arguments.shown(node.value))
    if node.value is None or isinstance(node.value, str | int | float):
        return node.value
    raise refused(node)


def fitting(column: pl.Series, value: str | int | float) -> tuple[pl.Series, pl.Series]:
    """A column and a constant in the same type: ids as text, numbers as the catalogue has them."""
    if column.name == "item" and (
        isinstance(value, str) or column.dtype == pl.String
    ):  # 7 and "7" are one id
        return column.cast(pl.String), pl.Series([str(value)])
    if column.dtype.is_integer() and isinstance(value, int):  # ids, which may be unsigned
        return column.cast(pl.Int128), pl.Series([min(max(value, -WIDEST), WIDEST)], dtype=pl.Int128)
    if column.dtype == pl.String and isinstance(value, str):
        return column, pl.Series([value])
    if column.dtype == pl.Float32 and not isinstance(value, str):
        widest = float(np.finfo(np.float32).max)
        return column, pl.Series([float(min(max(value, -widest), widest))], dtype=pl.Float32)
    if column.dtype == pl.Float64 and not isinstance(value, str):
        widest = sys.float_info.max
        return column, pl.Series([float(min(max(value, -widest), widest))], dtype=pl.Float64)
    kind = {pl.String: "text", pl.Float64: "numbers", pl.Float32: "numbers", pl.Int64: "a whole number"}.get(
        type(column.dtype), "tags"
    )
    hint = f"write {value!r} in {column.name}" if kind == "tags" else ""
    raise RequestError("where", f"{kind} to compare with {column.name!r}", arguments.shown(value), hint)


def _equal(column: pl.Series, value: pl.Series) -> pl.Series:
    return (column == value).fill_null(False)


def refused(node: ast.expr) -> RequestError:
    """That a part of a condition is none."""
    return RequestError("where", LIKE, arguments.shown(ast.unparse(node)))
