"""Random schemas, as SDL."""

from dataclasses import dataclass
from random import Random

from tests.graph.engine.inputs import InputField, Inputs, named

_LEAVES = ("Int", "Float", "String", "Boolean", "ID", "Odd", "Json")


@dataclass
class Schema:
    """SDL and what its input types are."""

    sdl: str
    inputs: Inputs


def random_schema(dice: Random) -> Schema:
    return _Maker(dice).schema()


class _Maker:
    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._inputs = Inputs()
        self._parts = ["scalar Odd", "scalar Json"]
        self._interfaces: dict[str, dict[str, str]] = {}
        self._ancestors: dict[str, set[str]] = {}
        count = dice.randint
        self._names = {
            kind: [f"{kind}{i}" for i in range(count(least, most))]
            for kind, least, most in (
                ("O", 2, 4),
                ("F", 0, 3),
                ("U", 0, 2),
                ("E", 1, 2),
                ("I", 1, 3),
            )
        }

    def schema(self) -> Schema:
        dice = self._dice
        for name in self._names["E"]:
            values = tuple(f"{name}_{i}" for i in range(dice.randint(1, 3)))
            self._inputs.enums[name] = values
            self._parts.append(f"enum {name} {{ {' '.join(values)} }}")
        for name in self._names["I"]:
            self._input(name)
        for name in self._names["F"]:
            self._interface(name)
        for name in self._names["O"]:
            self._object(name)
        for name in self._names["U"]:
            members = dice.sample(self._names["O"], dice.randint(1, len(self._names["O"])))
            self._parts.append(f"union {name} = {' | '.join(members)}")
        for name in ("Query", "Mutation", "Subscription"):
            fields = {f"{name[0].lower()}{i}": self._field() for i in range(dice.randint(2, 5))}
            self._parts.append(_block("type", name, "", fields))
        return Schema("\n".join(self._parts), self._inputs)

    def _input(self, name: str) -> None:
        dice = self._dice
        # The type may be its own field's, so that it is known before it has all its fields.
        fields = self._inputs.objects[name] = {"n0": InputField("Int")}
        if dice.random() < 0.25:
            self._inputs.one_of.add(name)
        for i in range(1, dice.randint(2, 4)):
            type_ = self._wrapped(dice.choice(self._inputs.names()))
            if name in self._inputs.one_of:
                type_ = type_.removesuffix("!")
            elif named(type_) == name:
                type_ = dice.choice((name, f"[{name}!]"))
            fields[f"n{i}"] = self._place(type_, name not in self._inputs.one_of)
        directive = " @oneOf" if name in self._inputs.one_of else ""
        lines = {key: str(place) for key, place in fields.items()}
        self._parts.append(_block("input", name, directive, lines))

    def _place(self, type_: str, may_default: bool) -> InputField:
        has_default = (
            may_default and named(type_) not in self._inputs.objects and self._dice.random() < 0.4
        )
        return InputField(type_, self._inputs.literal(self._dice, type_) if has_default else None)

    def _interface(self, name: str) -> None:
        fields, implemented = self._inherited(list(self._interfaces))
        for i in range(self._dice.randint(1, 2)):
            fields[f"{name.lower()}_{i}"] = self._field()
        self._interfaces[name] = fields
        self._ancestors[name] = implemented
        self._parts.append(_block("interface", name, _implements(implemented), fields))

    def _object(self, name: str) -> None:
        fields, implemented = self._inherited(list(self._interfaces))
        for i in self._dice.sample(range(6), self._dice.randint(2, 4)):
            fields[f"f{i}"] = self._field()
        self._parts.append(_block("type", name, _implements(implemented), fields))

    def _inherited(self, from_: list[str]) -> tuple[dict[str, str], set[str]]:
        """The fields that come with some interfaces, made non-null here and there, and these interfaces."""
        chosen = {name for name in from_ if self._dice.random() < 0.5}
        chosen |= {above for name in chosen for above in self._ancestors[name]}
        fields: dict[str, str] = {}
        for name in sorted(chosen):
            for key, type_ in self._interfaces[name].items():
                if not fields.get(key, "").endswith("!"):
                    fields[key] = type_
        for key, type_ in fields.items():
            if not type_.endswith("!") and self._dice.random() < 0.25:
                fields[key] = f"{type_}!"
        return fields, chosen

    def _field(self) -> str:
        """A field's arguments and type."""
        dice = self._dice
        composites = [*self._names["O"], *self._names["F"], *self._names["U"]]
        leaves = [*_LEAVES, *self._names["E"]]
        type_ = self._wrapped(dice.choice(composites if dice.random() < 0.55 else leaves))
        count = dice.choice((0, 0, 0, 1, 2, 3))
        arguments = [
            f"a{i}: {self._place(self._wrapped(dice.choice(self._inputs.names())), may_default=True)}"
            for i in range(count)
        ]
        return f"{'(' + ', '.join(arguments) + ')' if arguments else ''}: {type_}"

    def _wrapped(self, name: str) -> str:
        dice = self._dice
        for _ in range(dice.choice((0, 0, 0, 1, 1, 2))):
            name = f"[{name}{'!' if dice.random() < 0.35 else ''}]"
        return f"{name}{'!' if dice.random() < 0.25 else ''}"


def _implements(names: set[str]) -> str:
    return f" implements {' & '.join(sorted(names))}" if names else ""


def _block(kind: str, name: str, after: str, fields: dict[str, str]) -> str:
    colon = ": " if kind == "input" else ""
    lines = "".join(f"  {key}{colon}{rest}\n" for key, rest in fields.items())
    return f"{kind} {name}{after} {{\n{lines}}}"
