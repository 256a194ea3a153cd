import pytest

from intertask.runs import run as runs
from tests import shop
from tests.cli.command import Command


@pytest.fixture
def intertask(monkeypatch, capsys):
    return Command(monkeypatch, capsys)


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A run that nobody may change: trained and evaluated."""
    folder = tmp_path_factory.mktemp("shop")
    runs.train(shop.write_files(folder), folder / "run")
    runs.evaluate(folder / "run")
    return folder / "run"


@pytest.fixture
def shop_files(tmp_path, monkeypatch):
    """The shop as files in the working folder; the path of its recipe, as a user writes it."""
    monkeypatch.chdir(tmp_path)
    return shop.write_files(tmp_path).relative_to(tmp_path)
