"""The ladder as a picture: SVG, in the colours of day and night."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass

from .ladder import Ladder
from .sheet import Arrow, Bar, Box, Metrics, Sheet, lay_out, wrap

WIDE = Metrics(width=820, char=7.2, small=6.6, line=17, gap=3, pad=8, track=9, rise=12)
NARROW = Metrics(width=440, char=6.6, small=5.4, line=14, gap=3, pad=6, track=6, rise=10)
"""For the screen of a telephone."""

_EM = 0.6
"""The advance of a character of fixed width, in parts of its font size."""
_HEAD = 7.0
_SLOPE = 2.5
"""By which an arrow falls to either side: time goes down, and a segment takes time."""
_TITLE_EM = 0.68
"""More than the mean advance of a title's characters, which are bold and not of fixed width."""

STYLE = """
.ladder { --page: #ffffff; --ink: #1f2328; --soft: #59636e; --rail: #8c959f; --red: #c21c2c; --green: #1a7f37;
  --amber: #8a5a00; --blue: #0a5cc2; --violet: #7b3fc4; --pink: #b3237a; }
@media (prefers-color-scheme: dark) { .ladder { --page: #0d1117; --ink: #e6edf3; --soft: #9aa4af; --rail: #6e7681;
  --red: #ff7b72; --green: #56d364; --amber: #e3b341; --blue: #79c0ff; --violet: #d2a8ff; --pink: #ff9bce; } }
.ladder { max-width: 100%; height: auto; display: block; background: var(--page); }
.ladder text { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, "Liberation Mono", monospace;
  white-space: pre; fill: var(--ink); }
.ladder .head { font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", Arial, sans-serif; font-weight: 600; }
.ladder .page { fill: var(--page); }
.ladder .title, .ladder .verdict { font-weight: 700; }
.ladder .verdict-passed { fill: var(--green); } .ladder .verdict-failed { fill: var(--red); }
.ladder .verdict-broken { fill: var(--amber); }
.ladder .clock, .ladder .fold, .ladder .note, .ladder .foot { fill: var(--soft); }
.ladder .error { fill: var(--red); font-weight: 700; }
.ladder .rail { stroke: var(--rail); stroke-width: 1.5; }
.ladder circle { fill: var(--rail); }
.ladder circle.call { fill: var(--ink); }
.ladder circle.error { fill: var(--red); }
.ladder circle[class^="flight-"] { fill: var(--own); }
.ladder .flight-syn { --own: var(--green); } .ladder .flight-fin { --own: var(--amber); }
.ladder .flight-rst { --own: var(--red); } .ladder .flight-data { --own: var(--blue); }
.ladder .flight-ack { --own: var(--soft); } .ladder .flight-other { --own: var(--violet); }
.ladder .state-LISTEN { --own: var(--soft); } .ladder .state-ESTABLISHED { --own: var(--green); }
.ladder .state-SYN_SENT, .ladder .state-SYN_RECEIVED { --own: var(--blue); }
.ladder .state-FIN_WAIT1, .ladder .state-FIN_WAIT2, .ladder .state-CLOSING { --own: var(--amber); }
.ladder .state-CLOSE_WAIT, .ladder .state-LAST_ACK { --own: var(--pink); }
.ladder .state-TIME_WAIT { --own: var(--violet); } .ladder .state-CLOSED { --own: var(--rail); }
.ladder [class^="state-"], .ladder text[class^="flight-"], .ladder polygon { fill: var(--own); }
.ladder text[class^="flight-"] { paint-order: stroke; stroke: var(--page); stroke-width: 4px; }
.ladder line[class^="flight-"] { stroke: var(--own); stroke-width: 1.6; }
.ladder line.lost { stroke-dasharray: 5 3; }
.ladder line.unseen { stroke: var(--own); stroke-width: 1.4; stroke-dasharray: 1.5 3; }
"""


@dataclass(frozen=True)
class Legend:
    """What stands above and below a picture that has to speak for itself."""

    claim: str = ""
    verdict: str = ""
    foot: str = ""
    """Where and when it was seen."""


@dataclass(frozen=True)
class Picture:
    """A ladder with its legend, every piece in its place."""

    sheet: Sheet
    head: Sequence[Box]
    foot: Sequence[Box]
    top: float
    """How far the ladder is moved down."""
    height: float

    @classmethod
    def of(cls, ladder: Ladder, metrics: Metrics, legend: Legend = Legend()) -> "Picture":
        """The picture of a ladder."""
        sheet = lay_out(ladder, metrics)
        head = _block(legend.claim, metrics, metrics.pad, "head", metrics.char * 2)
        style = f"verdict verdict-{legend.verdict}"
        head += _block(legend.verdict, metrics, _below(head, metrics), style, metrics.char / _EM)
        top = _below(head, metrics) + metrics.pad if head else 0.0
        foot = _block(legend.foot, metrics, top + sheet.height, "foot", metrics.small / _EM)
        return cls(sheet, head, foot, top, max(_below(foot, metrics), top + sheet.height))

    def boxes(self) -> list[Box]:
        """All words where they stand on the whole picture."""
        moved = [
            Box(b.x, b.y + self.top, b.width, b.height, b.text, b.style, b.small)
            for b in self.sheet.boxes
        ]
        return [*self.head, *moved, *self.foot]


def _block(text: str, metrics: Metrics, y: float, style: str, size: float) -> list[Box]:
    """Lines over the whole width."""
    if not text:
        return []
    advance = size * (_TITLE_EM if style == "head" else _EM)
    lines = wrap(text, int((metrics.width - 2 * metrics.pad) / advance), 0)
    height = size * 1.4
    return [
        Box(metrics.pad, y + n * height, len(line) * advance, height, line, style)
        for n, line in enumerate(lines)
    ]


def _below(boxes: Sequence[Box], metrics: Metrics) -> float:
    return boxes[-1].y + boxes[-1].height + metrics.gap if boxes else metrics.pad


def svg(
    ladder: Ladder, metrics: Metrics = WIDE, legend: Legend = Legend(), style: str = STYLE
) -> str:
    """The ladder as an SVG document.

    Args:
        style: the colours; empty where the page around the picture has them.
    """
    picture = Picture.of(ladder, metrics, legend)
    return _Drawing(picture, metrics).text(style)


class _Drawing:
    """Makes the elements of a picture."""

    def __init__(self, picture: Picture, metrics: Metrics) -> None:
        self._picture = picture
        self._m = metrics

    def text(self, style: str) -> str:
        """The document."""
        width, height = _n(self._picture.sheet.width), _n(self._picture.height)
        root = ElementTree.Element(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "class": "ladder",
                "width": width,
                "height": height,
                "viewBox": f"0 0 {width} {height}",
                "role": "img",
            },
        )
        if style:
            ElementTree.SubElement(root, "style").text = style
        _add(root, "rect", "page", width=width, height=height)
        for box in (*self._picture.head, *self._picture.foot):
            self._box(root, box)
        ladder = ElementTree.SubElement(
            root, "g", {"transform": f"translate(0 {_n(self._picture.top)})"}
        )
        self._ladder(ladder, self._picture.sheet)
        ElementTree.indent(root, "")
        return ElementTree.tostring(root, encoding="unicode") + "\n"

    def _ladder(self, parent: ElementTree.Element, sheet: Sheet) -> None:
        for rail in sheet.rails:
            _line(parent, "rail", rail, sheet.top, rail, sheet.bottom)
        for bar in sheet.bars:
            self._bar(parent, bar)
        for dot in sheet.dots:
            _add(parent, "circle", dot.style, cx=_n(dot.x), cy=_n(dot.y), r="2.5")
        for arrow in sheet.arrows:
            self._arrow(parent, arrow)
        for box in sheet.boxes:
            self._box(parent, box)

    def _box(self, parent: ElementTree.Element, box: Box) -> None:
        body = box.text.lstrip(" ")
        advance = box.width / len(box.text)
        x = box.x + advance * (len(box.text) - len(body))
        size = advance / (_TITLE_EM if box.style == "head" else _EM)
        exact = {} if box.style == "head" else {"textLength": _n(advance * len(body))}
        place = {"x": _n(x), "y": _n(box.y + box.height * 0.76), "font-size": _n(size), **exact}
        element = ElementTree.SubElement(parent, "text", {"class": box.style, **place})
        element.text = body

    def _bar(self, parent: ElementTree.Element, bar: Bar) -> None:
        thick = self._m.track * 0.45
        style = f"state-{bar.state}"
        if bar.fades > bar.bottom:
            _line(parent, f"{style} unseen", bar.x, bar.bottom, bar.x, bar.fades)
        _add(
            parent,
            "rect",
            style,
            x=_n(bar.x - thick / 2),
            y=_n(bar.top + 2),
            width=_n(thick),
            height=_n(max(4.0, bar.bottom - bar.top - 3)),
            rx=_n(thick / 2),
        )

    def _arrow(self, parent: ElementTree.Element, arrow: Arrow) -> None:
        step = 1 if arrow.end > arrow.begin else -1
        at_rail = arrow.mark in ("head", "double")
        tip = arrow.end - step * (1 if at_rail else 0)
        stem = tip - step * (_HEAD if at_rail else 0)
        style = arrow.style + ("" if arrow.solid else " lost")
        _line(parent, style, arrow.begin, arrow.y - _SLOPE, stem, arrow.y + _SLOPE)
        if not arrow.origin:
            _add(
                parent,
                "circle",
                arrow.style,
                cx=_n(arrow.begin),
                cy=_n(arrow.y - _SLOPE),
                r="3.5",
            )
        for place in {"head": [0.0], "double": [0.0, _HEAD]}.get(arrow.mark, []):
            _head(parent, arrow.style, tip - step * place, arrow.y + _SLOPE, step)
        if arrow.mark == "cross":
            _cross(parent, arrow.style, tip, arrow.y + _SLOPE)
        elif arrow.mark == "bar":
            for beside in (0.0, 4.0):
                x = tip + step * beside
                _line(parent, arrow.style, x, arrow.y - 4, x, arrow.y + 6)


def _head(parent: ElementTree.Element, style: str, x: float, y: float, step: int) -> None:
    points = [(x, y), (x - step * _HEAD, y - 3.6), (x - step * _HEAD, y + 3.6)]
    _add(parent, "polygon", style, points=" ".join(f"{_n(a)},{_n(b)}" for a, b in points))


def _cross(parent: ElementTree.Element, style: str, x: float, y: float) -> None:
    for slant in (-5, 5):
        _line(parent, style, x - 5, y - slant, x + 5, y + slant)


def _line(
    parent: ElementTree.Element, style: str, x1: float, y1: float, x2: float, y2: float
) -> None:
    _add(parent, "line", style, x1=_n(x1), y1=_n(y1), x2=_n(x2), y2=_n(y2))


def _add(parent: ElementTree.Element, tag: str, style: str, **attributes: str) -> None:
    ElementTree.SubElement(parent, tag, {"class": style, **attributes})


def _n(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
