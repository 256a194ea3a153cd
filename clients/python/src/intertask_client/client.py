"""A client with retries: what may be sent twice is, what was refused is told."""

import random
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import httpx

AGAIN = (429, 502, 503, 504)
FIRST_WAIT, MOST_WAIT = 0.1, 30.0  # seconds
# Of the routes that are posted to, those that make nothing, or make it once.
ASKING = tuple(
    f"/v1/{name}"
    for name in ("events", "recommend", "recommend/next", "rerank", "similar", "latest", "predict")
)

Json = dict[str, Any]


class Refused(Exception):  # noqa: N818  (it is what the service says)
    """The service refuses a request.

    Args:
        status: Of HTTP.
        problem: What it says: where, expected, found, hint.
    """

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(str(problem.get("detail") or f"status {status}"))
        self.status = status
        self.where = str(problem.get("where", ""))
        self.expected = str(problem.get("expected", ""))
        self.found = str(problem.get("found", ""))
        self.hint = str(problem.get("hint", ""))
        self.request = str(problem.get("request", ""))


class Unreachable(Exception):  # noqa: N818
    """No answer came, however often it was asked."""


class Client:
    """A client.

    Args:
        url: The address that `intertask serve` prints.
        key: The key that it prints, or one of less rights.
        timeout: Seconds that one try may take.
        tries: How often a request is sent at most.
        transport: In place of the network, for tests.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float = 10.0,
        tries: int = 5,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        if tries < 1:
            raise ValueError(f"tries: expected 1 or more, found {tries}")
        self._tries = tries
        self._http = httpx.Client(
            base_url=url.rstrip("/"),
            headers={"authorization": f"Bearer {key}"},
            timeout=timeout,
            transport=transport,
        )

    def send(self, events: Iterable[Mapping[str, Any]], *, idempotency: str | None = None) -> Json:
        """Store events, all of them or none; they are on disk when this returns.

        Args:
            events: Of `user`, `item`, `behaviour`, and if known `id`, `time`, `value`, `session`,
                `recommendation`.
            idempotency: A key of this request; made here if left out.

        Raises:
            Refused: One of them cannot be.
            Unreachable: No answer came; sent again with the same key nothing is stored twice.
        """
        key = idempotency or uuid.uuid4().hex
        return self.ask("POST", "/v1/events", {"events": list(events)}, headers={"idempotency-key": key})

    def recommend(self, user: str | None = None, **wishes: Any) -> Json:  # noqa: ANN401  (whatever the route takes)
        """The best items for a user, or for a `history`; `wishes` are those of the route.

        Raises:
            Refused: The request cannot be answered.
            Unreachable: No answer came.
        """
        body = wishes if user is None else {"user": user, **wishes}
        return self.ask("POST", "/v1/recommend", body)

    def pages(self, user: str | None = None, **wishes: Any) -> Iterator[Json]:  # noqa: ANN401
        """The pages of a list, to its end: no item comes twice.

        Raises:
            Refused: The request cannot be answered.
            Unreachable: No answer came.
        """
        page = self.recommend(user, **wishes)
        yield page
        while page["cursor"] is not None:
            page = self.ask("POST", "/v1/recommend/next", {"cursor": page["cursor"]})
            yield page

    def similar(self, item: str, k: int = 10) -> Json:
        """The items that are most alike.

        Raises:
            Refused: No model knows the item.
            Unreachable: No answer came.
        """
        return self.ask("POST", "/v1/similar", {"item": item, "k": k})

    def put_items(self, items: Iterable[Mapping[str, Any]]) -> Json:
        """Set items: of `item`, and if known `properties` and `hidden`.

        Raises:
            Refused: One of them cannot be.
            Unreachable: No answer came.
        """
        return self.ask("PUT", "/v1/items", {"items": list(items)})

    def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        """The answer of any route; what would make a key or a job twice is not sent again into silence.

        Raises:
            Refused: The request cannot be answered.
            Unreachable: No answer came.
        """
        reason = ""
        for number in range(self._tries):
            wait = FIRST_WAIT * 2**number * random.uniform(1, 1.5)
            try:
                answer = self._http.request(
                    method,
                    path,
                    json=None if body is None else dict(body),
                    params=None if query is None else dict(query),
                    headers=None if headers is None else dict(headers),
                )
            except httpx.TransportError as error:
                reason = f"{type(error).__name__}: {error}"
                if method == "POST" and path not in ASKING and not isinstance(error, httpx.ConnectError):
                    break
            else:
                if answer.is_success:
                    found: Json = answer.json()
                    return found
                refusal = Refused(answer.status_code, _problem(answer))
                if answer.status_code not in AGAIN or number == self._tries - 1:
                    raise refusal
                wait = max(wait, _told(answer))
            if number < self._tries - 1:
                time.sleep(min(wait, MOST_WAIT))
        raise Unreachable(f"{method} {path}: no answer after {number + 1} of {self._tries} tries; {reason}")

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _problem(answer: httpx.Response) -> Json:
    try:
        found = answer.json()
    except ValueError:
        return {"detail": f"status {answer.status_code}: {answer.text[:200]}"}
    return found if isinstance(found, dict) else {}


def _told(answer: httpx.Response) -> float:
    """The seconds of Retry-After."""
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isdecimal() else 0.0
