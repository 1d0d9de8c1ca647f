"""Shortcuts as the systems take them, an uninstall that leaves what is the person's, packages that hold all files."""

import json
import os
import plistlib
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.__main__ import is_path
from core.assets import resource
from core.cli import run
from core.desktop import linux, mac, shortcut, windows
from core.desktop.entry import argument, entry, text
from core.desktop.program import Program, program, program_of
from core.desktop.uninstall import remover, uninstall
from core.problems import Code, Trouble
from core.settings import Settings, cache_folder, load, measured_file, models_root, runs_root, save, settings_file
from launch import dialog
from launch.stamp import Place
from launch.uninstall import uninstall as uninstall_by_run
from launch.uninstall import usual_folders

ROOT = Path(__file__).parents[1]
ODD = '/home/张 三/50% "$HOME" `x` \\ it\'s/run.py'

linux_only = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="writes the entries of Linux")


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person with a desktop, whose folders are elsewhere than this one's."""
    home = tmp_path / "张 三"
    (home / "Desktop").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return home


# The command


def test_run_py_starts_its_own_environment_and_the_package_any_other(tmp_path: Path) -> None:
    base, venv = Path("/usr/bin/python3"), tmp_path / ".venv"
    python = venv / "bin" / "python"
    assert program_of(tmp_path, venv, base, python).command == (str(python), "-P", "-m", "gui")
    (tmp_path / "run.py").touch()
    found = program_of(tmp_path, venv, base, python)
    # the Python beneath: run.py makes the environment anew when it is broken
    assert found == Program((str(base), str(tmp_path / "run.py"), "--window"), str(tmp_path), str(python))
    other = program_of(tmp_path, Path("/pipx"), base, Path("/pipx/bin/python"))
    assert other.command == ("/pipx/bin/python", "-P", "-m", "gui")


def test_windows_takes_the_python_without_a_console(tmp_path: Path) -> None:
    for name in ("python.exe", "pythonw.exe"):
        (tmp_path / name).touch()
    found = program_of(tmp_path, Path("/x"), tmp_path / "python.exe", tmp_path / "python.exe")
    assert found.command[0] == str(tmp_path / "pythonw.exe")


def test_paths_open_the_window_and_words_are_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "a.jsonl").touch()
    assert [is_path(word) for word in ("runs", "demo", "--json", "b.jsonl")] == [False] * 4
    assert all(map(is_path, ("./runs", "a.jsonl", str(tmp_path), str(tmp_path / "runs"))))


# Linux


def parsed(value: str) -> list[str]:
    """The words of an Exec line, undone as the specification says: first the line's own marks, then the quotes."""
    marks = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
    value = re.sub(r"\\(.)", lambda found: marks[found[1]], value)
    words, word, quoted, position = list[str](), "", False, 0
    while position < len(value):
        letter = value[position]
        if letter == '"':
            quoted = not quoted
        elif letter == "\\" and quoted:
            position += 1
            word += value[position]
        elif letter == " " and not quoted:
            words.append(word)
            word = ""
        else:
            word += letter
        position += 1
    return [found.replace("%%", "%") for found in (*words, word)]


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1), min_size=1))
def test_every_path_survives_the_entry(words: list[str]) -> None:
    line = text(" ".join(map(argument, words)))
    assert "\n" not in line
    assert parsed(line) == words


@linux_only
@pytest.mark.skipif(shutil.which("desktop-file-validate") is None, reason="needs desktop-file-utils")
@pytest.mark.parametrize("path", ["/opt/solotune/run.py", ODD])
def test_the_entry_is_valid(tmp_path: Path, path: str) -> None:
    file = tmp_path / "solotune.desktop"
    file.write_text(entry(("/usr/bin/python3", path, "--window"), path), encoding="utf-8")
    done = subprocess.run(["desktop-file-validate", str(file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@linux_only
def test_the_shortcut_is_in_the_menu_and_on_the_desktop(person: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["--install-shortcut", "--json"])
    assert ended.value.code == 0
    files = [Path(name) for name in json.loads(capsys.readouterr().out)["files"]]
    share = person / ".local" / "share"
    assert files[0] == share / "applications" / "solotune.desktop"
    words = files[0].read_text(encoding="utf-8")
    assert parsed(re.findall(r"^Exec=(.*)$", words, re.MULTILINE)[0]) == [*program().command, "%F"]
    assert {"Name=SoloTune", "Comment[zh_CN]=用一块显卡微调语言模型"} <= set(words.splitlines())
    assert (share / "icons/hicolor/scalable/apps/solotune.svg").is_file()
    shown = person / "Desktop" / "solotune.desktop"
    assert shown.read_text(encoding="utf-8") == words and os.access(shown, os.X_OK)
    assert all(file.is_file() for file in files)
    removed = shortcut.remove()
    assert set(map(str, files)) == set(removed)
    assert not list(person.rglob("*solotune*"))
    assert shortcut.installed() is None and shortcut.remove() == []


@linux_only
def test_a_desktop_of_another_name_or_none(person: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert linux.desktop_folder() == person / "Desktop"
    config = person / ".config" / "user-dirs.dirs"
    config.parent.mkdir()
    (person / "桌面").mkdir()
    config.write_text('# made by xdg-user-dirs\nXDG_DESKTOP_DIR="$HOME/桌面"\n', encoding="utf-8")
    assert linux.desktop_folder() == person / "桌面"
    config.write_text('XDG_DESKTOP_DIR="$HOME/"\n')
    assert linux.desktop_folder() is None
    monkeypatch.setenv("XDG_DATA_HOME", "relative/is/none")
    assert linux.places()[0].is_relative_to(person)


@linux_only
def test_a_moved_folder_brings_its_shortcut_along(
    person: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not shortcut.refresh()
    old = Program((str(tmp_path / "old" / "python"), "run.py"), str(tmp_path / "old"), str(tmp_path / "old" / "python"))
    monkeypatch.setattr(shortcut, "program", lambda: old)
    made = shortcut.install()
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "python").touch()
    now = Program(("/new/python", "/new/run.py"), "/new", "/new/python")
    monkeypatch.setattr(shortcut, "program", lambda: now)
    # another SoloTune that is alive keeps its shortcut
    assert not shortcut.refresh()
    shutil.rmtree(tmp_path / "old")
    assert shortcut.refresh()
    assert "Exec=/new/python /new/run.py %F" in Path(made.files[0]).read_text()
    assert not shortcut.refresh()
    monkeypatch.setattr(shortcut, "FORM", shortcut.FORM + 1)
    assert shortcut.refresh()


# Windows and macOS, as text: neither is at hand


def test_the_script_for_windows_takes_paths_literally() -> None:
    made = Program(("C:\\Users\\张 三\\pythonw.exe", "D:\\it’s $a\\run.py", "--window"), "D:\\it’s $a", "")
    words = windows.script(made, Path("icon's.ico"))
    assert "$link.Path = 'C:\\Users\\张 三\\pythonw.exe'" in words
    assert "$link.Arguments = '\"D:\\it’’s $a\\run.py\" --window'" in words
    assert "SetIconLocation('icon''s.ico', 0)" in words
    assert words.count("'") % 2 == 0
    assert windows.encoded("é") == "6QA="


@pytest.mark.skipif(shutil.which("pwsh") is None, reason="needs PowerShell")
def test_powershell_reads_the_script(tmp_path: Path) -> None:
    file = tmp_path / "script.ps1"
    file.write_text(windows.script(program(), Path("a.ico")), encoding="utf-8-sig")
    ask = (
        f"$e = $null; [void][Management.Automation.Language.Parser]::ParseFile('{file}', [ref]$null, [ref]$e); $e.Count"
    )
    done = subprocess.run(["pwsh", "-NoProfile", "-Command", ask], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


def test_the_bundle_for_macos_is_whole(tmp_path: Path) -> None:
    made = Program(("/usr/bin/python3", ODD, "--window"), "/x", "")
    mac.write(tmp_path, made)
    facts = plistlib.loads((tmp_path / "Contents" / "Info.plist").read_bytes())
    starter = tmp_path / "Contents" / "MacOS" / facts["CFBundleExecutable"]
    assert os.access(starter, os.X_OK)
    first, second = starter.read_text(encoding="utf-8").splitlines()
    assert first == "#!/bin/sh"
    assert shlex.split(second) == ["exec", *made.command, "$@"]
    assert (tmp_path / "Contents" / "Resources" / f"{facts['CFBundleIconFile']}.icns").is_file()


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_the_starter_of_the_bundle_passes_files_on(tmp_path: Path) -> None:
    file = tmp_path / "start"
    file.write_text(mac.starter_of(Program((sys.executable, "-c", "import sys; print(sys.argv[1:])"), "", "")))
    done = subprocess.run(["sh", file, "a b", "问"], capture_output=True, text=True, check=True)
    assert done.stdout == "['a b', '问']\n"


def test_the_icons_have_the_sizes_that_they_say() -> None:
    folder = resource("icons", "app")
    for size in linux.SIZES:
        assert struct.unpack(">II", (folder / f"{size}.png").read_bytes()[16:24]) == (size, size)
    ico = (folder / "solotune.ico").read_bytes()
    for n in range(struct.unpack("<HHH", ico[:6])[2]):
        width, _, _, _, _, _, length, place = struct.unpack("<BBBBHHII", ico[6 + 16 * n : 22 + 16 * n])
        assert ico[place : place + 4] == b"\x89PNG" and place + length <= len(ico)
        assert struct.unpack(">I", ico[place + 16 : place + 20]) == (width or 256,)
    icns = (folder / "solotune.icns").read_bytes()
    assert icns[:8] == b"icns" + struct.pack(">I", len(icns))


# Uninstall and upgrade


def keep_things(chosen: Settings) -> None:
    """Write one of everything that SoloTune keeps."""
    save(chosen)
    notes = [settings_file().with_name(f"{name}.json") for name in ("tokens-in-keyring", "moving", "moved")]
    for path in (cache_folder() / "window.log", models_root(chosen) / "a--b" / "model.safetensors", measured_file(),
                 runs_root(chosen) / "run1" / "plan.json", *notes):  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x" * 1000)


@linux_only
def test_an_uninstall_leaves_what_is_the_persons_and_says_so(person: Path, home: Path) -> None:
    keep_things(Settings())
    shortcut.install()
    done = uninstall()
    assert {kept.what for kept in done.removed} == {"shortcut", "cache"}
    assert [(kept.what, kept.bytes) for kept in done.left][:2] == [("runs", 1000), ("models", 1000)]
    assert done.left[2].path == str(settings_file())
    assert not cache_folder().exists() and runs_root(load()).exists()
    again = uninstall(with_data=True)
    assert {kept.what for kept in again.removed} == {"runs", "models", "settings"}
    assert again.left == ()
    assert not [path for path in home.rglob("*") if path.is_file()]


@linux_only
def test_what_is_not_ours_is_never_removed(person: Path, tmp_path: Path) -> None:
    chosen = Settings(runs_folder=str(tmp_path / "mine"), models_folder=str(tmp_path / "hub"))
    keep_things(chosen)
    diary = tmp_path / "mine" / "diary.txt"
    diary.write_text("x")
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "kept").touch()
    cache_folder().joinpath("link").symlink_to(outside)
    (tmp_path / "hub" / "c--d").mkdir()
    (tmp_path / "hub" / "c--d" / "solotune-origin.json").write_text('{"model": "c/d"}')
    done = uninstall(with_data=True)
    assert not (tmp_path / "hub" / "c--d").exists()
    assert diary.exists() and not (tmp_path / "mine" / "run1").exists()
    assert (tmp_path / "hub" / "a--b").exists()
    assert ("models", str(tmp_path / "hub")) in [(kept.what, kept.path) for kept in done.left]
    assert (outside / "kept").exists()


def test_nothing_goes_while_a_run_is_trained(person: Path) -> None:
    keep_things(Settings())
    here = psutil.Process()
    busy = runs_root(Settings()) / "run1" / "busy.json"
    busy.write_text(json.dumps({"pid": here.pid, "created": here.create_time()}))
    with pytest.raises(Trouble) as told:
        uninstall(with_data=True)
    assert told.value.problem.code is Code.RUN_BUSY
    assert cache_folder().exists()


@pytest.mark.parametrize("words", [["--with-data"], ["--install-shortcut", "--uninstall"], ["--json"]])
def test_wrong_words_change_nothing(person: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(words)
    assert ended.value.code == 2
    assert "--install-shortcut" in capsys.readouterr().err
    assert not [path for path in person.rglob("*") if path.is_file()]


def test_each_installer_removes_what_it_installed(tmp_path: Path) -> None:
    assert remover(tmp_path, Path("/home/a/.local/share/pipx/venvs/solotune")) == "pipx uninstall solotune"
    assert remover(tmp_path, Path("/home/a/.local/share/uv/tools/solotune")) == "uv tool uninstall solotune"
    (tmp_path / "run.py").touch()
    assert remover(tmp_path, tmp_path / ".venv") == "python run.py --uninstall"
    assert remover(tmp_path, Path("/usr")) == f'"{sys.executable}" -m pip uninstall solotune'


@linux_only
def test_run_py_uninstalls_also_a_broken_environment(
    person: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shortcut.install()
    place = Place(tmp_path / "app")
    (place.venv / "lib").mkdir(parents=True)
    (place.venv / "lib" / "big").touch()
    os.truncate(place.venv / "lib" / "big", 300_000_000)
    assert uninstall_by_run(place, ["--uninstall"]) == 0
    assert not place.venv.exists() and not place.lock.exists()
    assert not list(person.rglob("*solotune*"))
    said = capsys.readouterr().err
    assert "(0.3 GB)" in said and os.environ["SOLOTUNE_HOME"] in said
    assert uninstall_by_run(place, ["--uninstall"]) == 0


def test_a_shortcut_goes_without_any_library() -> None:
    """run.py removes it with the Python beneath, which has nothing but its own modules."""
    script = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from core.desktop import linux, mac, shortcut, windows\n"
        "print(shortcut.remove())"
    )
    environment = {"HOME": "/nowhere", "SYSTEMROOT": os.environ.get("SYSTEMROOT", "")}
    command = [sys.executable, "-I", "-S", "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_run_py_knows_the_folders_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOLOTUNE_HOME")
    assert {settings_file().parent, measured_file().parent} == set(usual_folders())


def test_run_py_keeps_the_environment_when_the_command_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path)
    place.python.parent.mkdir(parents=True)
    place.python.write_text('#!/bin/sh\ntest "$SOLOTUNE_BY_RUN" = 1 && exit 7\n')
    place.python.chmod(0o755)
    monkeypatch.setattr("launch.uninstall.working_python", lambda *_a, **_k: "3.11")
    assert uninstall_by_run(place, ["--uninstall", "--with-data"]) == 7
    assert place.python.exists()


def test_settings_of_the_first_version_still_load() -> None:
    first = {"language": "zh", "theme": "dark", "runs_folder": "/r", "models_folder": "/m", "offline": True,
             "geometry": "AdnQ", "advanced": True}  # fmt: skip
    settings_file().parent.mkdir(parents=True)
    settings_file().write_text(json.dumps(first))
    found = load()
    assert (found.language, found.geometry, found.advanced, found.shortcut_offered) == ("zh", "AdnQ", True, False)


# Sentences without a console


@linux_only
def test_a_sentence_is_shown_by_the_first_program_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = tmp_path / "said"
    program = tmp_path / "kdialog"
    program.write_text(f'#!/bin/sh\nprintf "%s" "$4" > "{said}"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}")
    begun: list[list[str]] = []
    monkeypatch.setattr(dialog, "_begin", lambda command: begun.append(command) or True)
    dialog.show('“x” & <b> "y"')
    assert [command[0] for command in begun] == ["kdialog"]
    assert '“x” & <b> "y"' in begun[0]
    monkeypatch.setenv("PATH", "/nowhere")
    dialog.show("nobody hears it")
    assert len(begun) == 1


# Packages

#: Builds both packages from the folder it stands in, as pip and `python -m build` have setuptools do.
BUILD = "from setuptools import build_meta as b; b.build_wheel('out'); b.build_sdist('out')"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheel and sdist, built from a copy: the build leaves its own files behind."""
    copy = tmp_path_factory.mktemp("packages")
    for path in ROOT.iterdir():
        if path.is_file() and path.name != ".venv.lock":
            shutil.copy(path, copy)
        elif path.name in ("core", "gui", "resources", "launch", "tests", "docs"):
            shutil.copytree(path, copy / path.name, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([sys.executable, "-c", BUILD], cwd=copy, check=True, capture_output=True)
    return copy / "out"


def test_the_wheel_holds_every_module_and_resource(packages: Path) -> None:
    (wheel,) = packages.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        names = {name for name in opened.namelist() if ".dist-info/" not in name}
        (starts,) = (name for name in opened.namelist() if name.endswith("entry_points.txt"))
        words = opened.read(starts).decode()
    assert names == shipped("core", "gui", "resources")
    assert {"resources/icons/app/solotune.ico", "resources/locale/zh_CN/LC_MESSAGES/solotune.mo"} <= names
    assert "[console_scripts]\nsolotune = core.__main__:main" in words
    assert "[gui_scripts]\nsolotune-window = gui.__main__:main" in words


def test_the_source_package_can_be_set_up_by_run_py(packages: Path) -> None:
    (source,) = packages.glob("*.tar.gz")
    with tarfile.open(source) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert shipped("core", "gui", "resources", "launch", "docs") <= names
    assert {"run.py", "constraints.txt", "pyproject.toml", "README.md", "README.zh-CN.md", "LICENSE"} <= names
    assert {"tests/test_run.py", "tests/conftest.py"} <= names


def shipped(*folders: str) -> set[str]:
    """Every file of these folders."""
    found = (path for name in folders for path in (ROOT / name).rglob("*") if path.is_file())
    return {path.relative_to(ROOT).as_posix() for path in found if "__pycache__" not in path.parts}
