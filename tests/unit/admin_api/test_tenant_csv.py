"""Tenants as CSV: what spreadsheets write is read, every mistake has its place, and a round trip changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admin_api.tenant_csv import INDONESIAN, MAX_SIZE_BYTES, CsvError, Line, read_csv, write_csv
from admin_api.tenant_plan import About, Fate, Kind, Loss, Plan, Tenant, Tenants, lines_of, plan, tenant_of

HEADER = "agency,agency_name,unit,unit_name,network,allow_list_only\n"
THERE = Tenants(
    {("dinkes", ""): About("Dinas Kesehatan"), ("dinkes", "igd"): About("IGD"), ("setda", ""): About("Setda")},
    {"10.20.4.0/22": ("dinkes", ""), "10.20.5.0/24": ("dinkes", "igd"), "10.20.8.0/22": ("setda", "")},
)


def planned(text: str, *, prune: bool = False) -> Plan:
    return plan(THERE, read_csv((HEADER + text).encode()), prune=prune)


def told(text: str, *, prune: bool = False) -> list[tuple[str, str, str]]:
    steps = planned(text, prune=prune).steps
    return [(s.fate.value, s.kind.value, s.label) for s in steps if s.fate not in (Fate.SAME, Fate.ABSENT)]


def mistakes(data: bytes) -> dict[str, str]:
    with pytest.raises(CsvError) as refused:
        plan(THERE, read_csv(data), prune=False)
    return {error.field: error.expected for error in refused.value.errors}


@pytest.mark.parametrize(
    "text",
    [
        HEADER + "dinkes,Dinas Kesehatan,igd,IGD,10.20.5.0/24,ya\n",
        "\ufeff" + HEADER.replace("\n", "\r\n") + "\r\n ,,,,,\r\ndinkes,Dinas Kesehatan,igd,IGD,10.20.5.0/24,YES\r\n",
        "Kode OPD;Nama-OPD;KODE_UNIT;nama_unit;jaringan;hanya yang diizinkan\n"
        '"dinkes";"Dinas Kesehatan";igd;IGD;10.20.5.0/24;1\n',
        "network\tunit\tunit_name\tagency\tagency_name\tallow_list_only\t\n"
        "10.20.5.0/24\tigd\tIGD\tdinkes\t Dinas Kesehatan \ttrue\t\n",
    ],
)
def test_spreadsheets_write_one_thing_in_many_ways(text: str) -> None:
    [line] = read_csv(text.encode())
    assert (line.tenant, line.agency_name, line.unit_name, line.network) == (
        "dinkes/igd",
        "Dinas Kesehatan",
        "IGD",
        "10.20.5.0/24",
    )
    assert line.allow_list_only is True


def test_every_mistake_has_its_line_column_and_way_out() -> None:
    text = (
        "Dinkes,x,,,10.0.0.0/8,\n"
        "dinkes,x\x01,,,10.20.4.1/22,maybe\n"
        ",x,,,,\n"
        "dinkes,,,IGD,,\n"
        "dinkes,,,,,,surplus\n"
        f"dinkes,,,,{'1' * 301},\n"
    )
    found = mistakes((HEADER + text).encode())
    assert list(found) == [
        "line 2: agency",
        "line 3: agency_name",
        "line 3: network",
        "line 3: allow_list_only",
        "line 4: agency",
        "line 5: unit",
        "line 6: column 7",
        "line 7: network",
    ]
    assert found["line 3: allow_list_only"] == "yes, no, ya or tidak"
    assert found["line 2: agency"].startswith("a code")


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b"", "line 1: file"),
        (b"\xff\xfea\x00", "line 1: file"),
        (HEADER.encode() + b"dinkes,\xe9", "line 2: file"),
        (b"network\n10.0.0.0/8", "line 1: agency"),
        (b"agency,kode_opd\n", "line 1: agency"),
        (b"agency,colour\n", "line 1: colour"),
        (HEADER.encode() + b'dinkes,"x\n', "line 2: file"),
        (b"a," * 51, "line 1: line"),
        (HEADER.encode() + b"x," * 51, "line 2: line"),
        (b"x" * (MAX_SIZE_BYTES + 1), "line 1: file"),
    ],
)
def test_what_is_no_such_file_is_refused(data: bytes, field: str) -> None:
    assert list(mistakes(data)) == [field]


def test_contradictions_and_nameless_tenants_are_found_together() -> None:
    text = (
        "dinkes,Dinas Kesehatan,,,10.30.0.0/24,no\n"
        "dinkes,Dinkes,,,10.30.0.0/24,yes\n"
        "baru,,kecil,,10.30.1.0/24,\n"
        "dinkes,,igd,,10.30.1.0/24,\n"
    )
    assert list(mistakes((HEADER + text).encode())) == [
        "line 3: agency_name",
        "line 3: allow_list_only",
        "line 3: network",
        "line 5: network",
        "line 4: agency_name",
        "line 4: unit_name",
    ]


def test_a_plan_creates_changes_and_leaves_the_rest_alone() -> None:
    text = "dinkes,Dinkes,igd,,10.20.6.0/24,\nbaru,Baru,,,10.20.5.0/24,ya\n"
    assert told(text) == [
        ("change", "agency", "dinkes"),
        ("create", "agency", "baru"),
        ("create", "network", "10.20.6.0/24"),
        ("change", "network", "10.20.5.0/24"),
    ]
    absent = [step.label for step in planned(text).steps if step.fate is Fate.ABSENT]
    assert absent == ["10.20.4.0/22", "10.20.8.0/22", "setda"]
    moved = next(step for step in planned(text).steps if step.label == "10.20.5.0/24")
    assert (moved.before, moved.after) == ({"tenant": "dinkes/igd"}, {"tenant": "baru"})


def test_pruning_deletes_networks_first_and_agencies_last() -> None:
    assert told("setda,,,,10.20.8.0/22,\n", prune=True) == [
        ("delete", "network", "10.20.4.0/22"),
        ("delete", "network", "10.20.5.0/24"),
        ("delete", "unit", "dinkes/igd"),
        ("delete", "agency", "dinkes"),
    ]


def test_losses_are_those_that_the_file_brings() -> None:
    # A hole in another's range, a range around another's, and a unit inside of its own agency's (which is none).
    text = "setda,,,,10.20.6.0/24,\nbaru,Baru,,,10.20.0.0/16,\ndinkes,,igd,,10.20.4.0/24,\n"
    assert planned(text).losses == (
        Loss("10.20.4.0/22", "dinkes", "10.20.0.0/16", "baru", "1024 addresses"),
        Loss("10.20.6.0/24", "setda", "10.20.4.0/22", "dinkes", "256 addresses"),
        Loss("10.20.8.0/22", "setda", "10.20.0.0/16", "baru", "1024 addresses"),
    )
    assert planned("dinkes,,igd,,10.20.5.0/24,\n").losses == ()


CODES = st.from_regex(r"\A[a-z]{1,3}\Z")
TITLES = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8),
    st.sampled_from(["=1+2", "'=x", "''", "-", '"a",;b', "Dinas; Umum", "@"]),
)


@st.composite
def tenants(draw: st.DrawFn) -> Tenants:
    about: dict[Tenant, About] = {}
    for code in draw(st.sets(CODES, min_size=1, max_size=4)):
        for part in ("", *draw(st.sets(CODES, max_size=2))):
            about[code, part] = About(draw(TITLES), draw(st.booleans()))
    octets = draw(st.sets(st.integers(0, 255), max_size=6))
    return Tenants(about, {f"10.{octet}.0.0/16": draw(st.sampled_from(sorted(about))) for octet in octets})


@settings(max_examples=40, deadline=None, derandomize=True)
@given(tenants(), tenants(), st.booleans())
def test_what_is_exported_changes_nothing_and_what_is_imported_is_exported(
    there: Tenants, wanted: Tenants, indonesian: bool
) -> None:
    form = (INDONESIAN, ("tidak", "ya")) if indonesian else ()
    same = plan(there, read_csv(write_csv(lines_of(there), *form).encode()), prune=True)
    assert {step.fate for step in same.steps} == {Fate.SAME}
    assert same.losses == ()
    about, networks = dict(there.about), dict(there.networks)
    for step in plan(there, read_csv(write_csv(lines_of(wanted), *form).encode()), prune=True).steps:
        where: dict[str, Tenant] | dict[Tenant, About] = networks if step.kind is Kind.NETWORK else about
        key = step.label if step.kind is Kind.NETWORK else tenant_of(step.label)
        if step.fate is Fate.DELETE:
            del where[key]  # type: ignore[arg-type]  # the key is of this mapping's kind
        elif step.fate is not Fate.SAME and step.kind is Kind.NETWORK:
            networks[step.label] = tenant_of(step.after["tenant"])
        elif step.fate is not Fate.SAME:
            old = about.get(tenant_of(step.label), About(""))
            about[tenant_of(step.label)] = About(
                step.after.get("name", old.name), step.after.get("allow_list_only", old.allow_list_only)
            )
    assert (about, networks) == (wanted.about, wanted.networks)


def test_blanks_around_a_name_are_no_change() -> None:
    there = Tenants({("a", ""): About(" Dinas  A "), ("b", ""): About(" ")}, {})
    steps = plan(there, read_csv(write_csv(lines_of(there)).encode()), prune=False).steps
    assert {step.fate for step in steps} == {Fate.SAME}


def test_lines_are_written_so_that_no_spreadsheet_runs_them() -> None:
    written = write_csv([Line(0, "a", "=cmd()", "", "", "", None)])
    assert written.splitlines()[1] == "a,'=cmd(),,,,"
