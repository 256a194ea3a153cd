"""What a user's mistake looks like. Knows nothing of files, frames or tensors.

Every error that a user can cause is an `IntertaskError` with the same four parts: where, what was
expected, what was found, what to do. The command line prints it as one line, without a traceback; what
cannot be printed in it is written out (`printable`).
"""

from intertask.terminal.printable import printable


class IntertaskError(Exception):
    """A mistake that can be mended from outside.

    Args:
        where: File, section, column or argument, as the user wrote it.
        expected: What would have been accepted there.
        found: What stood there.
        hint: What to do about it, as an order ("add ...", "did you mean ...?").
    """

    def __init__(self, where: str, expected: str, found: str, hint: str = "") -> None:
        self.where = where
        self.expected = expected
        self.found = found
        self.hint = hint
        super().__init__(str(self))

    def __str__(self) -> str:
        where, expected, found, hint = (
            _cut(printable(part), most)
            for part, most in ((self.where, 300), (self.expected, 400), (self.found, 300), (self.hint, 200))
        )
        line = f"{where}: expected {expected}, found {found}"
        return f"{line}; {hint}" if hint else line


def _cut(text: str, most: int) -> str:
    """A part of a message, its middle left out where it is long: a name may have a million characters."""
    return text if len(text) <= most else f"{text[: most // 2]} ... {text[-most // 2 :]}"


class DataError(IntertaskError):
    """An event log, a catalogue or a data set that cannot be used as it is."""


class RecipeError(IntertaskError):
    """A recipe with an unknown key, an unknown kind, or a value out of range."""


class LeakageError(IntertaskError):
    """A split in which training could see what evaluation asks for."""


class TrainingError(IntertaskError):
    """Training that cannot start or go on, such as a loss that is not finite."""


class ArtefactError(IntertaskError):
    """A model folder that is truncated, altered, incomplete, foreign or too new."""


class ProtocolError(IntertaskError):
    """Two results that were not measured in the same way."""


class WriteError(IntertaskError):
    """A place that cannot be written to, such as a full disk or a folder of somebody else."""


class RequestError(IntertaskError):
    """A request for recommendations that cannot be answered."""
