"""Checks values against the constraints that the dataclasses' annotations carry.

An annotation such as ``Annotated[int, Ge(1)]`` is the only home of a field's rule.
Core reads it here to refuse a wrong value with a sentence; the catalog package hands
the same annotations to pydantic for validation of whole files and for JSON Schemas.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Predicate

from xlsizing.core.errors import InvalidValueError
from xlsizing.core.exact import is_number, typed_decimal


@dataclass(frozen=True)
class Rule(Predicate):
    """A constraint with words: a test, and what it asks for, to follow "it must be"."""

    words: str = ""


@cache
def rules_of(owner: type) -> Mapping[str, Any]:
    """Each field's annotation, resolved, of a dataclass of core."""
    return get_type_hints(owner, include_extras=True)


def refusal(field: str, value: object, annotation: Any) -> InvalidValueError | None:
    """The error that says why `value` does not satisfy `annotation`; None where it does."""
    if _satisfies(value, annotation):
        return None
    return InvalidValueError(field, value, _words(annotation))


def require(field: str, value: object, annotation: Any) -> None:
    """Raise InvalidValueError where `value` does not satisfy `annotation`."""
    if error := refusal(field, value, annotation):
        raise error


def require_fields(entry: object) -> None:
    """Raise InvalidValueError for the first field of a dataclass that breaks its annotation."""
    for field, annotation in rules_of(type(entry)).items():
        require(field, getattr(entry, field), annotation)


def _satisfies(value: object, annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin is Annotated:
        base, *rules = get_args(annotation)
        return _satisfies(value, base) and all(_holds(rule, value) for rule in rules)
    if origin is Union or origin is UnionType:
        return any(_satisfies(value, option) for option in get_args(annotation))
    if origin is Literal:
        return isinstance(value, str) and value in get_args(annotation)
    if origin is tuple:
        item, _ = get_args(annotation)
        return isinstance(value, tuple) and all(_satisfies(each, item) for each in value)
    if origin is dict:
        return isinstance(value, Mapping) and all(
            isinstance(each, str) for pair in value.items() for each in pair
        )
    if annotation is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if annotation is float:
        return is_number(value)
    return isinstance(value, annotation)


def _holds(rule: object, value: Any) -> bool:
    match rule:
        case Ge(bound):
            return bool(typed_decimal(value) >= typed_decimal(bound))  # type: ignore[arg-type]
        case Gt(bound):
            return bool(typed_decimal(value) > typed_decimal(bound))  # type: ignore[arg-type]
        case Le(bound):
            return bool(typed_decimal(value) <= typed_decimal(bound))  # type: ignore[arg-type]
        case Predicate(test):
            return bool(test(value))
    raise TypeError(f"core knows no constraint {rule!r}")


_BASE_WORDS: Mapping[Any, str] = {
    int: "a whole number",
    float: "a finite number",
    str: "text",
    type(None): "left out",
}


def _words(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is Annotated:
        base, *rules = get_args(annotation)
        return " ".join([_words(base), *(_rule_words(rule) for rule in rules)])
    if origin is Union or origin is UnionType:
        return " or ".join(_words(option) for option in get_args(annotation))
    if origin is Literal:
        return "one of " + ", ".join(get_args(annotation))
    if origin is tuple:
        return f"a list, each item {_words(get_args(annotation)[0])}"
    if origin is dict:
        return "an object from field name to text"
    return _BASE_WORDS[annotation]


_RULE_WORDS: Mapping[type, Callable[[Any], str]] = {
    Ge: lambda rule: f"of at least {rule.ge}",
    Gt: lambda rule: f"above {rule.gt}",
    Le: lambda rule: f"and at most {rule.le}",
    Rule: lambda rule: rule.words,
}


def _rule_words(rule: object) -> str:
    return _RULE_WORDS[type(rule)](rule)
