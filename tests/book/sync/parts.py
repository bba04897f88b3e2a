"""What differs between two packages, part by part.

`compared` says which parts are the same bytes, which differ, which came and which went.
`changes` says of two XML parts which elements, attributes and texts differ. It reads them as
they are spelt, so that it leaves nothing out: prefixes, comments, blanks, quotes, the order
of attributes, entities and the declaration are differences too.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher

_TOKEN = re.compile(
    r"""(?P<comment><!--.*?-->)
    | (?P<text><!\[CDATA\[.*?\]\]>|[^<]+)
    | (?P<instruction><\?.*?\?>|<!.*?>)
    | </(?P<closed>[^\s>]+)\s*>
    | <(?P<opened>[^\s/>]+)(?P<attributes>(?:"[^"]*"|'[^']*'|[^'">])*?)(?P<empty>/?)>
    """,
    re.VERBOSE | re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


@dataclass(frozen=True)
class Compared:
    """The parts of two packages: those of the same bytes, and the others.

    Each part is in one of the four, in the order of the package that has it.
    """

    identical: tuple[str, ...]
    differing: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]

    @property
    def touched(self) -> frozenset[str]:
        """Every part that is not the same in both."""
        return frozenset((*self.differing, *self.added, *self.removed))


@dataclass(frozen=True)
class Change:
    """One thing that differs between two XML parts.

    Parameters
    ----------
    path : where, such as worksheet/sheetData/row[r=5]/c[r=B5]/@s; an element is named by its
        r, name or id, and by its number among its like where that is not enough. A path that
        ends in (spelling) is a tag that says the same in other bytes.
    before, after : what stood there, as it is spelt; None where there was nothing.
    """

    path: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        return f"{self.path}: {_shown(self.before)} -> {_shown(self.after)}"


def _shown(text: str | None) -> str:
    return "nothing" if text is None else repr(text)


def compared(before: bytes, after: bytes) -> Compared:
    """Which parts of two packages are the same bytes, and which are not.

    Raises
    ------
    ValueError
        A package has two parts of one name, of which only one would be compared.
    """
    old, new = _parts(before), _parts(after)
    both = [part for part in old if part in new]
    return Compared(
        identical=tuple(part for part in both if old[part] == new[part]),
        differing=tuple(part for part in both if old[part] != new[part]),
        added=tuple(part for part in new if part not in old),
        removed=tuple(part for part in old if part not in new),
    )


def changes_of_part(before: bytes, after: bytes, part: str) -> list[Change]:
    """What differs in an XML part of two packages."""
    return changes(_parts(before)[part], _parts(after)[part])


def _parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        names = package.namelist()
        if len(set(names)) < len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise ValueError(f"The package has parts twice: {', '.join(twice)}.")
        return {name: package.read(name) for name in names}


@dataclass
class _Node:
    """An element, or a piece between elements, and where its text lies in the part."""

    name: str
    start: int
    end: int = 0
    tag: str = ""
    """How the tag that opens it is spelt."""
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["_Node"] = field(default_factory=list)
    is_element: bool = True


def changes(before: bytes, after: bytes) -> list[Change]:
    """What differs between two XML texts in UTF-8; none where the bytes are the same.

    Raises
    ------
    ValueError
        A text is not made of elements that close.
    """
    old, new = before.decode(), after.decode()
    return list(_children(old, new, _tree(old), _tree(new), ""))


def _tree(text: str) -> _Node:
    """The text as a tree; its topmost node is no element but holds what the text begins with."""
    top = _Node("", 0, len(text))
    open_nodes, place = [top], 0
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None:
            raise ValueError(f"This is no XML: {text[place : place + 40]!r}.")
        place = token.end()
        kind = str(token.lastgroup) if token["opened"] is None else "opened"
        if kind == "closed":
            if token["closed"] != open_nodes[-1].name or len(open_nodes) == 1:
                raise ValueError(f"{token[0]} closes {open_nodes[-1].name or 'nothing'!r}.")
            open_nodes.pop().end = place
            continue
        node = _node(token, kind)
        open_nodes[-1].children.append(node)
        if kind == "opened" and not token["empty"]:
            open_nodes.append(node)
    if len(open_nodes) > 1:
        raise ValueError(f"{open_nodes[-1].tag} is not closed.")
    return top


def _node(token: re.Match[str], kind: str) -> _Node:
    if kind != "opened":
        return _Node(f"{kind}()", token.start(), token.end(), is_element=False)
    attributes = {
        name: quoted or single for name, quoted, single in _ATTRIBUTE.findall(token["attributes"])
    }
    return _Node(token["opened"], token.start(), token.end(), token[0], attributes)


def _children(old: str, new: str, one: _Node, other: _Node, path: str) -> Iterator[Change]:
    """Changes of the children: paired by what they are called, in their order."""
    ones, others = _named(one), _named(other)
    pairs = SequenceMatcher(None, list(ones), list(others), autojunk=False)
    for kind, first, last, other_first, other_last in pairs.get_opcodes():
        went, came = list(ones)[first:last], list(others)[other_first:other_last]
        if kind == "equal":
            for name in went:
                yield from _node_changes(old, new, ones[name], others[name], f"{path}{name}")
            continue
        for name in went:
            yield Change(f"{path}{name}", _spelt(old, ones[name]), None)
        for name in came:
            yield Change(f"{path}{name}", None, _spelt(new, others[name]))


def _node_changes(old: str, new: str, one: _Node, other: _Node, path: str) -> Iterator[Change]:
    before, after = _spelt(old, one), _spelt(new, other)
    if before == after:
        return
    if not one.is_element:
        yield Change(path, before, after)
        return
    for name in (
        *one.attributes,
        *(each for each in other.attributes if each not in one.attributes),
    ):
        if one.attributes.get(name) != other.attributes.get(name):
            yield Change(f"{path}/@{name}", one.attributes.get(name), other.attributes.get(name))
    # As long as an attribute differs, or children came or went, the tag is spelt otherwise.
    same_kind = bool(one.children) == bool(other.children)
    if one.attributes == other.attributes and one.tag != other.tag and same_kind:
        yield Change(f"{path}/(spelling)", one.tag, other.tag)
    yield from _children(old, new, one, other, f"{path}/")


def _spelt(text: str, node: _Node) -> str:
    return text[node.start : node.end]


def _named(parent: _Node) -> dict[str, _Node]:
    """The children by names that tell them apart."""
    seen: dict[str, int] = {}
    named = {}
    for child in parent.children:
        name = child.name
        for key in ("r", "name", "id", "Id", "PartName"):
            if key in child.attributes:
                name = f"{name}[{key}={child.attributes[key]}]"
                break
        seen[name] = seen.get(name, 0) + 1
        named[name if seen[name] == 1 else f"{name}[{seen[name]}]"] = child
    return named
