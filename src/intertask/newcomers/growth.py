"""What a trained model learns without training: new items, their first events, what has happened since."""

import warnings
from collections.abc import Iterable
from typing import Self

import polars as pl

from intertask.answering import aims, updating
from intertask.answering.asking import Asking
from intertask.data.event_log import EventLog
from intertask.data.people import People
from intertask.data.tables import Source
from intertask.errors import RequestError
from intertask.newcomers import items as new_items
from intertask.newcomers import users as new_users
from intertask.newcomers import warming
from intertask.options import arguments
from intertask.options.arguments import Id
from intertask.terminal.progress import remark


class Growing(Asking):
    """Something trained on a log that goes on knowing more."""

    def add_items(self, items: Source) -> pl.DataFrame:
        """Make items recommendable that came after the training, by their content; nothing is trained.

        An item that is known is updated. What is saved from now on holds them.

        Args:
            items: A frame or a file with a column `item`, and columns as those of the catalogue of the
                training, of which any may be missing.

        Returns:
            Columns item, added (False where it was updated), text (as it was read), nearest (the trained
            items that it is most like) and share (of the lists of ten of known users that will hold it).

        Raises:
            RequestError: The model does not read content, the frame has none of its columns, or the encoder
                of its texts is not here.
            DataError: The frame cannot be read.
        """
        answerer = self._ready()
        found = new_items.add(answerer, aims.first_ranking(answerer.model), items)
        self._answerer, self.catalogue, self.fitted = found.answerer, found.answerer.catalogue, None
        if words := found.words():
            remark(words)
        return found.frame

    def warm(self, events: EventLog) -> pl.DataFrame:
        """Improve the vectors of new items by their first events, in one step and without training.

        Args:
            events: What happened since, read behind the stored events of its users. Each counts as often as
                it is handed over.

        Returns:
            Columns item, events (that were taken in now), evidence (all of them) and moved (how far the
            item's vector has moved).

        Raises:
            RequestError: The model reads no content, or no event is of a new item.
        """
        answerer = self._ready()
        if not isinstance(events, EventLog):
            raise RequestError(
                "warm", "an EventLog", type(events).__name__, "read it with EventLog.read(...)"
            )
        found = warming.warmed(answerer, aims.first_ranking(answerer.model), events)
        self._answerer, self.fitted = found.answerer, None
        return found.frame

    def update(self, events: EventLog | None = None, *, people: People | None = None) -> Self:
        """Take what has happened since: into histories, popularity and sources that count; train nothing.

        A warning counts events that are left out, of unknown items or known already, and older ones, which
        are put in their place. Afterwards it cannot be evaluated.

        Args:
            events: Of known or new users.
            people: What is known now of known or new users, for a model that reads it: attributes that are
                there are set, also to missing, and others stay.

        Raises:
            RequestError: They have a behaviour that the model does not know, or lack times that it needs; or
                people have no attribute that it reads, or one of another kind.
        """
        answerer = self._ready()
        if not isinstance(events, EventLog) and (events is not None or people is None):
            hint = "read it with EventLog.read(...)"
            raise RequestError("update", "an EventLog", type(events).__name__, hint)
        if people is not None:
            if not isinstance(people, People):
                hint = "read them with People.read(...)"
                raise RequestError("update", "People", type(people).__name__, hint)
            answerer = updating.with_people(answerer, people)
        if events is None:
            self._answerer, self.fitted = answerer, None
            return self
        found = updating.update(answerer, events)
        self._answerer, self.fitted = found.answerer, None
        if words := found.words():
            warnings.warn(f"events of the update: {words}", stacklevel=2)
        return self

    def stated(
        self,
        *,
        text: str | None = None,
        tags: Iterable[str] = (),
        liked: Iterable[Id] | None = None,
        k: int = 5,
    ) -> list[str] | list[int]:
        """Items that stand for what a new person says: a history to recommend by.

        Args:
            text: In words, as of items; needs a model that reads content, as do tags.
            tags: As the catalogue has them.
            liked: Known items.
            k: Items that stand for text and tags.

        Raises:
            RequestError: Nothing of it says anything to the model.
        """
        answerer = self._ready()
        k = arguments.whole(k, "k", 1, len(answerer.reader.items), ", the size of the catalogue")
        arguments.words({"text": text}, "text")
        return new_users.stated(answerer, text, new_users.words_of(tags), liked, k)
