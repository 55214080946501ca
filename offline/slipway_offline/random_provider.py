"""The `random` resource plugin: values that are drawn once, kept in the state, and drawn anew when an input changes.

RandomPassword, RandomString, RandomId, RandomPet, RandomInteger, RandomUuid, RandomBytes and RandomShuffle, with the
inputs and outputs of the genuine plugin but for these: `bcryptHash` is not given out (it needs a package of its own),
`seed` is refused (the genuine one's sequence cannot be repeated here), and nothing can be imported.
"""

# Word lists read best as text; what a base class passes is not always wanted.
# ruff: noqa: ARG002, SIM905
from __future__ import annotations

import base64
import secrets
import string
import uuid
from typing import Any, ClassVar

from .properties import ANYTHING, Problem, Property, Schema, boolean, completed, integer, list_of, map_of, text
from .resource import Call, OperationError, Resource, Values
from .resource_provider import ResourceProvider, serve
from .values import Secret

VERSION = "4.21.4"
SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
ADVERBS = "barely boldly briefly calmly deeply duly early fairly firmly freely gladly hardly highly kindly".split()
ADJECTIVES = (
    "able apt bold brave brief bright busy calm civil clear close cool deep eager equal fair fast fine firm fit fleet "
    "fresh game glad good grand keen kind large light loyal lucky mild neat noble open pretty prime proud quick quiet "
    "rapid ready sharp smart steady sunny sure swift tidy true vital warm wise witty").split()
ANIMALS = (
    "ant ape asp bass bat bear bee bird boa buck bull calf cat clam cod colt cow crab crane crow deer dog dove duck "
    "eel elk emu ewe fawn finch fish flea fly fox frog goat goose gull hare hawk hen horse ibex jay kite koala lamb "
    "lark lion lynx mole moose moth mouse mule newt owl ox panda pig pony puma quail ram rat ray robin seal shad "
    "sheep shrew skink slug snail snipe sole stag stork swan swift tick toad trout viper vole wasp wolf yak").split()

KEEPERS: dict[str, Property] = {"keepers": map_of(ANYTHING)}
randomness = secrets.SystemRandom()


def at_least(least: int) -> Any:
    def problem(value: int) -> str | None:
        return None if value >= least else f"must be at least {least}"
    return problem


class Drawn(Resource):
    """A value with its keepers. A `secret` one's outputs are encrypted in the state."""

    secret: ClassVar[bool] = False

    def draw(self, inputs: Values) -> tuple[str, Values]:
        """The id, and the outputs besides the inputs."""
        raise NotImplementedError

    def create(self, call: Call, inputs: Values) -> tuple[str, Values]:
        inputs = completed(self.properties, inputs)
        resource_id, drawn = self.draw(inputs)
        return resource_id, self.marked(inputs | drawn)

    def read(self, call: Call, resource_id: str, state: Values, inputs: Values) -> tuple[Values, Values]:
        if not state:
            raise OperationError("the offline random plugin cannot import values")
        return self.marked(state), inputs

    def planned(self, inputs: Values) -> Values:
        return self.marked(super().planned(inputs))

    def marked(self, values: Values) -> Values:
        return {key: Secret(value) if self.secret and key in self.outputs else value for key, value in values.items()}


class RandomString(Drawn):
    """At least so many characters of each class as its minimum says, the rest from all the classes allowed."""

    token = "random:index/randomString:RandomString"  # noqa: S105
    properties: ClassVar[Schema] = KEEPERS | {
        "length": integer(required=True, valid=at_least(1)),
        "lower": boolean(default=True), "upper": boolean(default=True), "special": boolean(default=True),
        "numeric": boolean(default=True),
        "number": boolean(computed=True),  # the older name of numeric
        "minLower": integer(default=0, valid=at_least(0)), "minUpper": integer(default=0, valid=at_least(0)),
        "minNumeric": integer(default=0, valid=at_least(0)), "minSpecial": integer(default=0, valid=at_least(0)),
        "overrideSpecial": text(),
    }
    outputs = ("result",)

    def check(self, inputs: Values) -> list[Problem]:
        if inputs.get("number") is not None:
            if inputs.get("numeric") not in (None, inputs["number"]):
                return [Problem("number", "number is another name of numeric, and says otherwise")]
            inputs["numeric"] = inputs["number"]
        wanted = [inputs.get(key) or 0 for key in ("minLower", "minUpper", "minNumeric", "minSpecial")]
        known = all(isinstance(value, int) for value in (inputs["length"], *wanted))
        if known and inputs["length"] < sum(wanted):
            return [Problem("length", f"length must be at least {sum(wanted)}, the sum of the minimums")]
        return []

    def draw(self, inputs: Values) -> tuple[str, Values]:
        result = self.characters(inputs)
        return result, {"result": result, "number": inputs["numeric"]}

    def characters(self, inputs: Values) -> str:
        classes = [("lower", "minLower", string.ascii_lowercase), ("upper", "minUpper", string.ascii_uppercase),
                   ("numeric", "minNumeric", string.digits),
                   ("special", "minSpecial", inputs.get("overrideSpecial") or SPECIAL)]
        allowed = "".join(letters for wanted, _, letters in classes if inputs[wanted])
        result = [randomness.choice(letters) for _, least, letters in classes for _ in range(inputs[least])]
        if not allowed and len(result) < inputs["length"]:
            raise OperationError("lower, upper, numeric and special are all false: no characters to draw from")
        result += [randomness.choice(allowed) for _ in range(inputs["length"] - len(result))]
        randomness.shuffle(result)
        return "".join(result)


class RandomPassword(RandomString):
    token = "random:index/randomPassword:RandomPassword"  # noqa: S105
    secret = True

    def draw(self, inputs: Values) -> tuple[str, Values]:
        return "none", {"result": self.characters(inputs), "number": inputs["numeric"]}


class RandomId(Drawn):
    token = "random:index/randomId:RandomId"  # noqa: S105
    properties: ClassVar[Schema] = KEEPERS | {"byteLength": integer(required=True, valid=at_least(1)), "prefix": text()}
    outputs = ("b64Std", "b64Url", "dec", "hex")

    def draw(self, inputs: Values) -> tuple[str, Values]:
        raw, prefix = secrets.token_bytes(inputs["byteLength"]), inputs.get("prefix", "")
        plain = {"b64Std": base64.b64encode(raw).decode(), "b64Url": base64.urlsafe_b64encode(raw).decode().rstrip("="),
                 "dec": str(int.from_bytes(raw, "big")), "hex": raw.hex()}
        return plain["b64Url"], {key: prefix + value for key, value in plain.items()}


class RandomPet(Drawn):
    """A name of words; it is the id."""

    token = "random:index/randomPet:RandomPet"  # noqa: S105
    properties: ClassVar[Schema] = KEEPERS | {
        "length": integer(default=2, valid=at_least(1)), "separator": text(default="-"), "prefix": text()}

    def draw(self, inputs: Values) -> tuple[str, Values]:
        lists = [ADVERBS] * (inputs["length"] - 2) + [ADJECTIVES] * (inputs["length"] > 1) + [ANIMALS]
        words = [inputs["prefix"]] if inputs.get("prefix") else []
        return inputs["separator"].join([*words, *map(randomness.choice, lists)]), {}


class RandomInteger(Drawn):
    """From `min` to `max`, both included."""

    token = "random:index/randomInteger:RandomInteger"  # noqa: S105
    properties: ClassVar[Schema] = KEEPERS | {"min": integer(required=True), "max": integer(required=True)}
    outputs = ("result",)

    def check(self, inputs: Values) -> list[Problem]:
        low, high = inputs["min"], inputs["max"]
        swapped = isinstance(low, int) and isinstance(high, int) and low > high
        return [Problem("max", "max must not be less than min")] if swapped else []

    def draw(self, inputs: Values) -> tuple[str, Values]:
        result = randomness.randint(inputs["min"], inputs["max"])
        return str(result), {"result": result}


class RandomUuid(Drawn):
    token = "random:index/randomUuid:RandomUuid"  # noqa: S105
    properties: ClassVar[Schema] = KEEPERS
    outputs = ("result",)

    def draw(self, inputs: Values) -> tuple[str, Values]:
        result = str(uuid.uuid4())
        return result, {"result": result}


class RandomBytes(Drawn):
    token = "random:index/randomBytes:RandomBytes"  # noqa: S105
    properties: ClassVar[Schema] = KEEPERS | {"length": integer(required=True, valid=at_least(1))}
    outputs = ("base64", "hex")
    secret = True

    def draw(self, inputs: Values) -> tuple[str, Values]:
        raw = secrets.token_bytes(inputs["length"])
        return "none", {"base64": base64.b64encode(raw).decode(), "hex": raw.hex()}


class RandomShuffle(Drawn):
    """`resultCount` of the inputs in a new order, beginning again with all of them when they run out."""

    token = "random:index/randomShuffle:RandomShuffle"  # noqa: S105
    properties: ClassVar[Schema] = KEEPERS | {
        "inputs": list_of(text(), required=True), "resultCount": integer(computed=True, valid=at_least(0))}
    outputs = ("results",)

    def draw(self, inputs: Values) -> tuple[str, Values]:
        found, count = inputs["inputs"], inputs.get("resultCount", len(inputs["inputs"]))
        results: list[str] = []
        while found and len(results) < count:
            results += randomness.sample(found, min(len(found), count - len(results)))
        return "-", {"results": results}


class RandomProvider(ResourceProvider):
    name, version = "random", VERSION


RESOURCES = (RandomPassword, RandomString, RandomId, RandomPet, RandomInteger, RandomUuid, RandomBytes, RandomShuffle)

if __name__ == "__main__":
    serve(lambda engine: RandomProvider(engine, [resource() for resource in RESOURCES]))
