"""The configuration: precedence, files, and every kind of mistake, all at once."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import saring.config
from saring.config import find_file, load
from saring.config_problem import ConfigError
from saring.config_schema import Config
from saring.endpoint import Endpoint

DEFAULT_TOML = Path(saring.config.__file__).with_name("default.toml")


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "saring.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path | None, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path, environ or {})
    return [str(problem) for problem in caught.value.problems]


def test_the_commented_default_holds_exactly_the_defaults() -> None:
    assert load(DEFAULT_TOML, {}).config == Config()


def test_the_commented_default_has_every_key() -> None:
    document = tomllib.loads(DEFAULT_TOML.read_text(encoding="utf-8"))
    schema = Config().model_dump()
    assert {name: set(keys) for name, keys in document.items()} == {name: set(keys) for name, keys in schema.items()}


def test_the_configuration_survives_json_on_its_way_to_other_processes() -> None:
    config = load(None, {"SARING_UPSTREAM__SERVERS": "10.1.1.1,[2001:db8::1]:5353,system"}).config
    assert Config.model_validate_json(config.model_dump_json()) == config


def test_environment_beats_file_beats_default(tmp_path: Path) -> None:
    path = write(tmp_path, '[dns]\nworkers = 2\n[node]\nname = "dns1"\n')
    config = load(path, {"SARING_DNS__WORKERS": "3"}).config
    assert (config.dns.workers, config.node.name, config.dns.tcp_idle_s) == (3, "dns1", 10.0)


@pytest.mark.parametrize("text", ["0.0.0.0:53,[::]:53", '["0.0.0.0:53", "[::]:53"]', "0.0.0.0:53, [::]:53"])
def test_lists_in_the_environment(text: str) -> None:
    config = load(None, {"SARING_DNS__LISTEN": text}).config
    assert config.dns.listen == (Endpoint("0.0.0.0", 53), Endpoint("::", 53))


def test_booleans_and_fractions_in_the_environment() -> None:
    environ = {"SARING_LISTS__ALLOW_PRIVATE": "true", "SARING_UPSTREAM__TIMEOUT_S": "0.5"}
    config = load(None, environ).config
    assert config.lists.allow_private is True
    assert config.upstream.timeout_s == 0.5


def test_a_toml_local_time_is_a_time_of_day(tmp_path: Path) -> None:
    assert load(write(tmp_path, "[lists]\nsync_at = 03:15:00\n"), {}).config.lists.sync_at == "03:15"


def test_a_secret_from_a_file_named_in_the_file(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql://saring:pw@db/saring\n", encoding="utf-8")
    path = write(tmp_path, f'[database]\nurl_file = "{secret}"\n')
    assert load(path, {}).config.database.url == "postgresql://saring:pw@db/saring"


def test_a_secret_from_a_file_named_in_the_environment(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql://saring:pw@db/saring\n", encoding="utf-8")
    path = write(tmp_path, '[database]\nurl = "sqlite:///x"\n')
    environ = {"SARING_DATABASE__URL_FILE": str(secret)}
    assert load(path, environ).config.database.url == "postgresql://saring:pw@db/saring"


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    path = write(tmp_path, '[database]\nurl = "mysql://root:hunter2@db/x"\n')
    (problem,) = problems(path)
    assert "hunter2" not in problem
    assert "saring.toml:2: database.url: must be a URL such as" in problem
    assert "hunter2" not in repr(load(None, {"SARING_DATABASE__URL": "postgresql://x:hunter2@y/z"}).config)


def test_every_mistake_is_named_at_once_with_its_line(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """[dns]
listen = ["127.0.0.1:5335", "localhost:53"]
worker = 3
workers = "two"
allow_from = ["10.0.0.1/8"]

[upsteam]
servers = []

[lists]
zone = "Asia/Jakata"
sync_at = "25:00"

[database]
url_file = "/nonexistent/url"

[log]
level = "inf"
""",
    )
    environ = {
        "SARING_CACHE__MIN_TTL": "1",
        "SARING_DNS__TCP_IDLE_S": "soon",
        "SARING_LOGS__LEVEL": "info",
        "SARING_CONFIG": "ignored: it has no section",
    }
    said = problems(path, environ)
    wanted = [
        ("saring.toml:2: dns.listen[1]", '"localhost:53"', "is not an IPv4 or IPv6 address"),
        ("saring.toml:3: dns.worker", "", "did you mean workers?"),
        ("saring.toml:4: dns.workers", '"two"', "a whole number from 0 (one per core) to 256"),
        ("saring.toml:5: dns.allow_from[0]", '"10.0.0.1/8"', "host bits"),
        ("saring.toml:7: [upsteam]", "", "did you mean upstream?"),
        ("saring.toml:11: lists.zone", '"Asia/Jakata"', "no such time zone"),
        ("saring.toml:12: lists.sync_at", '"25:00"', 'a time of day such as "02:30"'),
        ("saring.toml:15: database.url_file", "/nonexistent/url", "cannot be read"),
        ("saring.toml:18: log.level", '"inf"', 'one of "debug", "info"'),
        ("environment: SARING_CACHE__MIN_TTL", "", "did you mean min_ttl_s?"),
        ("environment: SARING_DNS__TCP_IDLE_S", '"soon"', "seconds from 0.1 to 3600"),
        ("environment: SARING_LOGS__LEVEL", "", "did you mean log?"),
    ]
    assert len(said) == len(wanted), said
    for place, value, right in wanted:
        assert any(place in one and value in one and right in one for one in said), (place, said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[dns]\nworkers = \n", ":2: is not TOML: invalid value"),
        ("[dns\n", ":1: is not TOML"),
        ("dns = 3\n", ":1: dns: must be a table: [dns]"),
        ("[dns]\nworkers = true\n", "dns.workers = true: must be a whole number"),
        ("[dns]\nworkers = 1.5\n", "dns.workers = 1.5: must be a whole number"),
        ("[dns]\nworkers = -1\n", "dns.workers = -1: must be a whole number from 0"),
        ("[dns]\nlisten = []\n", "dns.listen = []: must be a list of addresses"),
        ('[dns]\nlisten = "127.0.0.1:53"\n', 'dns.listen = "127.0.0.1:53": must be a list of addresses'),
        ('[dns]\nlisten = ["127.0.0.1"]\n', "no port in it; say for example 127.0.0.1:53"),
        ('[dns]\nlisten = ["127.0.0.1:0"]\n', "0 is not a port"),
        ('[api]\nlisten = "127.0.0.1:99999"\n', "99999 is not a port"),
        ('[node]\nname = "dns 1"\n', 'node.name = "dns 1": must be a text of letters, digits and hyphens'),
        ('[database]\nurl_file = ""\n', "database.url_file: must be the path of a file"),
        ('[database]\nurl = ""\nurl_file = "/dev/null"\n', "the file is empty"),
        ("[cache]\nmin_ttl_s = 60\nmax_ttl_s = 30\n", ":2: cache.min_ttl_s = 60: must not be above"),
        ("[upstream]\ntimeout_s = 9.0\n", "upstream.timeout_s = 9.0: must not be above upstream.deadline_s (4.0)"),
        ('[upstream]\nservers = ["127.0.0.1:5335"]\n', "Saring would ask itself for ever"),
        ('[dns]\nlisten = ["127.0.0.1:53", "127.0.0.1:53"]\n', "names an address twice"),
    ],
)  # fmt: skip
def test_each_mistake_says_what_would_be_right(tmp_path: Path, text: str, said: str) -> None:
    (problem,) = problems(write(tmp_path, text))
    assert said in problem


def test_a_secret_given_twice_in_one_place(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("sqlite:///y", encoding="utf-8")
    path = write(tmp_path, f'[database]\nurl = "sqlite:///x"\nurl_file = "{secret}"\n')
    (problem,) = problems(path)
    assert "is given twice, as database.url and as database.url_file; keep one" in problem


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path / "none.toml")
    assert problem == f"{tmp_path}/none.toml: cannot be read: No such file or directory"


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "saring.toml"
    path.write_bytes(b"[dns]\nworkers = 1\n# \xff\n")
    assert problems(path) == [f"{path}:3: is not UTF-8 text here"]


def test_which_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("saring.config.SEARCHED", (Path("saring.toml"),))
    assert find_file(None, {}) is None
    write(tmp_path, "")
    assert find_file(None, {}) == Path("saring.toml")
    assert find_file(None, {"SARING_CONFIG": "/x.toml"}) == Path("/x.toml")
    assert find_file(Path("/y.toml"), {"SARING_CONFIG": "/x.toml"}) == Path("/y.toml")
