"""What the pages say is so: links lead somewhere, code runs, made pages are up to date."""

import json
import re
import runpy
import shlex
import tomllib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt

from intertask.recipe import Recipe
from tests import doc_files
from tests.cli.command import Command

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
LAB = DOCS / "lab"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
LARGEST = 20_000  # bytes of a page outside the laboratory
NOT_RUN = 2  # blocks that are left out, each with its reason
RUN = ("python", "console", "toml", "json")
SHOWN = ("text",)


@dataclass(frozen=True)
class Block:
    """A block of code, and what the comment right before it says."""

    language: str
    text: str
    line: int
    marks: dict[str, str]


def tokens(page):
    return MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))


def marks(text):
    """`<!-- name: value -->` as {name: value}."""
    return dict(re.findall(r"<!-- ([a-z ]+): (.*?) -->", text, re.DOTALL))


def blocks(page):
    found, before = [], ""
    for token in tokens(page):
        if token.type == "html_block":
            before = token.content
        elif token.type == "fence":
            found.append(Block(token.info.strip(), token.content, token.map[0] + 1, marks(before)))
            before = ""
        elif token.nesting == 0 or token.type.endswith("_open"):
            before = ""
    return found


def files_of(page):
    """The names of the files that a page's code expects, from its first comment `files`."""
    return marks(page.read_text(encoding="utf-8")).get("files", "").replace(",", " ").split()


def named(pages):
    return {"argvalues": pages, "ids": [str(page.relative_to(ROOT)) for page in pages]}


WITH_CODE = [page for page in PAGES if any(block.language in RUN for block in blocks(page))]


@pytest.mark.parametrize("page", **named(WITH_CODE))
def test_the_code_of_a_page_runs(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    doc_files.prepare(files_of(page), tmp_path)
    names = {"__name__": page.stem}
    command = Command(monkeypatch, capsys)
    if any(block.marks.keys() & {"request", "answer"} for block in blocks(page)):
        ask_the_service(page, tmp_path / "runs" / "recipe")
    for block in blocks(page):
        if "not run" in block.marks:
            continue
        if "file" in block.marks:
            (tmp_path / block.marks["file"]).write_text(block.text, encoding="utf-8")
        match block.language:
            case "python":
                exec(compile(block.text, f"{page.name}:{block.line}", "exec"), names)
            case "console":
                run_console(block, command, page)
            case "toml":
                refuse_no_recipe(block)
            case "json":
                compare_json(block, command)


def run_console(block, command, page):
    """Runs the commands of a block; what they print has the shown lines, whatever the figures are."""
    for words, shown in commands(block.text):
        place = f"{page.name}:{block.line}: {' '.join(words)}"
        assert words[0] == "intertask", (
            f"{place}: only intertask runs here; say why not: <!-- not run: ... -->"
        )
        done = command(*words[1:])
        refused = any(line.startswith("error: ") for line in shown)
        assert done.code == (2 if refused else 0), f"{place}: {done.err}"
        printed = {shape(line) for line in (done.out + done.err).splitlines()}
        for line in shown:
            assert "…" in line or shape(line) in printed, f"{place}\n{line!r} is not in\n{done.out}{done.err}"


def commands(text):
    """Each command of a console block, split into words, with the lines shown below it."""
    found = []
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("$ "):
            typed = line[2:]
            while typed.endswith("\\"):
                typed = typed[:-1] + next(lines)
            found.append((shlex.split(typed, comments=True), []))
        elif line.strip():
            found[-1][1].append(line)
    return found


def shape(line):
    """A line without its figures and spaces, which differ from machine to machine."""
    return re.sub(r"\s+", " ", re.sub(r"[-+]?\d[\d,.]*", "0", line)).strip()


def refuse_no_recipe(block):
    """A whole recipe, or sections that fit into one."""
    table = {name: part for name, part in tomllib.loads(block.text).items() if name != "tune"}
    whole = {"data": {"dataset": "synthetic"}, "tasks": {"next": {"kind": "next_item"}}}
    asked = {str(task.get("given")) for task in table.get("tasks", {}).values()} - {"None"}
    steps = {name: {"kind": "response", "label": name} for name in asked - set(table.get("tasks", {}))}
    Recipe.model_validate(whole | table | {"tasks": table.get("tasks", whole["tasks"]) | steps})


def compare_json(block, command):
    """The keys are those that a command prints; "…" stands for further ones."""
    shown = json.loads(block.text)
    if "keys of" not in block.marks:
        return
    words = shlex.split(block.marks["keys of"])
    done = command(*words[1:])
    assert done.code == 0, done.err
    same_keys(shown, json.loads(done.out), block.marks["keys of"])


def ask_the_service(page, run):
    """A block after `request: POST /v1/...` is answered, with the keys of the block after `answer: ...`."""
    pytest.importorskip("apsw", reason='pip install "intertask[serve]"')
    from tests.doc_service import served

    answers = {}
    with served(run) as client:
        for block in blocks(page):
            if asked := block.marks.get("request"):
                method, path = asked.split()
                done = client.request(method, path, json=json.loads(block.text))
                assert done.status_code == 200, f"{page.name}:{block.line}: {done.text}"
                answers[asked] = done.json()
            elif asked := block.marks.get("answer"):
                if asked not in answers:
                    answers[asked] = client.request(*asked.split()).json()
                same_keys(json.loads(block.text), answers[asked], asked)


def same_keys(shown, printed, where):
    if isinstance(shown, list) and shown:
        assert isinstance(printed, list), where
        for one in printed[:1]:
            same_keys(shown[0], one, f"{where}[0]")
    if isinstance(shown, dict):
        assert isinstance(printed, dict), where
        missing, more = set(shown) - set(printed) - {"…"}, set(printed) - set(shown)
        assert not missing and (not more or "…" in shown), f"{where}: missing {missing}, more {more}"
        for key in set(shown) & set(printed):
            same_keys(shown[key], printed[key], f"{where}.{key}")


@pytest.mark.parametrize("page", **named(PAGES))
def test_every_block_says_what_it_is_and_why_it_is_not_run(page):
    for block in blocks(page):
        assert block.language in (*RUN, *SHOWN), (
            f"{page.name}:{block.line}: {block.language or 'no language'}"
        )
        assert len(block.marks.get("not run", "a reason")) > 5, f"{page.name}:{block.line}"


def test_few_blocks_are_left_out():
    left = [
        f"{page.name}:{block.line}" for page in PAGES for block in blocks(page) if "not run" in block.marks
    ]
    assert len(left) == NOT_RUN, left


def anchors(page):
    """The names of a page's headings, as repository browsers and the site make them."""
    found = set()
    for opened, inline in pairwise(tokens(page)):
        if opened.type == "heading_open":
            words = "".join(child.content for child in inline.children)
            found.add(re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-"))
    return found


@pytest.mark.parametrize("page", **named(PAGES))
def test_links_lead_somewhere(page):
    for token in tokens(page):
        for child in token.children or ():
            href = child.attrGet("href") or child.attrGet("src")
            if href is None or re.match(r"[a-z]+:", str(href)):
                continue
            path, _, anchor = unquote(str(href)).partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), f"{page.name}: {href}"
            assert target == ROOT or ROOT in target.parents, f"{page.name}: {href} is outside"
            if anchor:
                assert anchor in anchors(target), f"{page.name}: {href}"


def test_every_page_can_be_reached_from_the_first():
    reached, left = set(), [DOCS / "index.md"]
    while left:
        page = left.pop()
        if page in reached:
            continue
        reached.add(page)
        hrefs = [str(child.attrGet("href")) for token in tokens(page) for child in token.children or ()]
        targets = [(page.parent / href.partition("#")[0]).resolve() for href in hrefs if ".md" in href]
        left += [target for target in targets if target.is_file()]
    assert set(DOCS.rglob("*.md")) <= reached


def test_pages_outside_the_laboratory_are_short():
    sizes = {page: page.stat().st_size for page in PAGES if LAB not in page.parents}
    assert {page.name: size for page, size in sizes.items() if size > LARGEST} == {}


@pytest.fixture
def programs(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS / "programs"))
    return lambda name: runpy.run_path(str(DOCS / "programs" / f"{name}.py"))


def test_made_pages_are_up_to_date(programs):
    assert programs("write")["outdated"]() == []  # python docs/programs/write.py


def test_every_option_is_described(programs):
    assert programs("options")["undescribed"]() == []
    assert programs("commands")["undescribed"]() == []
