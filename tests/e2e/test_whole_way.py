"""The main job on real servers: lists compiled, a crowd of several agencies asking, an NSD behind, processes killed.

What must hold: every listed name is blocked and no other is; every answer has its row, exactly once; and none of that
changes while each process in turn is killed without warning.
"""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from functools import partial
from pathlib import Path

from dnswire.constants import Rcode
from querylog.embedded.store import EmbeddedStore
from querylog.store import Filter
from resolver.udp import BATCH
from tests.support.load import Crowd, Heard, Question
from tests.support.nameservers import nsd
from tests.support.program import Program, running, wait_for

ROOT_ZONE = """$ORIGIN .
$TTL 300
@ SOA ns.invalid. host.invalid. 1 3600 600 86400 60
@ NS ns.invalid.
* A 192.0.2.53
"""

AGENCIES = {"dinkes": "127.0.31.1", "disdik": "127.0.32.1", "setda": "127.0.33.1"}

REGENCY = """
[regency]
name = "Kabupaten Uji"
unknown_clients = "regency"

[[category]]
code = "perjudian"
title = "Perjudian"
negative = true

[[category]]
code = "media_sosial"
title = "Media sosial"

[[list]]
code = "judi"
title = "Judi"
location = "{directory}/judi.txt"
format = "plain"
categories = ["perjudian"]
national = true

[[list]]
code = "judi-hosts"
title = "Judi (hosts)"
location = "{directory}/judi-hosts.txt"
format = "hosts"
categories = ["perjudian"]

[[list]]
code = "medsos"
title = "Media sosial"
location = "{directory}/medsos.txt"
format = "wildcard"
categories = ["media_sosial"]

[[rule]]
code = "medsos-dinkes"
title = "Tanpa media sosial"
scope = "agency:dinkes"
target = "category:media_sosial"
action = "block"
basis = {{ number = "800/1/2026", date = 2026-01-05, signer = "Sekretaris Daerah" }}
"""

GAMBLING = [f"judi{number}.example" for number in range(400)]
HOSTS_ONLY = [f"taruhan{number}.example" for number in range(100)]
SOCIAL = [f"medsos{number}.example" for number in range(50)]


def write_regency(directory: Path) -> Path:
    (directory / "judi.txt").write_text("".join(f"{name}\n" for name in GAMBLING))
    (directory / "judi-hosts.txt").write_text("".join(f"0.0.0.0 {name}\n" for name in HOSTS_ONLY))
    (directory / "medsos.txt").write_text("".join(f"*.{name}\n" for name in SOCIAL))
    agencies = "".join(
        f'\n[[agency]]\ncode = "{code}"\nname = "{code}"\nnetworks = ["{host}/32"]\n' for code, host in AGENCIES.items()
    )
    path = directory / "regency.toml"
    path.write_text(REGENCY.format(directory=directory) + agencies)
    return path


def blocked(question: Question) -> bool:
    """What a reader of the lists and the rule above expects."""
    labels = question.qname.lower().split(".")
    suffixes = {".".join(labels[start:]) for start in range(len(labels))}
    if suffixes & set(GAMBLING) or question.qname in HOSTS_ONLY:
        return True
    return bool(suffixes & set(SOCIAL)) and question.host == AGENCIES["dinkes"]


def mixed_questions(count: int, seed: int) -> list[Question]:
    """Mostly names asked again and again (Zipf), some of the lists, some that only look like them."""
    source = random.Random(seed)
    hosts = list(AGENCIES.values())
    common = [f"situs{number}.example" for number in range(300)]
    lookalikes = [f"{name}.com" for name in GAMBLING[:50]] + [f"www.{name}" for name in HOSTS_ONLY[:50]]
    found = []
    for _ in range(count):
        kind = source.random()
        if kind < 0.80:
            qname = common[min(int(source.paretovariate(0.8)) - 1, len(common) - 1)]
        elif kind < 0.85:
            qname = source.choice(GAMBLING + HOSTS_ONLY)
        elif kind < 0.90:
            qname = "www." + source.choice(GAMBLING)
        elif kind < 0.95:
            qname = source.choice(SOCIAL)
        else:
            qname = source.choice(lookalikes)
        found.append(Question(source.choice(hosts), qname))
    return found


def check_answers(questions: list[Question], heard: Heard) -> None:
    assert len(heard.rcodes) == len(questions)
    for number, question in enumerate(questions):
        expected = Rcode.NXDOMAIN if blocked(question) else Rcode.NOERROR
        assert heard.rcodes[number] == expected, question


def kill(program: Program, name: str) -> None:
    pid = wait_for(lambda: program.pid_of(name), 60, f"{name} runs")
    os.kill(pid, signal.SIGKILL)


def test_every_listed_name_is_blocked_and_every_answer_has_its_row(tmp_path: Path) -> None:
    regency = write_regency(tmp_path)
    upstream = tmp_path / "nsd"
    upstream.mkdir()
    questions = mixed_questions(6_000, seed=7)
    with (
        nsd(upstream, {".": ROOT_ZONE}) as server,
        running(
            tmp_path,
            SARING_BOOTSTRAP__DOCUMENT=str(regency),
            SARING_UPSTREAM__SERVERS=f"{server.address}:{server.port}",
        ) as program,
    ):
        children = ["worker-0", "worker-1", "loader", "api", "sync"]
        for name in children:
            wait_for(partial(program.pid_of, name), 60, f"{name} runs")
        crowd = Crowd(("127.0.0.1", program.dns_port), questions)
        killings = {500 + 700 * position: partial(kill, program, name) for position, name in enumerate(children)}
        crowd.run(deadline_s=90, at=killings)
        heard = crowd.close()
        check_answers(questions, heard)
        for name in children:
            wait_for(partial(program.pid_of, name), 60, f"{name} is back")
        assert program.stop() == 0

    store = EmbeddedStore(program.state_dir / "log", writer=False)
    try:
        totals = store.totals(Filter())
        gaps = store.gaps()
    finally:
        store.close()
    assert gaps == ()
    logged = Counter[str]()
    for code in AGENCIES:
        logged.update(totals.by_agency[code])
    # A worker killed between appending and sending leaves rows whose answers nobody got: two workers, a batch each.
    assert heard.datagrams <= logged.total() <= heard.datagrams + 2 * BATCH
    assert logged["blocked"] >= sum(blocked(question) for question in questions)
    assert set(logged) == {"allowed", "blocked"}
