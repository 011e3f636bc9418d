"""Lists in pages. A token names the place in a list, which stays that place while the list grows at its end."""

from errors import invalid


def page(items, said, size):
    """The page that a call asks for, and the token of the next one."""
    token = said.get("NextToken")
    try:
        start = int(token) if token else 0
    except ValueError:
        raise invalid("NextToken is not valid") from None
    end = start + size
    return items[start:end], str(end) if end < len(items) else None


def newest_first(items, said, size):
    """The same of a list that is read from its end: what has come since the first page is not in the next ones."""
    token = said.get("NextToken")
    end = int(token) if token else len(items)
    start = max(0, end - size)
    return items[start:end][::-1], str(start) if start else None
