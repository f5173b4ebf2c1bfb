"""From bytes to a struct, and from what does not fit to words that people understand.

Two kinds of wrong are told apart: what is no JSON at all (Malformed), and JSON that is not what was asked for (Invalid,
with the fields). The decoder stops at the first fault, so a body that does not fit is looked at once more.
"""

import ast
import re
from collections.abc import Iterator
from typing import Final, TypeGuard, TypeVar, get_args
from urllib.parse import parse_qsl

import msgspec

from dateflicks.core.errors import FieldProblem, Invalid, Malformed
from dateflicks.protocol.bodies import NAME_PATTERN

T = TypeVar("T", bound=msgspec.Struct)

QUERY_FIELDS_MAX: Final = 50
_AT: Final = re.compile(r"^(?P<what>.*?)(?: - at (?:`key` in )?`(?P<path>\$[^`]*)`)?$", re.DOTALL)
_TYPES: Final = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}
_MISSING: Final = re.compile(r"Object missing required field `(?P<field>[^`]+)`")
_GOT: Final = re.compile(r"Expected `(?P<wanted>[^`]+)`, got `(?P<given>[^`]+)`")
_SIZE: Final = re.compile(r"Expected `(?P<kind>\w+)` of length (?P<sign>[<>]=|==) (?P<bound>\d+)")
_RANGE: Final = re.compile(r"Expected `(?:int|float)` (?P<sign>[<>]=?) (?P<bound>\S+)")
_PATTERN: Final = re.compile(r"Expected `str` matching regex (?P<pattern>(?P<quote>['\"]).*(?P=quote))$", re.DOTALL)
_PATTERN_WORDS: Final = {NAME_PATTERN: "may have letters (a to z), digits, _ and - only"}
_SIGNS: Final = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than", "==": "exactly"}
_UNITS: Final = {"str": "character", "array": "item", "object": "field"}


def decode_body(raw: bytes, kind: type[T]) -> T:
    """The struct in a JSON body. Raises Malformed, or Invalid with the field that does not fit."""
    if not raw:
        raise Malformed("The body is empty; it has to be JSON.")
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        require_json(raw, "body")
        raise Invalid("The body does not fit.", _all_problems(raw, kind) or (problem_of(error),)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(error, "body") from error


def _all_problems(raw: bytes, kind: type[msgspec.Struct]) -> tuple[FieldProblem, ...]:
    """Every field that does not fit, in the order of the struct: whoever mends one need not be told of the next."""
    try:
        value = msgspec.json.decode(raw)
    except msgspec.ValidationError:
        return ()  # a number beyond every range
    return tuple(_problems_in(value, kind, "")) if isinstance(value, dict) else ()


def _problems_in(value: dict[str, object], kind: type[msgspec.Struct], within: str) -> Iterator[FieldProblem]:
    for field in msgspec.structs.fields(kind):
        name = within + field.encode_name
        if field.encode_name not in value:
            if field.required:
                yield FieldProblem(name, "is required")
            continue
        given = value[field.encode_name]
        inner = next((one for one in (field.type, *get_args(field.type)) if _is_struct(one)), None)
        if inner is not None and isinstance(given, dict):
            yield from _problems_in(given, inner, f"{name}.")
            continue
        try:
            msgspec.convert(given, field.type)
        except msgspec.ValidationError as error:
            problem = problem_of(error)
            yield FieldProblem(f"{name}.{problem.field}" if problem.field else name, problem.message)


def _is_struct(kind: object) -> TypeGuard[type[msgspec.Struct]]:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def require_json(raw: bytes, noun: str) -> None:
    """Raise Malformed when this (a body, a frame) is no JSON at all."""
    try:
        msgspec.json.decode(raw)
    except msgspec.ValidationError:
        return  # a number beyond every range: JSON allows it
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(error, noun) from error


def decode_query(text: str, kind: type[T]) -> T:
    """The struct in a query string, whose values are text. Raises Malformed or Invalid."""
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=QUERY_FIELDS_MAX
        )
    except UnicodeDecodeError as error:
        raise Malformed("The query is no valid UTF-8.") from error
    except ValueError as error:
        raise Malformed(f"The query has more than {QUERY_FIELDS_MAX} fields.") from error
    known = {field.encode_name for field in msgspec.structs.fields(kind)}
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in known and name in found:
            raise Invalid("The query does not fit.", (FieldProblem(name, "is given more than once"),))
        found[name] = value
    try:
        return msgspec.convert(found, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid("The query does not fit.", (problem_of(error, is_text=True),)) from error


def problem_of(error: msgspec.ValidationError, *, is_text: bool = False) -> FieldProblem:
    """Which field does not fit, as a dotted path, and why. In a query (`is_text`) everything that comes is text."""
    found = _AT.match(str(error))
    what, path = (found["what"], found["path"] or "$") if found else (str(error), "$")
    missing = _MISSING.fullmatch(what)
    if missing:
        return FieldProblem(_dotted(f"{path}.{missing['field']}"), "is required")
    return FieldProblem(_dotted(path), _message(what, is_text=is_text))


def malformed(error: Exception, noun: str) -> Malformed:
    """What to say of text that no JSON reader takes."""
    if isinstance(error, RecursionError):
        return Malformed(f"The {noun} is nested too deeply.")
    return Malformed(f"The {noun} is no valid JSON: {_fault(error)}.")


def _fault(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return str(error).removeprefix("JSON is malformed: ").replace("Input data was truncated", "it is cut off")


def _dotted(path: str) -> str:
    """`$.video.tags[1]` as `video.tags.1`; the body itself has the empty path."""
    return path.replace("[...]", ".*").replace("[", ".").replace("]", "").removeprefix("$").removeprefix(".")


def _message(what: str, *, is_text: bool) -> str:
    if got := _GOT.fullmatch(what):
        wanted = _either(got["wanted"])
        return f"must be {wanted}" if is_text else f"must be {wanted}, not {_either(got['given'])}"
    if size := _SIZE.fullmatch(what):
        unit = _UNITS.get(size["kind"], "part")
        return f"must have {_SIGNS[size['sign']]} {size['bound']} {unit if size['bound'] == '1' else unit + 's'}"
    if bound := _RANGE.fullmatch(what):
        return f"must be {_SIGNS[bound['sign']]} {bound['bound'].removesuffix('.0')}"
    if pattern := _PATTERN.fullmatch(what):
        meant = ast.literal_eval(pattern["pattern"])
        return _PATTERN_WORDS.get(meant, f"must match {meant}")
    if "out of range" in what:
        return "is out of range"
    if what.startswith("Invalid enum value"):
        return "is none of the allowed values"
    return what.replace("`", "'")


def _either(types: str) -> str:
    names = types.split(" | ")
    return " or ".join(_TYPES.get(name, name) for name in names if name != "int" or "float" not in names)
