"""Conditions that name what surrounds a request as well: `brand == user.brand and age_days(released) < 30`.

The language is that of `condition.py`, and more: `user.NAME` and the like, `has(NAME)`, `age_days(NAME)`, and
columns of yes and no, which stand alone or are compared with `True` and `False`.
"""

import ast
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.answering.condition import (
    LIKE,
    MIRRORED,
    ORDERS,
    Condition,
    Constant,
    constant,
    containing,
    fitting,
    parsed,
    refused,
)
from intertask.errors import RequestError
from intertask.options import arguments

DAY_SECONDS = 86_400.0
_HOLDING: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}

Value = Constant | bool | Sequence[str]


@dataclass(frozen=True)
class Around:
    """What surrounds a request, for conditions that name more than columns.

    Args:
        values: What stands before the dot (`user`), and what behind it (`brand`), with its value. One that is
            missing, or of another kind than what it is compared with, equals nothing.
        moment: Seconds since 1970, from which `age_days` counts.
        hint: What to do about a column that is not there.
    """

    values: Mapping[str, Mapping[str, Value]]
    moment: float
    hint: str = ""


@dataclass(frozen=True)
class _Fixed:
    """A value that is the same for all rows.

    Args:
        value: It; None where what surrounds the request has none.
        named: Whether it was named, and not written out.
    """

    value: Value
    named: bool


def matching_around(rows: pl.DataFrame, condition: object, around: Around) -> NDArray[np.bool_]:
    """Which rows meet a condition, bool [rows]. A missing value equals nothing but None.

    Args:
        rows: Text, numbers, yes and no, and lists of text.
        condition: As text.
        around: What it may name besides columns.

    Raises:
        RequestError: It is no condition, or names another column, or compares what cannot be compared.
    """
    tree, quoted = parsed(condition)
    return _Surrounded(rows, quoted, around).truth(tree).to_numpy()


class _Surrounded(Condition):
    """Evaluates the tree of a condition over rows and around them."""

    def __init__(self, rows: pl.DataFrame, quoted: dict[str, str], around: Around) -> None:
        super().__init__(rows, quoted)
        self.around, self.hint = around, around.hint

    def comparisons(self, node: ast.Compare) -> Iterator[pl.Series]:
        """Of each row, for each sign of a chain."""
        sides = [node.left, *node.comparators]
        for left, sign, right in zip(sides, node.ops, sides[1:], strict=False):
            yield self._surrounded(left, sign, right)

    def alone(self, node: ast.expr) -> pl.Series:
        """A column of yes and no, a value of that kind, or `has(...)`."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "has":
            if len(node.args) != 1 or node.keywords:
                raise refused(node)
            found = self._side(node.args[0])
            if isinstance(found, pl.Series):
                return _present(found)
            if found.named:
                return self._all(found.value is not None)
            raise refused(node)
        if isinstance(node, ast.Name | ast.Attribute):
            side = self._side(node)
            if isinstance(side, _Fixed):
                return self._all(side.value is True)
            if side.dtype == pl.Boolean:
                return side.fill_null(False)
        raise refused(node)

    def _all(self, truth: bool) -> pl.Series:
        return pl.repeat(truth, self.rows.height, eager=True, dtype=pl.Boolean)

    def _side(self, node: ast.expr) -> "pl.Series | _Fixed":
        """A side of a comparison, where a request surrounds it."""
        if isinstance(node, ast.Name):
            return self.column(node)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            known = self.around.values.get(node.value.id)
            if known is None:
                expected = " or ".join(f"{name}.NAME" for name in self.around.values) or "columns"
                raise RequestError("where", expected, arguments.shown(ast.unparse(node)))
            return _Fixed(known.get(self.quoted.get(node.attr, node.attr)), True)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "age_days":
            if len(node.args) != 1 or node.keywords or not isinstance(node.args[0], ast.Name):
                raise refused(node)
            return _age_days(self.column(node.args[0]), self.around.moment)
        if isinstance(node, ast.Constant) and isinstance(node.value, bool):
            return _Fixed(node.value, False)
        return _Fixed(constant(node), False)

    def _surrounded(self, left: ast.expr, sign: ast.cmpop, right: ast.expr) -> pl.Series:
        """A comparison that may name what surrounds the request."""
        if isinstance(sign, ast.NotIn | ast.NotEq | ast.IsNot):
            same = {ast.NotIn: ast.In, ast.NotEq: ast.Eq, ast.IsNot: ast.Is}[type(sign)]()
            return ~self._surrounded(left, same, right)
        one = self._side(left)
        if isinstance(right, ast.List | ast.Tuple | ast.Set):
            others = [self._side(value) for value in right.elts]
            if not isinstance(sign, ast.In):
                raise refused(right)
            return reduce(operator.or_, [self._equal(one, other) for other in others], self._all(False))
        other = self._side(right)
        if isinstance(sign, ast.In):
            return self._within(one, other, right)
        if isinstance(one, _Fixed) and isinstance(other, _Fixed):
            if not one.named and not other.named:
                raise refused(left)
            return self._all(_holds(one.value, sign, other.value))
        if isinstance(one, pl.Series) and isinstance(other, pl.Series):
            raise refused(left)
        if isinstance(one, pl.Series):
            assert isinstance(other, _Fixed)
            return self._fixed(one, type(sign), other, left)
        assert isinstance(other, pl.Series)
        return self._fixed(other, MIRRORED.get(type(sign), type(sign)), one, right)

    def _equal(self, one: "pl.Series | _Fixed", other: "pl.Series | _Fixed") -> pl.Series:
        if isinstance(other, _Fixed) and isinstance(one, pl.Series):
            return self._fixed(one, ast.Eq, other, None)
        if isinstance(other, _Fixed) and isinstance(one, _Fixed):
            return self._all(_holds(one.value, ast.Eq(), other.value))
        raise RequestError("where", LIKE, "a list of columns")

    def _within(self, one: "pl.Series | _Fixed", other: "pl.Series | _Fixed", node: ast.expr) -> pl.Series:
        """`'x' in column`, `column in user.list`, `user.x in column`, `'x' in user.list`."""
        if isinstance(other, pl.Series):
            if isinstance(one, pl.Series) or not isinstance(one.value, str):
                if isinstance(one, _Fixed) and one.named:
                    return self._all(False)
                raise refused(node)
            return containing(other, one.value)
        if not other.named:
            raise refused(node)
        if isinstance(other.value, str):
            part = one.value if isinstance(one, _Fixed) else None
            return self._all(isinstance(part, str) and part in other.value)
        values = other.value if isinstance(other.value, Sequence) else ()
        each = [self._equal(one, _Fixed(value, True)) for value in values]
        return reduce(operator.or_, each, self._all(False))

    def _fixed(
        self, column: pl.Series, sign: type[ast.cmpop], fixed: "_Fixed", node: ast.expr | None
    ) -> pl.Series:
        """A column compared with one value; a named one of another kind than the column's is never met."""
        value = fixed.value
        if fixed.named and (value is None or not isinstance(value, str | int | float)):
            return self._all(False)
        if isinstance(value, bool) or column.dtype == pl.Boolean:
            if not isinstance(value, bool) or column.dtype != pl.Boolean:
                if fixed.named or (value is None and sign in (ast.Eq, ast.Is)):
                    return column.is_null() if value is None else self._all(False)
                raise RequestError("where", f"a value of the kind of {column.name!r}", arguments.shown(value))
            if sign not in (ast.Eq, ast.Is):
                raise RequestError("where", f"== or != with {column.name!r}", "another comparison")
            return (column == value).fill_null(False)
        if value is None:
            if sign in (ast.Eq, ast.Is):
                return ~_present(column)
            raise RequestError("where", LIKE, "a comparison with None")
        assert isinstance(value, str | int | float)
        compare = operator.eq if sign in (ast.Eq, ast.Is) else ORDERS.get(sign)
        if compare is None:
            raise RequestError("where", LIKE, "another comparison")
        try:
            fitted, fits = fitting(column, value)
        except RequestError:
            if fixed.named:
                return self._all(False)
            raise
        return compare(fitted, fits).fill_null(False)


def _present(column: pl.Series) -> pl.Series:
    """Rows with a value; a list without a word is none."""
    if isinstance(column.dtype, pl.List):
        return (column.list.len() > 0).fill_null(False)
    return column.is_not_null()


def _age_days(column: pl.Series, moment: float) -> pl.Series:
    """Days since the times of a column: seconds since 1970, or text as 2026-12-01 or 2026-12-01T10:00:00Z."""
    if column.dtype.is_numeric():
        seconds = column.cast(pl.Float64)
    elif column.dtype == pl.String:
        plain = column.str.replace(r"[Zz]$", "").str.replace(r"([+-]\d\d:\d\d)$", "").str.replace(" ", "T")
        days = plain.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False).cast(pl.Float64) * DAY_SECONDS
        clock = plain.str.extract(r"T(\d\d:\d\d:\d\d)").str.to_time("%H:%M:%S", strict=False)
        offset = column.str.extract(r"T.*([+-]\d\d:\d\d)$")
        hours = offset.str.slice(0, 3).cast(pl.Float64, strict=False).fill_null(0.0)
        minutes = (offset.str.slice(0, 1) + offset.str.slice(4)).cast(pl.Float64, strict=False).fill_null(0.0)
        seconds = days + clock.cast(pl.Int64).fill_null(0) / 1e9 - hours * 3600 - minutes * 60
    else:
        raise RequestError("where", f"times in {column.name!r}", "tags")
    return ((moment - seconds) / DAY_SECONDS).alias("age_days")


def _holds(left: Value, sign: ast.cmpop, right: Value) -> bool:
    """Whether a comparison of two values holds: of the same kind, or it does not."""
    if left is None or right is None:
        return False
    same = isinstance(left, str) == isinstance(right, str) and isinstance(left, bool) == isinstance(
        right, bool
    )
    if not same or not isinstance(left, str | int | float) or not isinstance(right, str | int | float):
        return False
    if isinstance(sign, ast.Eq | ast.Is):
        return left == right
    order = _HOLDING.get(type(sign))
    return order is not None and order(left, right)  # type: ignore[arg-type]  # of one kind
