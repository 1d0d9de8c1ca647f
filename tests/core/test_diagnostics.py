"""The zip for helpers holds what helps, and nothing that tells who somebody is: planted secrets are searched for."""

import io
import json
import random
import sys
import time
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from core.doctor.diagnostics import MOST, scrubber_of, write_diagnostics
from core.doctor.readings import Cards, Place, Readings
from core.doctor.scrub import Scrubber, scrubber_here
from core.doctor.tails import tail, without
from core.events import Failed, Finished, Noted, Sampled, Side, StepDone
from core.findings import Check, FindingCode, found
from core.gpu import Card
from core.plan import Mix, TrainingPlan
from core.problems import Code, Problem
from core.programs import GpuProcess
from core.runs import RunFolder
from core.settings import Settings, cache_folder, runs_root
from core.wire import encode

HF = "hf_" + "AbCdEfGhIjKlMnOpQrStUvWxYz01234567"[:34]
MS = "ms-0f3c9a52-7b1e-4c6d-9e8f-1a2b3c4d5e6f"
USER, HOST, MAIL = "adalovelace", "ADAS-TOWER", "ada.lovelace@analytical-engines.co.uk"
PROXY = "p4ss:w0rd!z"
#: None of these may be anywhere in the zip, in any case and in any spelling.
PLANTED = (HF, MS, USER, "Ada Lovelace", "Lovelace", HOST, MAIL, "p4ss:w0rd", "p4ss%3Aw0rd", "kunden_2024", "Sonderbar",
           "zahnarzt.exe", "what does the patient", "Der Patient klagt", "gehstuetze", "病人说他头痛", "GPU-12345678",
           "proxyuser", "secret-project", "dXNlcjpwYXNzd29yZA")  # fmt: skip

LOG = rf"""Traceback (most recent call last):
  File "/home/{USER}/SoloTune/core/engine/train.py", line 70, in train
    raise ValueError(text)
  File "C:\Users\{USER}\SoloTune\core\engine\train.py", line 12, in run
  File "C:\\Users\\Ada Lovelace\\AppData\\Local\\Temp\\x.py", line 3
  File "D:/Users/Ada%20Lovelace/x.py", "/Users/{USER}/Library/x", "/mnt/c/Users/{USER}/y", "/media/{USER}/disk/z"
ValueError: cannot read kunden_2024.jsonl of secret-project: 'Der Patient klagt seit drei Tagen über Schmerzen'
OSError: [Errno 2] No such file: '/srv/secret-project/kunden_2024.jsonl'
jinja2.exceptions.TemplateError: what does the patient say about the new medicine today?
KeyError: '病人说他头痛，已经持续三天了，吃药没有用'
KeyError: "\u75c5\u4eba\u8bf4\u4ed6\u5934\u75db\uff0c\u5df2\u7ecf\u6301\u7eed"
Authorization: Bearer {HF}
headers={{'authorization': 'Bearer {HF}', 'Cookie': 'session=dXNlcjpwYXNzd29yZA'}}
Proxy-Authorization: Basic dXNlcjpwYXNzd29yZA==
HF_TOKEN={HF} MODELSCOPE_API_TOKEN={MS} token='{HF}'
https://proxyuser:p4ss%3Aw0rd!z@proxy.corp.example:8080 refused; http://{HF}@huggingface.co/api
{MAIL} wrote to <{MAIL}> (mailto:{MAIL.replace("@", "%40")})
{HOST}.local: {HOST.lower()} said no; user={USER}, {USER.upper()}'s computer
card GPU-12345678-aaaa-bbbb-cccc-1234567890ab
step 12 loss 1.234 RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB
"""


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", USER)
    monkeypatch.setenv("USERNAME", USER)
    monkeypatch.setenv("LOGNAME", USER)
    monkeypatch.setenv("HOME", f"/home/{USER}")
    monkeypatch.setenv("HF_TOKEN", HF)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxyuser:p4ss%3Aw0rd!z@proxy.corp.example:8080")
    monkeypatch.setattr("core.doctor.scrub.socket.gethostname", lambda: HOST)
    monkeypatch.setattr("core.doctor.scrub._full_name", lambda: "Ada Lovelace")


def make_run(root: Path) -> RunFolder:
    plan = TrainingPlan(
        model=f"/home/{USER}/models/Qwen3-8B",
        data=("/srv/secret-project/kunden_2024.jsonl",),
        mix=(Mix(r"C:\Users\Ada Lovelace\Sonderbar.csv"),),
        system="Du bist gehstuetze, der Helfer der Praxis Sonderbar",
        questions=("what does the patient say about the new medicine today?",),
        note=f"ask {MAIL}",
    )
    run = RunFolder.create(root, plan)
    events = [
        StepDone(step=1, total_steps=2, epoch=0.5, loss=1.5, learning_rate=1e-4),
        Noted(code="rows_refused", facts={"rows": 2, "file": "kunden_2024.jsonl", "line": 7}),
        Sampled(step=1, side=Side.BASE, question="what does the patient say", answer="Der Patient klagt"),
        Noted(code="tracking_ended", facts={"name": "wandb", "text": f"401 for {MAIL} with {HF}"}),
        Finished(result={"steps": 2, "adapter": f"/home/{USER}/runs/a", "answers": [{"question": "gehstuetze"}]}),
        Failed(
            problem=Problem(Code.UNKNOWN, {"error": "ValueError", "text": LOG[:900], "path": "/srv/secret-project/x"})
        ),
    ]
    run.events_file.write_text("\n".join(map(encode, events)) + "\n", encoding="utf-8")
    run.log_file.write_text(LOG, encoding="utf-8")
    run.data.mkdir()
    rows = [
        {"messages": [{"role": "user", "content": "病人说他头痛，已经持续三天了，吃药没有用"}]},
        {
            "messages": [
                {"role": "assistant", "content": "Gut.\nDer Patient klagt seit drei Tagen über Schmerzen im Knie"}
            ]
        },
    ]
    (run.data / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return run


def unzipped(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode("utf-8") for name in archive.namelist()}


def write(target: Path, settings: Settings, **more: Any) -> dict[str, str]:
    card = Card(0, "NVIDIA GeForce RTX 4090", 25 * 10**9, 10**9, (8, 9), "580.65", "13.0",
                (GpuProcess(4242, "zahnarzt.exe", 9 * 10**9),), "GPU-12345678-aaaa-bbbb-cccc-1234567890ab")  # fmt: skip
    places = (Place("runs", f"/home/{USER}/runs", 10**11, 10**12, f"EACCES for {USER}"),)
    readings = Readings(cards=Cards((card,)), places=places)
    findings = (
        found(
            Check.CARD_ROOM, FindingCode.CARD_BUSY, card=card.name, used_bytes=9, free_bytes=1, programs="zahnarzt.exe"
        ),
        found(Check.DISK, FindingCode.DISK_GOOD, place="runs", path=f"C:\\Users\\{USER}\\runs", free_bytes=10**11),
    )
    names = write_diagnostics(
        target, findings, readings, settings, report=f"In /home/{USER}/runs: close zahnarzt.exe.", **more
    )
    parts = unzipped(target)
    assert tuple(parts) == names
    return parts


def assert_clean(parts: dict[str, str]) -> None:
    for name, text in parts.items():
        for secret in PLANTED:
            assert secret.lower() not in f"{name}\n{text}".lower(), f"{secret!r} is in {name}"


def test_no_planted_secret_is_in_the_zip(tmp_path: Path, person: None) -> None:
    make_run(runs_root(Settings()))
    cache_folder().mkdir(parents=True)
    (cache_folder() / "window.log").write_text(LOG, encoding="utf-8")
    settings = Settings(models_folder=f"/home/{USER}/modelle", runs_folder="")
    parts = write(tmp_path / f"{USER}.zip", settings)
    assert_clean(parts)
    # and what helps is still there
    assert "CUDA out of memory. Tried to allocate 2.00 GiB" in parts["run/log.txt"]
    assert "line 70, in train" in parts["run/log.txt"]
    assert "SoloTune" in parts["logs/window.log"]
    assert '"loss":1.5' in parts["run/events.jsonl"]
    assert "left out" not in "".join(parts.values()).replace("What is left out", "")
    plan = json.loads(parts["run/plan.json"])
    assert plan["model"] == "Qwen3-8B"
    assert plan["data"] == ["data-1.jsonl"]
    assert plan["mix"][0]["file"] == "data-2.csv"
    assert plan["learning_rate"] == 2e-4
    assert json.loads(parts["readings.json"])["cards"]["cards"][0]["capability"] == [8, 9]
    assert "torch" in json.loads(parts["versions.json"])["packages"]


def test_without_a_run_the_zip_is_whole(tmp_path: Path, person: None) -> None:
    parts = write(tmp_path / "a.zip", Settings())
    assert_clean(parts)
    assert not [name for name in parts if name.startswith("run/")]
    assert json.loads(parts["settings.json"])["language"] == "system"


def test_the_zip_is_bounded_and_quick(tmp_path: Path, person: None) -> None:
    run = make_run(runs_root(Settings()))
    chance = random.Random(7)
    step = encode(StepDone(step=1, total_steps=2, epoch=0.5, loss=1.5, learning_rate=1e-4))
    with run.events_file.open("a", encoding="utf-8") as events:
        events.write((step + "\n") * 60_000)
    with run.log_file.open("w", encoding="utf-8") as log:
        for _ in range(20):
            words = [f"{chance.random():.8f}" for _ in range(20_000)]
            log.write(" ".join(words) + "\n" + LOG)
    begun = time.monotonic()
    parts = write(tmp_path / "a.zip", Settings(), run=run)
    assert time.monotonic() - begun < 30
    assert_clean(parts)
    assert sum(len(text.encode()) for text in parts.values()) <= MOST
    assert "CUDA out of memory" in parts["run/log.txt"]


def test_a_text_that_cannot_be_cleaned_is_left_out(tmp_path: Path, person: None) -> None:
    class Blind(Scrubber):
        def scrub(self, text: str) -> str:
            return text

    parts = write(tmp_path / "a.zip", Settings(), scrubber=Blind({USER: "<user>"}))
    assert "left out" in parts["report.txt"]
    assert USER not in "".join(parts.values())


WINDOWS = {
    r"C:\Users\Li Wei\AppData": r"C:\Users\<user>\AppData",
    r'"C:\\Users\\Li Wei\\x"': r'"C:\\Users\\<user>\\x"',
    r"file:///C:/Users/Li%20Wei/x": r"file:///C:/Users/<user>/x",
    r"c:\users\liwei": r"c:\users\<user>",
    r"C:\Users\LIWEI~1\AppData\Local\Temp": r"C:\Users\<user>\AppData\Local\Temp",
    r"C:\Documents and Settings\Li\x": r"C:\Documents and Settings\<user>\x",
    "/home/liwei/x: no": "/home/<user>/x: no",
    "(/home/liwei)": "(/home/<user>)",
    "/Users/张伟/模型": "/Users/<user>/模型",
    "/run/media/liwei/disk": "/run/media/<user>/disk",
    r"\\wsl.localhost\Ubuntu\home\liwei\x": r"\\wsl.localhost\Ubuntu\home\<user>\x",
}


@pytest.mark.parametrize(("text", "clean"), WINDOWS.items())
def test_homes_of_strangers_lose_their_names(text: str, clean: str) -> None:
    assert Scrubber().scrub(text) == clean


SECRETS = {
    f"Bearer {HF}": "Bearer <secret>",
    "https://user:pass@pypi.corp/simple": "https://<login>@pypi.corp/simple",
    "socks5://10.0.0.7:1080": "socks5://<ip>:1080",
    '{"api_key": "abcdef1234"}': '{"api_key": "<secret>"}',
    "password=hunter22 next": "password=<secret> next",
    "?X-Amz-Signature=abcdef0123456789&x=1": "?X-Amz-Signature=<secret>&x=1",
    "wandb: " + "0123456789abcdef" * 2 + "01234567": "wandb: <secret>",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-DEF_123": "<secret>",
    "张伟@公司.com.cn": "<e-mail>",
    "sk-proj-abcdefghij0123456789": "<secret>",
    # as terminals, tables and Python break long words at the end of a line
    f"{HF[:20]}\n{HF[20:]} said no": "<secret> said no",
    f"│ {HF[:12]} │\n│ {HF[12:]} │": "│ <secret> │",
    f"('{HF[:8]}'\n   '{HF[8:]}')": "('<secret>')",
    f"{HF[:3]}\\\n  {HF[3:]}": "<secret>",
    HF.replace("_", "%5F"): "<secret>",
    f"--hf-token {HF[3:]} --next": "--hf-token <secret> --next",
    "machine huggingface.co login <user> password s3cr3tpw": "machine huggingface.co login <user> password <secret>",
    "密码：s3cr3tpw，下一个": "密码：<secret>",
    "http_proxy=anna:geh@im77@proxy.corp:8080": "http_proxy=<login>@proxy.corp:8080",
    "gsk_abcdefghijklmnopqrstuv": "<secret>",
}


@pytest.mark.parametrize(("text", "clean"), SECRETS.items())
def test_secrets_go(text: str, clean: str) -> None:
    assert Scrubber().scrub(text) == clean


KEPT = (
    "token 151645 is special; a token embeddings row; the password was refused",
    "hf_hub_download\nfrom huggingface_hub import hf_hub_download",
    "12:30:05 loss 1.2 @ step 4, cuda:0",
    "step 400 loss 1.234 tokens 812 lr 2e-04",
    'File "core/engine/train.py", line 70, in train',
    "torch 2.13.0+cu130, driver 580.65.06, CUDA 13.0, sm_120",
    "https://huggingface.co/Qwen/Qwen3-8B/resolve/main/config.json",
    "tokenizer.json: 11 MB, token_type_ids, max_new_tokens=128",
    "size mismatch for q_proj.lora_A.weight: torch.Size([16, 4096])",
    "0x00007ffab12c4d10 in c10.dll",
    "pip install torch==2.13.0 --no-deps",
    '"total_bytes": 17171480576, "free_bytes": 13800138000, "time": 1795349718.8616095',
)


@pytest.mark.parametrize("text", KEPT)
def test_what_helps_stays(text: str) -> None:
    assert Scrubber({"li": "<user>"}).scrub(text) == text


def test_names_go_in_every_spelling() -> None:
    clean = Scrubber(
        {"张伟": "<user>", "o'neil": "<user>", "root": "<user>", "li": "<user>"}, {r"D:\我的 文件": "<home>"}
    )
    assert clean.scrub("张伟的电脑 %E5%BC%A0%E4%BC%9F \\u5f20\\u4f1f") == "<user>的电脑 <user> <user>"
    assert clean.scrub("LI said: list, o'neil") == "<user> said: list, <user>"
    assert clean.scrub(r"D:\\我的 文件\\a and D:/我的 文件/b") == r"<home>\\a and <home>/b"
    # root is nobody
    assert clean.scrub("root") == "root"
    assert not clean.leaves(clean.scrub("张伟"))


def test_the_scrubber_of_this_computer_knows_its_user(person: None, tmp_path: Path) -> None:
    clean = scrubber_here(["http://proxyuser:geheim99@proxy:1"])
    assert clean.scrub(f"{USER} {HOST} geheim99 proxyuser {HF}") == "<user> <computer> <secret> <user> <secret>"
    assert (
        scrubber_of(Settings(runs_folder="/data/Klinik Sonne"), None).scrub("in '/data/Klinik Sonne/a'")
        == "in '<runs>/a'"
    )


def test_what_is_known_here_goes_however_it_is_broken(person: None) -> None:
    clean = scrubber_here(["http://proxyuser:geheim99wort@proxy:1"])
    for text in (HF[:9] + "\n    " + HF[9:], HF[:20] + "\\n" + HF[20:], HF[3:], "| geheim9 |\n| 9wort |", HF.upper()):
        said = clean.scrub(text)
        assert "<secret>" in said, text
        assert not clean.leaves(said)
        assert not any(piece in said.lower() for piece in ("9wort", HF[12:].lower(), HF[-9:].lower()))


@pytest.mark.skipif(sys.platform == "win32", reason="reads the accounts as POSIX keeps them")
def test_names_of_other_accounts_go_too(person: None, monkeypatch: pytest.MonkeyPatch) -> None:
    import pwd

    people = [("karlheinz", 1001), ("nobody", 65_534), ("postgres", 70), ("bob", 1002)]
    accounts = [pwd.struct_passwd((name, "x", number, number, "", f"/srv/{name}", "")) for name, number in people]
    monkeypatch.setattr(pwd, "getpwall", lambda: accounts)
    said = scrubber_here().scrub("/scratch/karlheinz/x nobody postgres bob")
    assert said == "/scratch/<user>/x nobody postgres bob"


def test_rows_are_found_wherever_they_are_cut() -> None:
    row = "The quick brown fox jumps over the lazy dog and then sleeps"
    log = f"one\nValueError: {row[9:47]!r}\ntwo jumps over nothing\n"
    assert without(log, [row]) == "one\n<a line with words of the data>\ntwo jumps over nothing\n"
    assert without("好的 天气很好我们去公园散步吧然后回家", ["今天天气很好我们去公园散步吧"]).startswith("<a line")
    assert without(log, []) == log


def test_a_tail_never_begins_in_the_middle_of_a_line(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text(f"token={HF}\nsecond\nthird\n", encoding="utf-8")
    assert tail(file, 20) == "second\nthird\n"
    assert tail(file, 10_000).startswith("token=")
    assert tail(tmp_path / "none", 10) == ""
    assert io.StringIO(tail(file, 3)).read() == ""


PEOPLE = (
    "ada",
    "Ada Lovelace",
    "张伟",
    "王 小明",
    "o'neil",
    "j.doe",
    "anna-maria",
    "müller",
    "Ünal",
    "李",
    "DOM.admin",
    "мария",
)
#: U is the name, H the home.
PLACES = (
    "H", "H/x.py", "(U)", "U logged in", "user=U;", "U@host", "host\\U", "/home/U/.cache", "C:\\Users\\U\\AppData",
    "c:/users/U/x", '{"user": "U"}', "/Users/U", '"/mnt/c/Users/U/a b"', "smb://U:pw@srv/x", "\\\\?\\C:\\Users\\U\\x",
    "~U/x", "one\nU two", "\x1b[31mU\x1b[0m", "U_backup", "cache-U.json", "U123", "U’s computer", "file:///H",
)  # fmt: skip


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("home", ["/home/U", "C:\\Users\\U", "D:\\Profile\\U"])
def test_no_spelling_of_a_name_stays(person: str, home: str) -> None:
    clean = Scrubber({person: "<user>"}, {home.replace("U", person): "<home>"})
    for place in PLACES:
        for spelled in (str, quote, repr, json.dumps, str.upper, lambda text: json.dumps(json.dumps(text))):
            text = spelled(place.replace("H", home).replace("Users", "users").replace("U", person))
            said = clean.scrub(text).lower()
            for form in (person, quote(person), json.dumps(person)[1:-1]):
                # one Chinese letter alone is in many words: it goes where it is a name for sure
                assert len(form) == 1 or form.lower() not in said, (text, said)
