"""What commands print: JSON for programs, tables and lines for people."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

_WIDEST = 60


def print_json(value: Any) -> None:
    """One value, complete, on standard output."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")


def print_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Rows with some of their members."""
    if not rows:
        Console().print("nothing there")
        return
    table = Table(box=None, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    Console().print(table)


def print_facts(facts: Mapping[str, Any]) -> None:
    """One thing, a line for each member that says something."""
    table = Table(box=None, show_header=False)
    for name, value in facts.items():
        if value not in (None, [], {}):
            table.add_row(f"[bold]{name}", _cell(value))
    Console().print(table)


def print_line(text: str) -> None:
    """A sentence for people."""
    Console().print(text, highlight=False)


def print_problem(text: str) -> None:
    """A sentence about what went wrong, on standard error."""
    Console(stderr=True).print(text, style="red", highlight=False, markup=False)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict | list):
        text = orjson.dumps(value).decode()
        return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
    return str(value)
