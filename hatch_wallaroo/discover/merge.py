"""A header and a sample put together: what the one does not tell, the other may, and where they disagree, it is said.

The header counts: it is what the model takes. The rows of a sample fill in what it leaves open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod

from hatch_wallaroo.discover.sample import UNTOLD, Typed
from hatch_wallaroo.findings import Finding, Level, Place, rule
from hatch_wallaroo.schema.hints import Hint, told_type
from hatch_wallaroo.schema.types import Field, MapOf, Scalar, Schema, Type, element, shape
from hatch_wallaroo.text import few

DISAGREE = rule(
    "WLR674",
    "the sample and the model's file disagree",
    why="A sample that does not fit the model proves nothing when the bundle is tried with it, and one of the two is "
    "not what was meant.",
    source="The header of the model; the key `sample`",
    level=Level.WARNING,
)

_WHOLE = ("int64", "uint64")
_TEXTS = ("string", "large_string", "binary", "large_binary")
_WORDS = {"float64": "numbers with a fraction", "string": "texts", "bool": "true and false"}
_TIMES = ("timestamp", "date", "time", "duration", "decimal")


@dataclass(frozen=True)
class Together:
    """One side: its schema, None where a field's type is told by nothing. `guesses` are words with their fields."""

    schema: Schema | None
    guesses: tuple[tuple[str, str], ...] = ()
    findings: tuple[Finding, ...] = ()
    from_header: bool = False
    from_rows: bool = False


def put_together(
    side: str, hints: tuple[Hint, ...] | None, typed: Typed | None, sample: str, *, open_end: bool = False
) -> Together:
    """The schema of a side (`input` or `output`), from what its header and its rows tell, each of which may be None.

    `sample` is how messages call the sample. `open_end`: further fields than the header's are taken.
    """
    findings = typed.findings if typed else ()
    rows = typed.schema if typed else None
    if hints is None:
        guesses = tuple((each.field, each.text) for each in typed.guesses) if typed and rows else ()
        return Together(rows, guesses, findings, from_rows=rows is not None)
    merge = _Merge(side, sample)
    pairs: list[tuple[Hint, Field | None]] = [(each, None) for each in hints]
    if rows is not None:
        pairs = merge.pairs(hints, rows.fields, open_end=open_end)
    fields = [field for hint, row in pairs if (field := merge.field(hint, row, typed)) is not None]
    complete = len(fields) == len(pairs) and bool(fields)
    used = rows is not None and any(row is not None for _, row in pairs)
    schema = Schema(tuple(fields)) if complete else None
    findings = (*weighed(findings, known=complete), *merge.findings)
    return Together(schema, tuple(merge.guesses), findings, from_header=True, from_rows=used)


def weighed(findings: Iterable[Finding], *, known: bool) -> tuple[Finding, ...]:
    """What is wrong with a sample is no error where its rows are not needed: the schema is `known` without them."""
    return tuple(replace(each, level=Level.WARNING) if known and each.is_error else each for each in findings)


class _Merge:
    def __init__(self, side: str, sample: str) -> None:
        self.side = side
        self.sample = sample
        self.guesses: list[tuple[str, str]] = []
        self.findings: list[Finding] = []

    def disagree(self, message: str, fix: str) -> None:
        self.findings.append(DISAGREE.finding(message, fix=fix, place=Place(file=self.sample)))

    def pairs(self, hints: Sequence[Hint], rows: Sequence[Field], *, open_end: bool) -> list[tuple[Hint, Field | None]]:
        """Each field of the header with the sample's; where only their number is the same, in order."""
        known = {each.name for each in hints}
        by_name = {each.name: each for each in rows}
        extra = [each for each in rows if each.name not in known]
        lacking = [each for each in hints if each.name not in by_name]
        if extra and len(extra) == len(lacking):
            return self.renamed(hints, by_name, dict(zip((each.name for each in lacking), extra, strict=True)))
        if extra and open_end:
            more = [(Hint(each.name, whole=each.type, optional=each.optional), each) for each in extra]
            return [*((each, by_name.get(each.name)) for each in hints), *more]
        if extra:
            self.unknown_fields(hints, extra)
        if lacking and not extra and self.side == "input":
            names = ", ".join(each.name for each in lacking)
            self.disagree(f"the {self.side} rows lack {names}, which the model takes", "add them to each row")
        return [(each, by_name.get(each.name)) for each in hints]

    def renamed(
        self, hints: Sequence[Hint], by_name: dict[str, Field], others: dict[str, Field]
    ) -> list[tuple[Hint, Field | None]]:
        """Fields of other names: where those of the header are proposals, the sample's are taken."""
        made: list[tuple[Hint, Field | None]] = []
        for hint in hints:
            other = others.get(hint.name)
            if other is None:
                made.append((hint, by_name.get(hint.name)))
            elif hint.free:
                made.append((replace(hint, name=other.name, guess=""), other))
            else:
                message = f"the {self.side} rows have {other.name}, and the model's field is called {hint.name}"
                self.disagree(message, f"call it {hint.name}")
                made.append((hint, other))
        return made

    def unknown_fields(self, hints: Sequence[Hint], extra: Sequence[Field]) -> None:
        names = few((each.name for each in extra), 8)
        alone = hints[0] if len(hints) == 1 else None
        if alone and alone.sizes and len(extra) > 1 and all(isinstance(each.type, Scalar) for each in extra):
            fix = f'write each row as {{"{alone.name}": [...]}}, with these values in the order of training'
            self.disagree(f"the rows have the columns {names}, and the model takes one list, {alone.name}", fix)
            return
        taken = few((each.name for each in hints), 8)
        self.disagree(f"the {self.side} rows have {names}, and the model's fields are {taken}", "correct the sample")

    def field(self, hint: Hint, row: Field | None, typed: Typed | None) -> Field | None:
        """One field of the schema; None where nothing tells its type."""
        if hint.untold and row is None:
            self.tell_nothing(f"the {self.side} field {hint.name} {hint.untold}")
            return None
        type_ = hint.type if row is None else told_type(hint, row.type)
        if type_ is None:
            missing = " and ".join(what for what, told in (("type", hint.dtype), ("shape", hint.sizes)) if told is None)
            self.tell_nothing(f"nothing tells the {missing} of the {self.side} field {hint.name}")
            return None
        self.compare(hint, row)
        self.guess(hint, row, type_, typed)
        return Field(hint.name, type_, hint.optional)

    def tell_nothing(self, message: str) -> None:
        self.findings.append(UNTOLD.finding(message, fix="add rows with it to a sample, or write the schema by hand"))

    def compare(self, hint: Hint, row: Field | None) -> None:
        if row is None:
            return
        difference = _difference(hint, row.type)
        if difference:
            self.disagree(f"{hint.name}: {difference}", "correct the sample, or name the right model")
        if row.optional and not hint.optional and self.side == "input":
            self.disagree(f"some rows lack {hint.name}, which the model takes", "write it in each row")

    def guess(self, hint: Hint, row: Field | None, type_: Type, typed: Typed | None) -> None:
        """What was chosen, in words: the header's own choices, then those of the rows that it took over."""
        if hint.guess:
            self.guesses.append((hint.name, hint.guess))
        if row is None or typed is None or hint.whole is not None:
            return
        replaced = hint.dtype is not None or type_ != row.type
        for each in typed.guesses:
            told = replaced if each.about == "width" else hint.sizes is not None
            if each.field == row.name and not told:
                self.guesses.append((hint.name, each.text))
        if hint.sizes is not None and None in hint.sizes and not hint.varies:
            self.guesses += [(hint.name, said) for said in _open_sizes(hint.sizes, shape(row.type))]


def _open_sizes(told: tuple[int | None, ...], seen: tuple[int | None, ...]) -> Iterator[str]:
    """Sizes that the header leaves open and the sample does not."""
    if len(told) == len(seen) and None not in seen:
        yield f"* is what is told; all rows of the sample have {_sizes(seen)}, which is faster where it always holds"


def _difference(hint: Hint, row: Type) -> str | None:
    """How the values of a row cannot be what the header says; None where they may."""
    whole = hint.whole
    told = Scalar(hint.dtype) if hint.dtype else element(whole) if whole is not None else None
    sizes = hint.sizes if whole is None else shape(whole)
    seen = element(row)
    if isinstance(told, Scalar) and isinstance(seen, Scalar):
        wrong = _wrong_values(told.name, seen.name)
        if wrong:
            return f"{told.name} in the model, and {wrong} in the rows"
    elif told is not None and isinstance(told, Scalar) is not isinstance(seen, Scalar) and not isinstance(told, MapOf):
        ours = told.name if isinstance(told, Scalar) else "objects"
        return f"{ours} in the model, and {_word(seen)} in the rows"
    if sizes is None or _fits(sizes, shape(row)):
        return None
    return f"a row of the model is {_sizes(sizes)}, and of the sample {_sizes(shape(row))}"


def _wrong_values(dtype: str, seen: str) -> str | None:
    """The kind of the values, where a dtype cannot hold them. Numbers in a text or for a moment may be meant."""
    if dtype.startswith("float"):
        fine = seen in {*_WHOLE, "float64"}
    elif dtype.startswith(("int", "uint")):
        fine = seen in _WHOLE
    elif dtype in _TEXTS:
        fine = seen == "string"
    else:
        fine = seen == "bool" if dtype == "bool" else dtype.startswith(_TIMES)
    return None if fine else _WORDS.get(seen, "whole numbers")


def _fits(told: tuple[int | None, ...], seen: tuple[int | None, ...]) -> bool:
    """Whether the sample's sizes may be the model's. Rows of as many values may be sent flat."""
    if None not in told:
        return None not in seen and prod(each or 0 for each in told) == prod(each or 0 for each in seen)
    alike = len(told) == len(seen) and all(None in pair or pair[0] == pair[1] for pair in zip(told, seen, strict=True))
    return alike or len(seen) == 1


def _sizes(sizes: tuple[int | None, ...]) -> str:
    if not sizes:
        return "a single value"
    return "[" + ", ".join("*" if each is None else str(each) for each in sizes) + "]"


def _word(type_: Type) -> str:
    """What the rows hold, in words."""
    return _WORDS.get(type_.name, "whole numbers") if isinstance(type_, Scalar) else "objects"
