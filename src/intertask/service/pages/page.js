"use strict";
// The page to try a service on. Texts are put in as texts, never as HTML.

const at = (name) => document.getElementById(name);
const key = at("key");

// The key may stand behind the # of the address, which no server sees; it is kept for this tab alone.
// A user may stand there as well, and is asked for at once.
const given = new URLSearchParams(location.hash.slice(1));
if (given.get("key")) {
  sessionStorage.setItem("key", given.get("key"));
  history.replaceState(null, "", location.pathname);
}
key.value = sessionStorage.getItem("key") || "";
key.addEventListener("input", () => { sessionStorage.setItem("key", key.value.trim()); active(); });

async function send(method, path, body) {
  const headers = { authorization: `Bearer ${key.value.trim()}` };
  if (body !== undefined) headers["content-type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await answer.text();
  let table = {};
  try { table = JSON.parse(text); } catch { table = { detail: text.slice(0, 2000) }; }
  if (!answer.ok) throw new Error(table.detail || `status ${answer.status}`);
  return table;
}

function element(name, text, parent) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

async function active() {
  const place = at("active");
  if (!place || !key.value) return;
  try {
    const models = (await send("GET", "/v1/models")).models;
    const one = models.find((model) => model.active);
    place.textContent = one
      ? `Version ${one.version} answers: ${one.facts.name}, ${one.facts.items} items, tasks ${one.facts.tasks}.`
      : "No model is published.";
  } catch (error) { place.textContent = error.message; }
}

function asked() {
  const body = { k: Number(at("k").value) || 10, explain: true, titles: true };
  const user = at("user").value.trim();
  const lines = at("history").value.split("\n").map((line) => line.trim()).filter(Boolean);
  if (user) body.user = user;
  if (lines.length) {
    body.history = lines.map((line) => {
      const [, item, behaviour] = line.match(/^(.*?)(?:\s+(\S+))?$/);
      return behaviour ? { item, behaviour } : { item };
    });
  }
  for (const name of ["filter", "behaviour"]) if (at(name).value.trim()) body[name] = at(name).value.trim();
  if (at("seen").checked) body.seen = true;
  const temperature = Number(at("temperature").value);
  if (temperature > 0) body.explore = { temperature };
  return body;
}

const inShell = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function inPython(value) {
  if (value === null) return "None";
  if (value === true || value === false) return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(inPython).join(", ")}]`;
  if (typeof value === "object") {
    return `{${Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}: ${inPython(one)}`).join(", ")}}`;
  }
  return JSON.stringify(value);
}

function show(body, answer) {
  at("answer").hidden = false;
  const degraded = answer.degraded ? `; without the ${answer.degraded}` : "";
  at("told").textContent = `${answer.items.length} items by ${answer.model}${degraded}`;
  const list = at("list");
  list.replaceChildren();
  const scores = answer.items.map((one) => one.score);
  const [least, most] = [Math.min(...scores), Math.max(...scores)];
  for (const one of answer.items) {
    const line = element("li", one.title ? `${one.title} (${one.item})` : one.item, list);
    const meter = element("meter", undefined, line);
    meter.value = most > least ? 0.1 + 0.9 * (one.score - least) / (most - least) : 1;
    meter.title = `score ${one.score}`;
    const told = [`score ${one.score.toFixed(3)}`];
    if (one.propensity !== undefined) told.push(`drawn with probability ${one.propensity.toPrecision(2)}`);
    const reasons = (one.because || []).filter((reason) => reason.change < 0);
    if (reasons.length) told.push(`because of ${reasons.map((reason) => `${reason.title || reason.item} (${reason.change.toFixed(2)})`).join(", ")}`);
    element("small", told.join("; "), line);
  }
  const text = JSON.stringify(body);
  at("curl").textContent = `curl -H "Authorization: Bearer $KEY" -d ${inShell(text)} ${location.origin}/v1/recommend`;
  const named = Object.entries(body).map(([name, one]) => `${name}=${inPython(one)}`).join(", ");
  at("python").textContent = `from intertask_client import Client\n\nclient = Client(${JSON.stringify(location.origin)}, key)\nclient.recommend(${named})`;
}

async function known(user) {
  at("known").hidden = true;
  if (!user) return;
  let found;
  try { found = await send("GET", `/v1/users?user=${encodeURIComponent(user)}`); } catch { return; }
  const list = at("events");
  list.replaceChildren();
  for (const event of found.events.slice(-10).reverse()) {
    element("li", `${event.behaviour} ${event.item}, ${event.time}`, list);
  }
  at("known").hidden = found.events.length === 0;
}

if (at("ask")) {
  at("ask").addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = asked();
    at("refusal").hidden = true;
    try {
      show(body, await send("POST", "/v1/recommend", body));
      await known(body.user);
    } catch (error) {
      at("answer").hidden = true;
      at("refusal").textContent = error.message;
      at("refusal").hidden = false;
    }
  });
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(at(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });
}

for (const form of document.querySelectorAll("form[data-path]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const place = form.querySelector("pre");
    const body = form.querySelector("textarea");
    const query = new URLSearchParams();
    for (const input of form.querySelectorAll("input")) if (input.value) query.set(input.name, input.value);
    const path = form.dataset.path + (query.size ? `?${query}` : "");
    try {
      const found = await send(form.dataset.method, path, body ? JSON.parse(body.value) : undefined);
      place.textContent = JSON.stringify(found, null, 2);
    } catch (error) { place.textContent = error.message; }
    place.hidden = false;
  });
}

active();
if (at("ask") && given.get("user")) {
  at("user").value = given.get("user");
  at("ask").requestSubmit();
}
