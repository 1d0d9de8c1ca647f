"""Settings survive a restart, and no state of their file keeps the app from starting."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.assets import resource
from core.settings import Settings, cache_folder, load, models_root, runs_root, save, settings_file

CHANGED = Settings("zh", "dark", "/data/运行", "/big disk/models", True, "AdnQywADAAAA")


def written(text: str | bytes) -> Settings:
    path = settings_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load()


def test_what_was_saved_is_loaded() -> None:
    assert load() == Settings()
    save(CHANGED)
    assert load() == CHANGED
    save(replace(CHANGED, offline=False))
    assert load() == replace(CHANGED, offline=False)


def test_a_path_that_is_no_text_survives() -> None:
    """Linux names are bytes; Python carries the odd ones as half surrogate pairs."""
    odd = replace(Settings(), runs_folder="/data/\udcff")
    save(odd)
    assert load() == odd


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", b"\xff\xfe\x00", b"\0" * 100, "[" * 100_000])
def test_a_broken_file_gives_the_defaults(text: str | bytes) -> None:
    assert written(text) == Settings()


def test_a_folder_in_place_of_the_file_gives_the_defaults() -> None:
    settings_file().mkdir(parents=True)
    assert load() == Settings()


def test_each_broken_field_falls_back_on_its_own() -> None:
    assert written(json.dumps({"language": "fr", "theme": "dark", "from_the_future": 1})) == Settings(theme="dark")
    assert written(json.dumps({**asdict(CHANGED), "offline": 1})) == replace(CHANGED, offline=False)
    assert written(json.dumps({**asdict(CHANGED), "runs_folder": None})) == replace(CHANGED, runs_folder="")
    assert written(json.dumps({**asdict(CHANGED), "runs_folder": "a\0b"})) == replace(CHANGED, runs_folder="")


JSON = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2)


@given(st.dictionaries(st.sampled_from([*asdict(Settings()), "other"]), JSON))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_the_fields_hold_the_settings_can_be_used_and_saved(fields: dict[str, object]) -> None:
    found = written(json.dumps(fields))
    runs_root(found).exists()
    models_root(found).exists()
    save(found)
    assert load() == found


def test_one_variable_moves_everything(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = (settings_file(), cache_folder(), runs_root(Settings()), models_root(Settings()))
    assert len(set(places)) == 4
    assert all(place.is_relative_to(home) for place in places)
    monkeypatch.setenv("SOLOTUNE_HOME", str(tmp_path))
    assert runs_root(Settings()) == tmp_path / "data" / "runs"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOLOTUNE_HOME", "here")
    assert settings_file() == tmp_path / "here" / "config" / "settings.json"


def test_chosen_folders_win(tmp_path: Path) -> None:
    chosen = Settings(runs_folder=str(tmp_path / "r"), models_folder=str(tmp_path / "m"))
    assert (runs_root(chosen), models_root(chosen)) == (tmp_path / "r", tmp_path / "m")


def test_without_the_variable_the_user_s_folders_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOLOTUNE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    for place in (settings_file(), cache_folder(), runs_root(Settings()), models_root(Settings())):
        assert "SoloTune" in str(place)
        assert place.is_absolute()


def test_resources_are_found() -> None:
    assert resource("samples", "support_en.jsonl").is_file()
    assert resource("models.toml").is_file()


@pytest.mark.parametrize(
    ("field", "fits", "falls_back"),
    [
        ("source", ["auto", "huggingface", "mirror", "modelscope"], ["github", "", 1, None]),
        (
            "endpoint",
            ["", "https://hf-mirror.com", "http://127.0.0.1:8080/hub"],
            [
                "hf-mirror.com",
                "file:///etc/passwd",
                "https://",
                "https://me:secret@x.org",
                "https://a b",
                "http://[::1",
            ],
        ),
        ("proxy", ["", "http://10.0.0.1:3128", "socks5h://localhost:1080"], ["ftp://x", "http://me:secret@x:1", 7]),
        ("reserve_gb", [0.0, 0.5, 64.0], [-1.0, 65.0, float("nan"), "1", True]),
    ],
)
def test_where_models_come_from_and_what_is_spared(field: str, fits: list[object], falls_back: list[object]) -> None:
    for value in fits:
        assert getattr(written(json.dumps({field: value})), field) == value
    for value in falls_back:
        assert written(json.dumps({field: value})) == Settings()
