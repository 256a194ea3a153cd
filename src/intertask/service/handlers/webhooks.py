"""Addresses that are told what happens."""

from intertask.service import webhooks
from intertask.service.administration import WebhookAnswer, WebhookBody, WebhookQuery, WebhooksAnswer
from intertask.service.bodies import DoneAnswer
from intertask.service.fields import NoBody
from intertask.service.running import Call, Running
from intertask.service.webhooks import DeleteWebhook, PutWebhook


async def put(running: Running, call: Call, body: WebhookBody) -> WebhookAnswer:
    """Set an address that is told what happens; what it checks signatures by is shown this once."""
    url = webhooks.checked_url(body.url, private=running.place.settings.private_webhooks)
    secret = webhooks.new_secret()
    command = PutWebhook(tenant=call.tenant, by=call.holder.key, name=body.name, url=url, secret=secret)
    await running.access.write(command)
    return WebhookAnswer(name=body.name, url=url, secret=secret)


async def look(running: Running, call: Call, _body: NoBody) -> WebhooksAnswer:
    """All addresses, by name."""
    found = await running.access.read(webhooks.webhooks, call.tenant)
    return WebhooksAnswer(webhooks=tuple(WebhookBody(name=name, url=url) for name, url in found.items()))


async def delete(running: Running, call: Call, body: WebhookQuery) -> DoneAnswer:
    """Delete an address; what it was to be told is forgotten."""
    command = DeleteWebhook(tenant=call.tenant, by=call.holder.key, name=body.name)
    return DoneAnswer(changed=(await running.access.write(command)).changed)
