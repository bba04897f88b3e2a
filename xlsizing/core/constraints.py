"""The constraints that the dataclasses' annotations carry, and the check against them.

An annotation such as ``Annotated[int, AtLeast(1)]`` is the only home of a field's rule.
Core reads it here to refuse a wrong value with a sentence. A constraint is a group in the
sense of annotated-types' GroupedMetadata, so that pydantic reads the same annotations for
validation of whole files and for JSON Schemas; annotated-types itself, which is slow to
import, is only imported when a constraint is asked for its members.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from xlsizing.core.errors import InvalidValueError
from xlsizing.core.exact import Number, is_number, typed_decimal
from xlsizing.core.message import Message, joined

Check = Callable[[Any], bool]


class Constraint:
    """What a value must satisfy beside its type.

    `words` say what is asked for, to follow "it must be a whole number" and the like.
    """

    __slots__ = ("words",)
    __is_annotated_types_grouped_metadata__ = True

    def __init__(self, words: Message) -> None:
        self.words = words

    def holds(self, value: Any) -> bool:
        """True where `value`, which has the right type, satisfies the constraint."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[object]:
        """The same constraint in annotated-types' own vocabulary."""
        raise NotImplementedError


class _Bound(Constraint):
    __slots__ = ("bound",)

    def __init__(self, bound: int, words: Message) -> None:
        super().__init__(words)
        self.bound = bound


def _exactly(value: Number) -> int | Decimal:
    """The value as it compares exactly; most are integers, and need no Decimal."""
    return value if isinstance(value, int) else typed_decimal(value)


def _shown_bound(bound: int) -> str:
    # Bounds that nobody comes near are powers of ten with many zeros.
    return str(bound) if bound < 10**15 else f"10^{len(str(bound)) - 1}"


class AtLeast(_Bound):
    """A number of at least `bound`."""

    __slots__ = ()

    def __init__(self, bound: int) -> None:
        super().__init__(bound, Message("of at least {bound}", bound=_shown_bound(bound)))

    def holds(self, value: Any) -> bool:
        """True where `value` is the bound or more."""
        return _exactly(value) >= self.bound

    def __iter__(self) -> Iterator[object]:
        """The constraint as annotated-types' Ge."""
        from annotated_types import Ge

        yield Ge(self.bound)


class Above(_Bound):
    """A number above `bound`."""

    __slots__ = ()

    def __init__(self, bound: int) -> None:
        super().__init__(bound, Message("above {bound}", bound=_shown_bound(bound)))

    def holds(self, value: Any) -> bool:
        """True where `value` is more than the bound."""
        return _exactly(value) > self.bound

    def __iter__(self) -> Iterator[object]:
        """The constraint as annotated-types' Gt."""
        from annotated_types import Gt

        yield Gt(self.bound)


class AtMost(_Bound):
    """A number of at most `bound`."""

    __slots__ = ()

    def __init__(self, bound: int) -> None:
        super().__init__(bound, Message("and at most {bound}", bound=_shown_bound(bound)))

    def holds(self, value: Any) -> bool:
        """True where `value` is the bound or less."""
        return _exactly(value) <= self.bound

    def __iter__(self) -> Iterator[object]:
        """The constraint as annotated-types' Le."""
        from annotated_types import Le

        yield Le(self.bound)


class Rule(Constraint):
    """A test of its own, with words for it."""

    __slots__ = ("test",)

    def __init__(self, test: Check, words: Message) -> None:
        super().__init__(words)
        self.test = test

    def holds(self, value: Any) -> bool:
        """True where the test says so."""
        return self.test(value)

    def __iter__(self) -> Iterator[object]:
        """The constraint as annotated-types' Predicate."""
        from annotated_types import Predicate

        yield Predicate(self.test)


LARGEST = 10**15
"""No figure of a catalog or a load comes near it."""

Count = Annotated[int, AtLeast(1), AtMost(LARGEST)]
LayerCount = Annotated[int, AtLeast(0), AtMost(LARGEST)]


def rules_of(owner: type) -> Mapping[str, Any]:
    """Each field's annotation, resolved, of a dataclass of core."""
    return _hints_of(owner)


@cache
def _hints_of(owner: type) -> Mapping[str, Any]:
    return get_type_hints(owner, include_extras=True)


def refusal(field: str, value: object, annotation: Any) -> InvalidValueError | None:
    """The error that says why `value` does not satisfy `annotation`; None where it does."""
    if _check(annotation)(value):
        return None
    if get_origin(annotation) is tuple and isinstance(value, tuple):
        item = get_args(annotation)[0]
        place = next(place for place, each in enumerate(value) if not _check(item)(each))
        return refusal(f"{field}[{place}]", value[place], item)
    return InvalidValueError(field, value, _words(annotation))


def check_of(annotation: Any) -> Check:
    """The test that an annotation stands for, for those who ask it often."""
    return _check(annotation)


def require(field: str, value: object, annotation: Any) -> None:
    """Raise InvalidValueError where `value` does not satisfy `annotation`."""
    if error := refusal(field, value, annotation):
        raise error


def limits(annotation: Any, parts: int) -> tuple[int, int]:
    """The least and the largest number that `annotation` takes, which bounds it both ways.

    Both are counted in parts, such as ten-thousandths: a number above 0 is at least one of them.
    """
    rules = [rule for rule in get_args(annotation) if isinstance(rule, _Bound)]
    (least,) = (
        rule.bound * parts + isinstance(rule, Above)
        for rule in rules
        if isinstance(rule, Above | AtLeast)
    )
    (most,) = (rule.bound * parts for rule in rules if isinstance(rule, AtMost))
    return least, most


def require_fields(entry: object) -> None:
    """Raise InvalidValueError for the first field of a dataclass that breaks its annotation."""
    owner: type = type(entry)
    for field, check in _checks_of(owner):
        if not check(getattr(entry, field)):
            require(field, getattr(entry, field), rules_of(owner)[field])


@cache
def _checks_of(owner: type) -> tuple[tuple[str, Check], ...]:
    return tuple((field, _check(annotation)) for field, annotation in rules_of(owner).items())


@cache
def _check(annotation: Any) -> Check:
    """The test that an annotation stands for."""
    origin = get_origin(annotation)
    if origin is Annotated:
        base, *rules = get_args(annotation)
        return _all_of([_check(base), *(rule.holds for rule in rules)])
    if origin is Union or origin is UnionType:
        options = [_check(option) for option in get_args(annotation)]
        return lambda value: any(option(value) for option in options)
    if origin is Literal:
        choices = get_args(annotation)
        return lambda value: isinstance(value, str) and value in choices
    if origin is tuple:
        item = _check(get_args(annotation)[0])
        return lambda value: isinstance(value, tuple) and all(item(each) for each in value)
    if origin is dict:
        return lambda value: (
            isinstance(value, Mapping)
            and all(isinstance(each, str) for pair in value.items() for each in pair)
        )
    if is_dataclass(annotation):
        return lambda value: isinstance(value, annotation)  # type: ignore[arg-type]
    return _BASE_CHECKS[annotation]


def _all_of(checks: Sequence[Check]) -> Check:
    # A loop takes half as long as all() over a generator, and ranges of cells ask often.
    def holds(value: Any) -> bool:
        for check in checks:  # noqa: SIM110
            if not check(value):
                return False
        return True

    return holds


_BASE_CHECKS: Mapping[Any, Check] = {
    bool: lambda value: isinstance(value, bool),
    int: lambda value: isinstance(value, int) and not isinstance(value, bool),
    float: is_number,
    str: lambda value: isinstance(value, str),
    type(None): lambda value: value is None,
}


_BASE_WORDS: Mapping[Any, Message] = {
    bool: Message("true or false"),
    int: Message("a whole number"),
    float: Message("a finite number"),
    str: Message("text"),
    type(None): Message("left out"),
}


@cache
def _words(annotation: Any) -> Message:
    origin = get_origin(annotation)
    if origin is Annotated:
        base, *rules = get_args(annotation)
        return joined(" ", [_words(base), *(rule.words for rule in rules)])
    if origin is Union or origin is UnionType:
        return _either(list(map(_words, get_args(annotation))))
    if origin is Literal:
        return Message("one of {choices}", choices=", ".join(get_args(annotation)))
    if origin is tuple:
        return Message("a list, each item {item}", item=_words(get_args(annotation)[0]))
    if origin is dict:
        return Message("an object from field name to text")
    if is_dataclass(annotation):
        return Message("of the class {name}", name=annotation.__name__)  # type: ignore[union-attr]
    return _BASE_WORDS[annotation]


def _either(options: Sequence[Message]) -> Message:
    """One of several options, as a sentence lists them."""
    first, *others = options
    return Message("{one} or {other}", one=first, other=_either(others)) if others else first
