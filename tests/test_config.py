"""Configuration: defaults, origins, and one sentence for whatever is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from optconsole import config
from optconsole.brokers.paper.settings import PaperSettings
from optconsole.cli.main import run
from optconsole.engine.model.errors import Refusal


def written(home: Path, text: str) -> Path:
    (home / config.FILE_NAME).write_text(text, encoding="utf-8")
    return home


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    assert config.load(tmp_path) == config.Settings()


def test_the_paper_section_is_what_the_paper_broker_takes() -> None:
    assert PaperSettings(**config.Paper().broker_fields()) == PaperSettings()


def test_values_carry_where_they_come_from(tmp_path: Path) -> None:
    found = config.read(written(tmp_path, '# mine\n[ui]\ntheme = "dusk"\n\n[keys]\n"screen.chain" = "f2"\n'))
    origins = {each.key: (each.value, each.origin) for each in found.effective()}
    path = tmp_path / "config.toml"
    assert origins["ui.theme"] == ("dusk", f"{path}:3")
    assert origins["keys.screen.chain"] == ("f2", f"{path}:6")
    assert origins["ui.sound"] == (True, "default")


def test_dotted_keys_and_tables_of_keys_mean_the_same(tmp_path: Path) -> None:
    for text in ('keys.screen.chain = "f2"', '[keys]\nscreen.chain = "f2"', '[keys.screen]\nchain = "f2"'):
        found = config.read(written(tmp_path, text))
        assert dict(found.settings.keys) == {"screen.chain": "f2"}


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("[ui\n", "CONFIG_BROKEN", "line 1, column 4"),
        ("[ui]\nthem = 'x'", "CONFIG_KEY", "config.toml line 2: ui.them is not a setting; did you mean ui.theme?"),
        ("[iu]\n", "CONFIG_KEY", "config.toml line 1: iu is not a setting; did you mean ui?"),
        ("[ui]\nhz = 100", "CONFIG_VALUE", "config.toml line 2: ui.hz is 100"),
        ("[ui]\n\nascii = 'yes'", "CONFIG_VALUE", "config.toml line 3: ui.ascii is 'yes'"),
        ("ui = 3", "CONFIG_VALUE", "it is a section; write its settings under [ui]"),
        ("[paper]\ncapital = 0", "CONFIG_VALUE", "paper.capital is 0"),
        ("[paper]\ncapital = 1.5", "CONFIG_VALUE", "paper.capital is 1.5"),
        ("[keys]\nhelp = 3", "CONFIG_VALUE", "keys.help is 3"),
        ("[risk]\nmax_lots_per_order = 'many'", "CONFIG_VALUE", "line 2"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_its_place(text: str, code: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(Refusal) as caught:
        config.load(written(tmp_path, text))
    assert caught.value.code == code
    assert said in caught.value.text
    assert "\n" not in caught.value.text


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Refusal) as caught:
        config.load(tmp_path)
    assert caught.value.code == "CONFIG_BROKEN"


def test_a_folder_in_the_files_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.toml").mkdir()
    with pytest.raises(Refusal) as caught:
        config.load(tmp_path)
    assert caught.value.code == "CONFIG_UNREADABLE"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("postgresql+psycopg://me:hunter2@host:5432/db", "postgresql+psycopg://me:***@host:5432/db"),
        ("postgresql://host/db?user=me&password=hunter2", "postgresql://host/db?user=me&password=***"),
        ("postgresql://me:hun@ter/2@[::1/db", "postgresql://me:***@[::1/db"),
        ("sqlite:////var/x.db", "sqlite:////var/x.db"),
        (7, 7),
    ],
)
def test_passwords_are_masked(value: object, shown: object) -> None:
    assert config.redacted(value) == shown


def test_config_show_masks_and_names_the_origin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, '[store]\nurl = "postgresql+psycopg://me:hunter2@host/db"\n')
    assert run(["config", "show", "--json", "--home", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "hunter2" not in out
    assert json.loads(out)["settings"]["store.url"] == {
        "value": "postgresql+psycopg://me:***@host/db",
        "origin": f"{tmp_path / 'config.toml'}:2",
    }
    assert run(["config", "show", "--home", str(tmp_path)]) == 0
    assert "hunter2" not in capsys.readouterr().out


def test_config_check_knows_themes_and_bindings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "check", "--home", str(tmp_path)]) == 0
    for text, said in (("[ui]\ntheme = 'nosuch'", "is not a theme"), ("[keys]\nhlep = 'f1'", "did you mean help?")):
        written(tmp_path, text)
        capsys.readouterr()
        assert run(["config", "check", "--home", str(tmp_path)]) == 1
        assert said in capsys.readouterr().err


ZERODHA = '[accounts.main]\nbroker = "zerodha"\nmode = "live"\n'
ANGEL = '[accounts.second]\nbroker = "angelone"\nclient_id = "A1"\n'


def test_accounts_are_sections_by_name(tmp_path: Path) -> None:
    found = config.read(written(tmp_path, f'{ZERODHA}data = 2\nrest_url = "http://127.0.0.1:9000/"\n\n{ANGEL}'))
    main, second = found.settings.accounts.values()
    assert (main.broker, main.mode, main.rank, main.rest_url) == ("zerodha", "live", 2, "http://127.0.0.1:9000")
    assert (second.mode, second.rank, second.client_id) == ("paper", 1, "A1")
    origins = {each.key: each.origin for each in found.effective()}
    assert origins["accounts.main.mode"] == f"{tmp_path / 'config.toml'}:3"
    assert origins["accounts.second.mode"] == "default"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ('[accounts.a]\nbroker = "zerodah"', "CONFIG_VALUE", "line 2: accounts.a.broker is 'zerodah'"),
        (ZERODHA + "clientid = 'X'", "CONFIG_KEY", "did you mean accounts.main.client_id?"),
        (ZERODHA + "mode2 = 'X'", "CONFIG_KEY", "did you mean accounts.main.mode?"),
        (ZERODHA + "rest_url = 'http://api.kite.trade'", "CONFIG_VALUE", "http:// is for this machine only"),
        (ZERODHA + "ws_url = 'ws://ws.kite.trade'", "CONFIG_VALUE", "ws:// is for this machine only"),
        (ZERODHA + "ws_url = 'https://ws.kite.trade'", "CONFIG_VALUE", "write it as wss://"),
        (ZERODHA + "rest_url = 'https://me:pw@api.kite.trade'", "CONFIG_VALUE", "neither user, query nor fragment"),
        (ZERODHA + "rest_url = 'https://h:99999'", "CONFIG_VALUE", "it is not an address"),
        (ZERODHA + "rest_url = 'http://localhost.evil.example'", "CONFIG_VALUE", "http:// is for this machine only"),
        (ZERODHA + "roots = 'ca.pem'", "CONFIG_VALUE", "roots is for rehearsals"),
        (ZERODHA + "data = 0", "CONFIG_VALUE", "accounts.main.data"),
        ('[accounts.a]\nbroker = "shoonya"', "CONFIG_VALUE", "line 1: accounts.a; set client_id"),
        ('[accounts.a]\nbroker = "paper"\nmode = "live"', "CONFIG_VALUE", "has no live orders"),
        ('[accounts.a]\nbroker = "paper"\nclient_id = "X"', "CONFIG_VALUE", "is embedded"),
        ('[accounts.a]\nmode = "live"', "CONFIG_VALUE", "accounts.a.broker; field required"),
        ('[accounts."a b"]\nbroker = "paper"', "CONFIG_VALUE", "is no account's name"),
        ('[accounts.paper]\nbroker = "zerodha"', "CONFIG_VALUE", "is also paper.account"),
        (ANGEL + ANGEL.replace("second", "third").replace("A1", "a1"), "CONFIG_VALUE", "are the same user"),
        ("accounts = 3", "CONFIG_VALUE", "accounts is 3"),
    ],
)
def test_nonsense_about_an_account_is_one_sentence(text: str, code: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(Refusal) as caught:
        config.load(written(tmp_path, text))
    assert caught.value.code == code
    assert said in caught.value.text
    assert "pw@" not in caught.value.text
