"""What the name of a column says that it holds, in the languages of common exports."""

import re

# Words that say a role, and words that may say it.
_WORDS = {
    "user": (
        "user userid uid customer customerid client visitor visitorid member buyer shopper reviewer "
        "kunde kunden benutzer nutzer käufer kaeufer cliente usuario utilisateur acheteur utente "
        "klant клиент пользователь 用户 顧客",
        "session account person email player listener viewer konto besucher",
    ),
    "item": (
        "item itemid iid product productid sku article artikel stockcode movie film song track book "
        "isbn asin goods produkt producto produit articulo prodotto товар 商品",
        "stock offer content news video ware doc document page artist game recipe course mid",
    ),
    "time": (
        "time timestamp datetime date ts datum zeit zeitpunkt zeitstempel fecha heure data дата время 时间",
        "created when at day clock tag uhrzeit moment",
    ),
    "behaviour": (
        "behaviour behavior event eventtype action interaction ereignis aktion verhalten действие 行为",
        "type activity kind typ art vorgang status",
    ),
    "label": (
        "rating score stars bewertung sterne note liked like click clicked purchase purchased bought "
        "label target conversion оценка",
        "rate feedback points",
    ),
    "title": (
        "title name titel bezeichnung description beschreibung titulo titre название 标题",
        "text headline label",
    ),
    "tags": (
        "genre genres tags categories kategorien",
        "keywords topics themen",
    ),
}
_STRONG = {role: frozenset(words.split()) for role, (words, _) in _WORDS.items()}
_WEAK = {role: frozenset(words.split()) for role, (_, words) in _WORDS.items()}
_OTHER = frozenset(
    {"name", "title", "titel", "bezeichnung", "description", "beschreibung", "category", "kategorie", "count"}
    | {"price", "preis", "quantity", "menge", "group", "type"}
)

# The part of an object, as in `track.genres`; and a name that is an id's.
_PART = re.compile(r"\w\.\w+$")
_AN_ID = re.compile(r"(?:.*[\W_])?(?:id|uid|uuid|guid|nr|no|code|number|nummer|key)", re.IGNORECASE)


def named(name: str, role: str) -> float:
    """How clearly a name says a role: 3 as a whole, 2 by a part, 1 by a part of a part.

    A word that may say a role says it more clearly as an id (1.75, `listener.id`) than by a part (1.5,
    `listener.country`).
    """
    if role in ("user", "item") and _PART.search(name) and not _AN_ID.fullmatch(name):
        name = name.rpartition(".")[2]  # `track.genres` says something of a track, `track.id` which one it is
    strong, weak = _STRONG[role], _WEAK[role]
    whole, parts = re.sub(r"[\W_]+", "", name).casefold(), _parts(name)
    bare = re.sub(r"(id|nr|no|code|number|nummer)$", "", whole)
    if whole in strong or bare in strong:
        return 3.0
    if any(part in strong for part in parts):
        return 2.0
    if bare in weak and bare != whole:
        return 1.75
    if whole in weak or any(part in weak for part in parts):
        return 1.5
    return 1.0 if any(len(word) >= 4 and word in whole for word in strong) else 0.0


def _parts(name: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-zäöü])(?=[A-ZÄÖÜ])", " ", name)
    parts = [part for part in re.split(r"[\W_\d]+", spaced.casefold()) if part]
    return parts + [part.removesuffix("s") for part in parts]


def says_something_else(name: str) -> bool:
    """Whether a name says that a column describes users or items rather than identifies them."""
    return any(part in _OTHER for part in _parts(name)) or named(name, "title") >= 2
