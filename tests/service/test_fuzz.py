"""Whatever is sent to whichever route: an answer or a refusal in one line, and never a fault of ours."""

import json
import random
import string

from intertask.service.routes import ROUTES
from tests.fuzzing import fuzz

ODD = [
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31,
    2**53,
    2**63 - 1,
    -(2**63),
    2**64,
    1e308,
    -0.0,
    0.5,
    "",
    " ",
    "№1",
    "ü1",
    "a" * 300,
    "\u202e",
    "\U0001f600",
    "'; DROP TABLE events; --",
    "%s",
    "?",
    "{}",
    "$1",
    "\\",
    '"',
    "\x7f",
    "2026-11-01T10:00:00Z",
    "2026-11-01T10:00:00+99:99",
    "9999-12-31T23:59:59Z",
    "buy",
    "next",
    [],
    [[]],
    {},
    {"a": 1},
    ["№1"],
    [{"item": "№1"}],
    {"buys": 1},
    {"next": 1e-9},
    "'odd' in genres",
    "title == 'x' and not 1",
    "0" * 40,
    "-" * 3,
    "NaN",
    "\u0661",
    "\ufb00",
    "\u0301",
    "it_0_0",
    "../../etc/passwd",
    "http://127.0.0.1/",
]
RAW = [
    b"\x00",
    b"\xff",
    b'"\xed\xa0\x80"',
    b'{"user": "\\ud83d"}',
    b"\xef\xbb\xbf{}",
    b"1" * 50,
    b"{" * 50,
    b"null",
    b"[]",
]


class Sender:
    """Sends what a generator of random numbers makes of the bodies that routes take."""

    def __init__(self, client, seed: int) -> None:
        self.client, self.random = client, random.Random(seed)

    def value(self, depth: int = 0) -> object:
        if depth < 3 and self.random.random() < 0.15:
            return [self.value(depth + 1) for _ in range(self.random.randrange(4))]
        if depth < 3 and self.random.random() < 0.1:
            return {self.word(): self.value(depth + 1) for _ in range(self.random.randrange(4))}
        return self.random.choice(ODD)

    def word(self) -> str:
        letters = string.ascii_letters + "\u0000\ud800 \t'\"%/"
        return "".join(self.random.choice(letters) for _ in range(self.random.randrange(8)))

    def body(self, schema, definitions) -> object:
        """Mostly as the schema says, so that what lies behind the door is met too."""
        if self.random.random() < 0.08:
            return self.value()
        if "$ref" in schema:
            return self.body(definitions[schema["$ref"].rpartition("/")[2]], definitions)
        if "anyOf" in schema:
            return self.body(self.random.choice(schema["anyOf"]), definitions)
        return self.typed(schema, definitions)

    def typed(self, schema, definitions) -> object:
        kind = schema.get("type")
        if kind == "object" and "properties" in schema:
            needed = schema.get("required", [])
            return {
                name: self.body(part, definitions)
                for name, part in schema["properties"].items()
                if self.random.random() < (0.97 if name in needed else 0.3)
            }
        if kind == "array":
            return [self.body(schema["items"], definitions) for _ in range(self.random.randrange(1, 4))]
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        plain = {"integer": [1, 2, 3, 10], "number": [0.5, 1, -1], "boolean": [True, False], "null": [None]}
        texts = ["№1", "№2", "ü1", "u", "buy", "view", "next", "'odd' in genres", "2026-11-01T10:00:00Z"]
        return self.random.choice(plain.get(kind, texts))

    def send(self, route):
        schema = route.body.model_json_schema()
        body = self.body(schema, schema.get("$defs", {}))
        if route.in_query:
            given = body if isinstance(body, dict) else {"x": body}
            query = {str(name): str(part) for name, part in given.items()}
            query = {n: p.encode("utf-8", "replace").decode() for n, p in query.items() if n.isprintable()}
            return self.client.request(route.method, route.path, params=query)
        content = json.dumps(body).encode()
        if self.random.random() < 0.1:
            content = self.random.choice(RAW)
        elif self.random.random() < 0.1:
            cut = self.random.randrange(len(content) + 1)
            content = content[:cut] + bytes([self.random.randrange(256)]) + content[cut + 1 :]
        headers = (
            {"idempotency-key": self.random.choice(["a", "b", "c"])} if self.random.random() < 0.2 else {}
        )
        return self.client.request(route.method, route.path, content=content, headers=headers)


ROUTES_TRIED = [route for route in ROUTES if route.path not in ("/v1/keys/revoke", "/v1/models/publish")]


def test_no_body_is_a_fault_of_ours(client, capsys):
    """Keys are not revoked, or the client's own would go."""

    def one(generator):
        sender = Sender(client, int(generator.integers(2**31)))
        for route in ROUTES_TRIED:
            found = sender.send(route)
            assert found.status_code < 500, (route.path, found.request.content, found.text)
            if found.status_code != 200:
                detail = found.json()["detail"]
                assert "\n" not in detail and len(detail) < 2_000, detail

    fuzz(one, inputs=15, allowed=())
    assert "Traceback" not in capsys.readouterr().err
