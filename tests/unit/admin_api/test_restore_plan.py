"""What of an earlier document can be restored, after renames, merges, splits and codes given to others."""

from __future__ import annotations

from typing import Any

from admin_api.document_export import Exported
from admin_api.lineage import Kind, Succession
from admin_api.restore_plan import plan_restore


def agency(code: str, *networks: str, name: str = "", units: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"code": code, "name": name or code.title(), "networks": list(networks), "unit": list(units)}


def unit(code: str, *networks: str) -> dict[str, Any]:
    return {"code": code, "name": code.title(), "networks": list(networks)}


def rule(code: str, scope: str) -> dict[str, Any]:
    return {"code": code, "scope": scope}


def database(*agencies: dict[str, Any], ids: dict[str, int], **sections: list[dict[str, Any]]) -> Exported:
    empty: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("forwarder", "device", "schedule_override", "rule", "list")
    }
    return Exported({**empty, "agency": list(agencies), **sections}, ids)


def test_what_was_renamed_keeps_its_new_name_and_gets_its_old_rules() -> None:
    kept = database(
        agency("lama", "10.0.0.0/24", units=(unit("igd", "10.0.0.0/25"),)),
        ids={"agency lama": 1, "agency lama unit igd": 2, "schedule_override jam of unit:lama/igd": 3, "rule a": 4},
        rule=[rule("a", "agency:lama"), rule("b", "regency")],
        schedule_override=[{"schedule": "jam", "scope": "unit:lama/igd"}],
        forwarder=[{"cidr": "10.9.0.1/32", "agencies": ["lama"]}],
    )
    current = database(
        agency("baru", units=(unit("gawat-darurat"),)), ids={"agency baru": 1, "agency baru unit gawat-darurat": 2}
    )
    renamed = Succession(Kind.RENAME, 100, ("lama",), ("baru",))
    plan = plan_restore(kept, current, [renamed])
    (found,) = plan.document["agency"]
    assert (found["code"], found["name"], found["networks"]) == ("baru", "Baru", ["10.0.0.0/24"])
    assert [(one["code"], one["name"]) for one in found["unit"]] == [("gawat-darurat", "Gawat-Darurat")]
    assert [one["scope"] for one in plan.document["rule"]] == ["agency:baru", "regency"]
    assert plan.document["schedule_override"][0]["scope"] == "unit:baru/gawat-darurat"
    assert plan.document["forwarder"][0]["agencies"] == ["baru"]
    assert plan.ids == {
        "agency baru": 1,
        "agency baru unit gawat-darurat": 2,
        "schedule_override jam of unit:baru/gawat-darurat": 3,
        "rule a": 4,
    }
    assert plan.notes == (
        "agency lama is baru now, and stays so",
        "unit lama/igd is baru/gawat-darurat now, and stays so",
    )


def test_a_merge_is_not_undone() -> None:
    kept = database(
        agency("a", "10.1.0.0/24"),
        agency("b", "10.2.0.0/24"),
        agency("c", "10.3.0.0/24", "10.5.0.0/24"),
        ids={"agency a": 1, "agency b": 2, "agency c": 3},
        rule=[rule("ra", "agency:a"), rule("rc", "agency:c"), rule("all", "regency")],
        device=[{"kind": "mac", "value": "x", "tenant": "unit:b/u"}],
        forwarder=[{"cidr": "f", "agencies": ["a", "c"]}, {"cidr": "g", "agencies": ["b"]}],
    )
    current = database(
        agency("ab", "10.1.0.0/24", "10.2.0.0/24", "10.5.0.0/24"),
        agency("c"),
        ids={"agency ab": 9, "agency c": 3},
        rule=[rule("new", "agency:ab")],
        forwarder=[{"cidr": "g", "agencies": ["ab"]}],
    )
    plan = plan_restore(kept, current, [Succession(Kind.MERGE, 100, ("a", "b"), ("ab",))])
    assert [(one["code"], one["networks"]) for one in plan.document["agency"]] == [
        ("c", ["10.3.0.0/24"]),
        ("ab", ["10.1.0.0/24", "10.2.0.0/24", "10.5.0.0/24"]),
    ]
    assert [one["code"] for one in plan.document["rule"]] == ["rc", "all", "new"]
    assert plan.document["device"] == []
    assert plan.document["forwarder"] == [{"cidr": "f", "agencies": ["c"]}, {"cidr": "g", "agencies": ["ab"]}]
    assert plan.notes == (
        "a, b were merged into ab since then: what concerns them stays as it is now",
        "agency c: 10.5.0.0/24 belongs to another by now, and stays there",
    )


def test_a_split_is_not_undone_and_an_ended_agency_does_not_come_back() -> None:
    kept = database(agency("a", "10.1.0.0/24"), agency("z"), ids={"agency a": 1, "agency z": 2})
    current = database(agency("a"), agency("a2", "10.1.0.0/24"), ids={"agency a": 1, "agency a2": 5})
    history = [
        Succession(Kind.SPLIT, 100, ("a",), ("a", "a2")),
        Succession(Kind.RENAME, 50, ("z",), ("gone",)),
    ]
    plan = plan_restore(kept, current, history)
    assert [(one["code"], one["networks"]) for one in plan.document["agency"]] == [("a", []), ("a2", ["10.1.0.0/24"])]
    assert plan.notes == (
        "a was split into a, a2 since then: what concerns them stays as it is now",
        "agency z has ended, and its code is not given again; what concerned it does not come back",
    )


def test_what_was_only_deleted_comes_back_and_what_is_new_goes() -> None:
    kept = database(agency("a", "10.1.0.0/24"), ids={"agency a": 1, "rule r": 7}, rule=[rule("r", "agency:a")])
    plan = plan_restore(kept, database(agency("b"), ids={"agency b": 2}), [])
    assert (plan.document, plan.ids, plan.notes) == (kept.document, kept.ids, ())
