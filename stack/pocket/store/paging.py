"""Rows in the order of time, a page at a time, so that a scan over hours holds only a page in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pocket.store.database import PAGE, Database, Ids, Row


def pages(
    database: Database,
    select: str,
    where: str,
    parameters: Sequence[Any],
    column: str,
    start: int,
    end: int,
    *,
    newest_first: bool,
    ids: Ids = (),
    page: int = PAGE,
) -> Iterator[list[Row]]:
    """Pages of `select … where …` within start ≤ column < end; the column comes first in every row.

    A page ends between two distinct times, so the next one can begin there: rows that share the time of a full
    page's last row are left for the next page (or fetched whole, if they are all the page holds).
    `ids`: see `among`.
    """
    order = "desc" if newest_first else "asc"
    base = f"{select} where {where} and {column} >= ? and {column} < ?"
    while start < end:
        rows = database.query(f"{base} order by {column} {order} limit {page}", [*parameters, start, end], ids=ids)
        if len(rows) < page:
            yield rows
            return
        edge = rows[-1][0]
        if rows[0][0] == edge:
            rows = database.query(base, [*parameters, edge, edge + 1], ids=ids)
            start, end = (start, edge) if newest_first else (edge + 1, end)
        else:
            while rows[-1][0] == edge:
                rows.pop()
            start, end = (start, edge + 1) if newest_first else (edge, end)
        yield rows
