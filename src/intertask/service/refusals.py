"""What a request is refused for: the four parts of an `IntertaskError`, and a status of HTTP."""

from intertask.errors import IntertaskError


class RefusedError(IntertaskError):
    """A request that is not carried out; nothing of it was."""

    status = 400
    title = "Bad request"


class UnknownKeyError(RefusedError):
    """No key, or one that nobody has."""

    status = 401
    title = "No valid key"


class ForbiddenError(RefusedError):
    """A key whose role may not do this."""

    status = 403
    title = "Not allowed"


class MissingError(RefusedError):
    """Something that is not there."""

    status = 404
    title = "Not found"


class ConflictError(RefusedError):
    """A request that contradicts what is stored."""

    status = 409
    title = "Conflict"


class TooLargeError(RefusedError):
    """A body above the limit."""

    status = 413
    title = "Too large"


class ReusedKeyError(RefusedError):
    """An idempotency key that came with another body before."""

    status = 422
    title = "Idempotency key used for another request"


class BusyError(RefusedError):
    """More requests at once than can be answered."""

    status = 429
    title = "Too many requests"


class FaultError(RefusedError):
    """A fault of the service itself."""

    status = 500
    title = "Internal error"


class UnavailableError(RefusedError):
    """The database cannot be reached or written to; the same request may succeed later."""

    status = 503
    title = "Temporarily unavailable"


KINDS: dict[str, type[RefusedError]] = {
    kind.__name__: kind
    for kind in (
        RefusedError,
        UnknownKeyError,
        ForbiddenError,
        MissingError,
        ConflictError,
        TooLargeError,
        ReusedKeyError,
        BusyError,
        FaultError,
        UnavailableError,
    )
}
