"""Every command by its kind, as it travels: JSON in one direction, its answer or its refusal in the other."""

from typing import Annotated

from pydantic import Field, TypeAdapter

from intertask.service.answers import KeepAnswers, TrimAnswers
from intertask.service.canaries import CountAnswers, EndCanary, StartCanary
from intertask.service.events import Append, Forget
from intertask.service.experiments import AddExperiment, EndExperiment
from intertask.service.jobs import AddJob, ForgetArguments, MoveJob, StopJob, TakeJob
from intertask.service.parts import Part
from intertask.service.properties import (
    BringPeople,
    DeleteItem,
    DeletePerson,
    HideItems,
    MergePeople,
    PatchItems,
    PatchPeople,
    PutItems,
    PutPeople,
)
from intertask.service.rules import DeleteRule, PutRule
from intertask.service.tenants import AddKey, AddTenant, KeepSecret, RevokeKey
from intertask.service.versions import AddVersion, Alive, Raise, RollBack
from intertask.service.webhooks import DeleteWebhook, Delivered, PutWebhook

AnyCommand = Annotated[
    Append
    | Forget
    | KeepAnswers
    | TrimAnswers
    | PutItems
    | BringPeople
    | PatchItems
    | PatchPeople
    | AddExperiment
    | EndExperiment
    | StartCanary
    | EndCanary
    | CountAnswers
    | PutWebhook
    | DeleteWebhook
    | Delivered
    | PutRule
    | DeleteRule
    | HideItems
    | DeleteItem
    | PutPeople
    | DeletePerson
    | MergePeople
    | AddJob
    | TakeJob
    | Part
    | MoveJob
    | StopJob
    | ForgetArguments
    | AddTenant
    | AddKey
    | RevokeKey
    | KeepSecret
    | AddVersion
    | Raise
    | RollBack
    | Alive,
    Field(discriminator="kind"),
]
COMMANDS: TypeAdapter[AnyCommand] = TypeAdapter(AnyCommand)
