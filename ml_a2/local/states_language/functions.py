"""Intrinsic functions, as members ending in `.$` hold them.

Source: Amazon States Language, "Intrinsic Functions" and "Appendix B"; Step Functions Developer Guide, "Intrinsic
functions".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ml_a2.local.states_language.paths import end_of_brackets, is_path
from ml_a2.local.states_language.rules import InvalidDefinitionError, Rule

# The kinds of arguments that a function takes, in order; those in brackets need not be there, and dots stand for any
# number. A literal must be of the kind; what a path or another function gives is known only when it runs.
SIGNATURES = {
    "States.Array": "any ...",
    "States.ArrayPartition": "array number",
    "States.ArrayContains": "array any",
    "States.ArrayRange": "number number number",
    "States.ArrayGetItem": "array number",
    "States.ArrayLength": "array",
    "States.ArrayUnique": "array",
    "States.Base64Encode": "text",
    "States.Base64Decode": "text",
    "States.Hash": "any text",
    "States.JsonMerge": "object object boolean",
    "States.StringToJson": "text",
    "States.JsonToString": "any",
    "States.MathRandom": "number number [number]",
    "States.MathAdd": "number number",
    "States.StringSplit": "text text",
    "States.UUID": "",
    "States.Format": "text any ...",
}
# Those whose result is a text. Source: Developer Guide, "Fail workflow state".
STRING_FUNCTIONS = {
    "States.Format", "States.JsonToString", "States.ArrayGetItem", "States.Base64Encode", "States.Base64Decode",
    "States.Hash", "States.UUID",
}  # fmt: skip
MOST_FUNCTIONS = 10
NAME = re.compile(r"[A-Za-z0-9_.]+(?=\()")
STRING = re.compile(r"'(?:[^'\\]|\\['{}\\])*'")
NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
# A path ends at the comma or bracket of the call that it stands in, but not at one within its own brackets.
END_OF_PATH = re.compile(r"[\s,)\[(]")
PLACEHOLDER = re.compile(r"\\.|(\{\})", re.DOTALL)


@dataclass(frozen=True)
class Argument:
    """An argument, as it is written: a literal of some kind, a path, or another call."""

    kind: str
    text: str
    call: Call | None = None


@dataclass(frozen=True)
class Call:
    """A call of an intrinsic function."""

    name: str
    arguments: tuple[Argument, ...]


@dataclass
class _Reader:
    """Reads one call, with those nested in it."""

    text: str
    where: str
    position: int = 0
    count: int = field(default=0, init=False)

    def call(self) -> Call:
        name = NAME.match(self.text, self.position)
        if name is None or name.group() not in SIGNATURES:
            raise self.refusal(Rule.FUNCTION, "no intrinsic function begins there")
        self.count += 1
        if self.count > MOST_FUNCTIONS:
            raise self.refusal(Rule.NESTING, f"there are more than {MOST_FUNCTIONS} intrinsic functions in it")
        self.position = name.end() + 1
        call = Call(name.group(), tuple(self._arguments()))
        _check_arguments(call, self.where)
        return call

    def _arguments(self) -> Iterator[Argument]:
        self._skip_blanks()
        if self._take(")"):
            return
        while True:
            yield self._argument()
            self._skip_blanks()
            if self._take(")"):
                return
            if not self._take(","):
                raise self.refusal(Rule.FUNCTION, "a comma or a bracket is missing there")
            self._skip_blanks()

    def _argument(self) -> Argument:
        if self.text.startswith("$", self.position):
            return self._path()
        for kind, pattern in LITERALS.items():
            if found := pattern.match(self.text, self.position):
                self.position = found.end()
                return Argument(kind, found.group())
        begin = self.position
        call = self.call()
        return Argument("call", self.text[begin : self.position], call)

    def _path(self) -> Argument:
        begin = end = self.position
        while (stop := END_OF_PATH.search(self.text, end)) and stop.group() in "[(":
            if (behind := end_of_brackets(self.text, stop.start())) is None:
                break
            end = behind
        self.position = stop.start() if stop else len(self.text)
        path = self.text[begin : self.position]
        if not is_path(path):
            raise self.refusal(Rule.FUNCTION, "what begins with $ is no path there")
        return Argument("path", path)

    def _skip_blanks(self) -> None:
        while self.text[self.position : self.position + 1].isspace():
            self.position += 1

    def _take(self, character: str) -> bool:
        found = self.text.startswith(character, self.position)
        self.position += found
        return found

    def refusal(self, rule: Rule, problem: str) -> InvalidDefinitionError:
        words = f"{self.text!r:.200} is no intrinsic function call: {problem}, at character {self.position + 1},"
        return InvalidDefinitionError(rule, words, self.where)


LITERALS = {"text": STRING, "number": NUMBER, "null": re.compile(r"null\b"), "boolean": re.compile(r"(?:true|false)\b")}


def read_call(text: str, where: str) -> Call:
    """Return the call that a text is.

    Raises:
        InvalidDefinitionError: it is none.
    """
    reader = _Reader(text, where)
    call = reader.call()
    if reader.position < len(text):
        raise reader.refusal(Rule.FUNCTION, "something follows it")
    return call


def check_string_call(text: str, where: str) -> None:
    """Refuse what is no call of a function that returns a text."""
    call = read_call(text, where)
    if call.name not in STRING_FUNCTIONS:
        raise InvalidDefinitionError(Rule.STRING_FUNCTION, f"{call.name} does not return a text", where)


def _check_arguments(call: Call, where: str) -> None:
    kinds = SIGNATURES[call.name].split()
    repeated = kinds[-1:] == ["..."]
    kinds = kinds[:-1] if repeated else kinds
    # `any ...` is any number of them, none included.
    least = len(kinds) - repeated - sum(kind.startswith("[") for kind in kinds)
    count = len(call.arguments)
    if count < least or (count > len(kinds) and not repeated):
        wanted = f"at least {least}" if repeated else " or ".join(map(str, range(least, len(kinds) + 1)))
        raise InvalidDefinitionError(Rule.ARGUMENTS, f"{call.name} takes {wanted} arguments, not {count},", where)
    for number, (kind, argument) in enumerate(zip(kinds, call.arguments, strict=False), start=1):
        wanted = kind.strip("[]")
        if argument.kind in LITERALS and wanted not in ("any", argument.kind):
            problem = f"argument {number} of {call.name} is {argument.text}, which is no {wanted},"
            raise InvalidDefinitionError(Rule.ARGUMENTS, problem, where)
    if call.name == "States.Format" and call.arguments[0].kind == "text":
        _check_places(call, where)


def _check_places(call: Call, where: str) -> None:
    places = sum(found[1] is not None for found in PLACEHOLDER.finditer(call.arguments[0].text))
    if places != len(call.arguments) - 1:
        problem = f"States.Format has {places} places {{}} and {len(call.arguments) - 1} values for them,"
        raise InvalidDefinitionError(Rule.ARGUMENTS, problem, where)
