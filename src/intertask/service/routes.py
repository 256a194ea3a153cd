"""The table of routes: method, path, who may, what comes, what goes. `openapi.py` writes it down."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from intertask.service import (
    bodies,
    browsing_bodies,
    experiment_bodies,
    list_bodies,
    listing_bodies,
    prediction_bodies,
    rule_bodies,
)
from intertask.service.administration import (
    AliasAnswer,
    AuditAnswer,
    AuditQuery,
    KeyBody,
    KeysAnswer,
    ModelsAnswer,
    NewKeyAnswer,
    PublishBody,
    RecipeAnswer,
    RevokeBody,
    TenantBody,
    TenantsAnswer,
    VersionQuery,
    WebhookAnswer,
    WebhookBody,
    WebhookQuery,
    WebhooksAnswer,
)
from intertask.service.fields import Body, NoBody
from intertask.service.handlers import (
    browsing,
    events,
    experiments,
    jobs,
    keys,
    listing,
    lists,
    models,
    predictions,
    rules,
    things,
    webhooks,
)
from intertask.service.job_bodies import (
    EraseBody,
    FileAnswer,
    ImportQuery,
    JobAnswer,
    JobQuery,
    JobsAnswer,
    JobsQuery,
    ModelQuery,
    ReportAnswer,
    TrainBody,
    TuneBody,
)
from intertask.service.running import Call, Running
from intertask.service.tenants import Role

VERSION = "1.12.0"  # of the interface: whatever changes `openapi.json` raises it

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
METHODS: tuple[Method, ...] = ("GET", "POST", "PUT", "PATCH", "DELETE")
READ: tuple[Role, ...] = ("read", "editor", "admin")
ASK: tuple[Role, ...] = ("read", "browser", "editor", "admin")
INGEST: tuple[Role, ...] = ("ingest", "browser", "editor", "admin")
EDIT: tuple[Role, ...] = ("editor", "admin")
ADMIN: tuple[Role, ...] = ("admin",)

Handler = Callable[[Running, Call, Body], Awaitable[Body]]
Coming = TypeVar("Coming", bound=Body)


@dataclass(frozen=True)
class Route:
    """One route.

    Args:
        method: Of HTTP.
        path: Below the address.
        roles: Of the keys that may use it.
        body: What comes, in the body, or in the query where the method has none.
        answer: What goes.
        handler: What is done.
        told: That in one line.
        idempotent: Whether it takes an Idempotency-Key.
        file: Whether the body is a file, and the arguments stand in the query.
    """

    method: Method
    path: str
    roles: tuple[Role, ...]
    body: type[Body]
    answer: type[Body]
    handler: Handler
    told: str
    idempotent: bool = False
    file: bool = False

    @property
    def in_query(self) -> bool:
        """Whether its arguments stand in the query."""
        return self.file or self.method in ("GET", "DELETE")


def _route(
    place: str,
    roles: tuple[Role, ...],
    body: type[Coming],
    answer: type[Body],
    does: Callable[[Running, Call, Coming], Awaitable[Body]],
    *,
    idempotent: bool = False,
    file: bool = False,
) -> Route:
    async def handler(running: Running, call: Call, content: Body) -> Body:
        assert isinstance(content, body)
        return await does(running, call, content)

    method, _, path = place.partition(" ")
    known = next(one for one in METHODS if one == method)
    told = (does.__doc__ or "").strip().splitlines()[0]
    return Route(known, path, roles, body, answer, handler, told, idempotent, file)


ROUTES = (
    _route("POST /v1/events", INGEST, bodies.EventsBody, bodies.EventsAnswer, events.store, idempotent=True),
    _route(
        "POST /v1/recommend", ASK, list_bodies.RecommendBody, list_bodies.RecommendAnswer, lists.recommend
    ),
    _route("POST /v1/recommend/next", ASK, list_bodies.NextBody, list_bodies.RecommendAnswer, lists.further),
    _route("GET /v1/recommendations", READ, list_bodies.GivenQuery, list_bodies.GivenAnswer, lists.given),
    _route("POST /v1/rerank", ASK, list_bodies.RerankBody, list_bodies.RerankAnswer, lists.rerank),
    _route(
        "POST /v1/predict",
        ASK,
        prediction_bodies.PredictBody,
        prediction_bodies.PredictAnswer,
        predictions.predict,
    ),
    _route("POST /v1/latest", ASK, browsing_bodies.LatestBody, browsing_bodies.LatestAnswer, browsing.latest),
    _route(
        "POST /v1/similar", ASK, browsing_bodies.SimilarBody, browsing_bodies.SimilarAnswer, browsing.similar
    ),
    _route(
        "GET /v1/popular", ASK, browsing_bodies.PopularQuery, browsing_bodies.SimilarAnswer, browsing.popular
    ),
    _route("PUT /v1/items", EDIT, bodies.ItemsBody, bodies.DoneAnswer, things.put_items),
    _route("PATCH /v1/items", EDIT, bodies.ItemsPatch, bodies.DoneAnswer, things.patch_items),
    _route("GET /v1/items/all", READ, listing_bodies.ThingsQuery, listing_bodies.ItemsAnswer, listing.items),
    _route(
        "POST /v1/items/matching",
        READ,
        listing_bodies.MatchingBody,
        listing_bodies.MatchingAnswer,
        listing.matching,
    ),
    _route("GET /v1/items", READ, bodies.ItemQuery, bodies.ItemBody, things.get_item),
    _route("DELETE /v1/items", EDIT, bodies.ItemQuery, bodies.DoneAnswer, things.delete_item),
    _route("POST /v1/items/hide", EDIT, bodies.HideBody, bodies.DoneAnswer, things.hide_items),
    _route("PUT /v1/users", EDIT, bodies.UsersBody, bodies.DoneAnswer, things.put_users),
    _route("PATCH /v1/users", EDIT, bodies.UsersPatch, bodies.DoneAnswer, things.patch_users),
    _route("GET /v1/users/all", READ, listing_bodies.ThingsQuery, listing_bodies.UsersAnswer, listing.users),
    _route("GET /v1/users", READ, bodies.UserQuery, bodies.UserAnswer, things.get_user),
    _route("DELETE /v1/users", EDIT, bodies.UserQuery, bodies.DoneAnswer, things.delete_user),
    _route("POST /v1/users/merge", EDIT, bodies.MergeBody, bodies.DoneAnswer, things.merge_users),
    _route("PUT /v1/rules", EDIT, rule_bodies.RuleBody, bodies.DoneAnswer, rules.put),
    _route("GET /v1/rules", READ, NoBody, rule_bodies.RulesAnswer, rules.look),
    _route("DELETE /v1/rules", EDIT, rule_bodies.RuleQuery, bodies.DoneAnswer, rules.delete),
    _route(
        "PUT /v1/experiments",
        ADMIN,
        experiment_bodies.ExperimentBody,
        experiment_bodies.BegunAnswer,
        experiments.add,
    ),
    _route(
        "POST /v1/experiments/size",
        READ,
        experiment_bodies.SizeBody,
        experiment_bodies.SizeAnswer,
        experiments.size,
    ),
    _route("GET /v1/experiments", READ, NoBody, experiment_bodies.ExperimentsAnswer, experiments.look),
    _route(
        "POST /v1/experiments/end",
        ADMIN,
        experiment_bodies.ExperimentQuery,
        bodies.DoneAnswer,
        experiments.end,
    ),
    _route(
        "GET /v1/experiments/result",
        READ,
        experiment_bodies.ExperimentQuery,
        experiment_bodies.ResultAnswer,
        experiments.result,
    ),
    _route(
        "POST /v1/experiments/estimate",
        READ,
        experiment_bodies.EstimateBody,
        experiment_bodies.EstimateAnswer,
        experiments.other,
    ),
    _route("GET /v1/models", READ, NoBody, ModelsAnswer, models.models),
    _route("GET /v1/models/recipe", READ, VersionQuery, RecipeAnswer, models.recipe),
    _route(
        "POST /v1/models/publish",
        ADMIN,
        PublishBody,
        AliasAnswer,
        models.publish,
    ),
    _route("POST /v1/models/rollback", ADMIN, NoBody, AliasAnswer, models.roll_back),
    _route(
        "POST /v1/import",
        EDIT,
        ImportQuery,
        JobAnswer,
        jobs.bring_in,
        file=True,
    ),
    _route("POST /v1/export", EDIT, NoBody, JobAnswer, jobs.write_out),
    _route("GET /v1/export", EDIT, JobQuery, FileAnswer, jobs.fetch),
    _route("GET /v1/jobs", EDIT, JobQuery, JobAnswer, jobs.look),
    _route("POST /v1/jobs/stop", EDIT, JobQuery, JobAnswer, jobs.stop),
    _route("POST /v1/models", ADMIN, ModelQuery, JobAnswer, jobs.add_model, file=True),
    _route("POST /v1/train", ADMIN, TrainBody, JobAnswer, jobs.train),
    _route("POST /v1/tune", ADMIN, TuneBody, JobAnswer, jobs.tune),
    _route("GET /v1/tune/report", EDIT, JobQuery, ReportAnswer, jobs.report),
    _route("GET /v1/jobs/all", EDIT, JobsQuery, JobsAnswer, jobs.every),
    _route("POST /v1/erase", EDIT, EraseBody, JobAnswer, jobs.erase),
    _route("GET /v1/tenants", ADMIN, NoBody, TenantsAnswer, keys.all_tenants),
    _route("POST /v1/tenants", ADMIN, TenantBody, NewKeyAnswer, keys.add_tenant),
    _route("PUT /v1/webhooks", ADMIN, WebhookBody, WebhookAnswer, webhooks.put),
    _route("GET /v1/webhooks", ADMIN, NoBody, WebhooksAnswer, webhooks.look),
    _route("DELETE /v1/webhooks", ADMIN, WebhookQuery, bodies.DoneAnswer, webhooks.delete),
    _route("GET /v1/keys", ADMIN, NoBody, KeysAnswer, keys.keys),
    _route("GET /v1/audit", ADMIN, AuditQuery, AuditAnswer, keys.changes),
    _route("POST /v1/keys", ADMIN, KeyBody, NewKeyAnswer, keys.add_key),
    _route("POST /v1/keys/revoke", ADMIN, RevokeBody, bodies.DoneAnswer, keys.revoke_key),
)
