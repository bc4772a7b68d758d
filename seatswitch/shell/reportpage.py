"""The report as one page of HTML: no script, nothing from elsewhere, every name escaped."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from seatswitch.shell.tables import Column

Section = tuple[str, Sequence[Column], Sequence[Mapping[str, Any]]]  # title, columns, lines

_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 2em; color: #222; background: #fff; }
h1 { font-size: 1.3em; } h2 { font-size: 1.1em; margin-top: 2em; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25em .7em; text-align: left; border-bottom: 1px solid #ddd; white-space: nowrap; }
th { background: #f4f4f4; position: sticky; top: 0; } .number { text-align: right; }
@media print { body { margin: 0; } th { position: static; } }
"""
# Whoever opens it runs nothing and asks nobody, even if a name got past the escaping.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"

_NOTES = (
    "Quarters of an hour that are over. In time: answered within the queue's threshold, of all offered "
    "(mode negative); the other modes are in the JSON and the CSV. Occupied: talking, on hold, dialling, "
    "wrap-up and ringing, of that and ready."
)


def build_page(found: Iterable[Section], title: str) -> str:
    """Return the page."""
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(title)}</h1>",
    ]
    tables = list(found)
    for name, columns, lines in tables:
        parts.append(f"<h2>{escape(name)}</h2><table><thead><tr>")
        parts += [_tag("th", it.head, right=it.right) for it in columns]
        parts.append("</tr></thead><tbody>")
        for line in lines:
            cells = "".join(_tag("td", str(it.cell(line, 0.0)), right=it.right) for it in columns)
            parts.append(f"<tr>{cells}</tr>")
        parts.append("</tbody></table>")
    if not tables:
        parts.append("<p>Nothing was counted in that time.</p>")
    parts.append(f"<p>{escape(_NOTES)}</p></body></html>")
    return "\n".join(parts) + "\n"


def _tag(tag: str, text: str, *, right: bool) -> str:
    kind = ' class="number"' if right else ""
    return f"<{tag}{kind}>{escape(text)}</{tag}>"
