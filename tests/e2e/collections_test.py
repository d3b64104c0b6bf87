"""Collections: made, shown and changed by name and UUID, nested, with members that vanish."""

import pytest

from harness import Lab
from world import bare_machine, error_of

NAMES = ("plain", "with a space", "Grüße 日本")


@pytest.fixture(scope="module")
def shared():
    with Lab() as lab:
        lab.machines = [bare_machine(lab, name) for name in NAMES]
        yield lab


@pytest.fixture
def lab(shared):
    """The shared machines, and no collection."""
    yield shared
    for _ in range(10):  # inner ones can only go after those that hold them
        left = shared.cohort("collection", "list").json["collections"]
        if not left:
            return
        for collection in left:
            shared.cohort("collection", "delete", collection["id"], check=False)
    raise AssertionError(f"collections cannot be deleted: {left}")


def show(lab, collection):
    return lab.cohort("collection", "show", collection).json["collection"]


def listed(lab):
    return [each["name"] for each in lab.cohort("collection", "list").json["collections"]]


def members(lab, collection):
    return [each["name"] for each in show(lab, collection)["machines"]]


def refused(lab, code, status, *arguments):
    ran = lab.cohort(*arguments, check=False)
    assert (ran.rc, error_of(ran)["code"]) == (status, code), ran
    return error_of(ran)["message"]


def test_a_collection_is_made_of_machines_named_by_name_and_uuid(lab):
    one, two, three = lab.machines
    made = lab.cohort("collection", "create", "shop", one.name, two.uuid, three.name).json["collection"]
    shown = show(lab, "shop")
    assert [(each["id"], each["name"]) for each in shown["machines"]] == \
        [(each.uuid, each.name) for each in lab.machines]
    assert all(each["power"] == "off" and each["persistent"] and not each["missing"] for each in shown["machines"])
    assert shown["kind"] == "machines" and shown["snapshots"] == 0
    assert shown["id"] == made["id"]
    assert show(lab, made["id"]) == shown


def test_people_see_the_members(lab):
    lab.cohort("collection", "create", "Läden im Süden", *[each.name for each in lab.machines])
    text = lab.cohort("collection", "show", "Läden im Süden", json=False).out
    assert all(each.name in text for each in lab.machines)
    assert "Läden im Süden" in lab.cohort("collection", "list", json=False).out


def test_members_are_added_and_removed_by_name_and_uuid(lab):
    one, two, three = lab.machines
    lab.cohort("collection", "create", "shop")
    lab.cohort("collection", "add", "shop", one.uuid, three.name)
    assert members(lab, "shop") == [one.name, three.name]
    lab.cohort("collection", "add", "shop", two.name)
    lab.cohort("collection", "remove", "shop", three.uuid)
    lab.cohort("collection", "remove", "shop", one.name)
    assert members(lab, "shop") == [two.name]


def test_all_named_members_are_added_or_removed_or_none(lab):
    one, two, three = lab.machines
    lab.cohort("collection", "create", "shop", one.name)
    refused(lab, "not_found", 3, "collection", "add", "shop", two.name, "cohort-test-nowhere")
    refused(lab, "already_exists", 4, "collection", "add", "shop", three.name, one.uuid)
    refused(lab, "not_found", 3, "collection", "remove", "shop", one.name, two.name)
    assert members(lab, "shop") == [one.name]


def test_a_collection_with_an_unknown_machine_is_not_made(lab):
    refused(lab, "not_found", 3, "collection", "create", "shop", lab.machines[0].name, "cohort-test-nowhere")
    assert listed(lab) == []


def test_a_renamed_collection_keeps_its_id_and_members(lab):
    lab.cohort("collection", "create", "alt", lab.machines[2].name)
    before = show(lab, "alt")
    lab.cohort("collection", "rename", "alt", "neu & größer")
    assert show(lab, "neu & größer") == {**before, "name": "neu & größer"}
    refused(lab, "not_found", 3, "collection", "show", "alt")
    lab.cohort("collection", "rename", before["id"], "third")
    assert listed(lab) == ["third"]


def test_names_are_unique_and_usable(lab):
    lab.cohort("collection", "create", "shop")
    lab.cohort("collection", "create", "mail")
    refused(lab, "already_exists", 4, "collection", "create", "shop")
    refused(lab, "already_exists", 4, "collection", "rename", "mail", "shop")
    for name in ("", "a/b", "..", " begins", "6f1c3f0e-7c4b-4a57-9a6e-0d3f6a3c8a11", "x" * 129):
        refused(lab, "invalid_argument", 2, "collection", "create", name)
    assert listed(lab) == ["mail", "shop"]


def test_a_deleted_collection_is_gone_and_its_machines_are_not(lab):
    lab.cohort("collection", "create", "shop", *[each.name for each in lab.machines])
    xml = [each.xml() for each in lab.machines]
    lab.cohort("collection", "delete", "shop")
    assert listed(lab) == []
    refused(lab, "not_found", 3, "collection", "show", "shop")
    refused(lab, "not_found", 3, "collection", "delete", "shop")
    assert [each.xml() for each in lab.machines] == xml
    assert all(path.exists() for each in lab.machines for path in each.images.values())


def test_nested_collections_have_each_machine_once(lab):
    one, two, three = lab.machines
    lab.cohort("collection", "create", "shop", one.name, two.name)
    lab.cohort("collection", "create", "mail", two.name, three.name)
    lab.cohort("collection", "create", "site", "--of-collections", "shop")
    lab.cohort("collection", "add", "site", show(lab, "mail")["id"])
    lab.cohort("collection", "create", "all of it", "--of-collections", "site", "mail")
    top = show(lab, "all of it")
    assert top["kind"] == "collections" and top["machines"] == []
    assert [(each["name"], each["kind"]) for each in top["collections"]] == \
        [("mail", "machines"), ("site", "collections")]
    assert sorted(each["name"] for each in top["all_machines"]) == sorted(each.name for each in lab.machines)
    assert sorted(show(lab, "mail")["contained_in"]) == ["all of it", "site"]

    lab.cohort("collection", "remove", "all of it", "mail")
    lab.cohort("collection", "remove", "site", "mail")
    assert [each["name"] for each in show(lab, "all of it")["all_machines"]] == [one.name, two.name]
    assert show(lab, "mail")["contained_in"] == []


def test_a_cycle_of_collections_is_refused(lab):
    lab.cohort("collection", "create", "inner", "--of-collections")
    lab.cohort("collection", "create", "middle", "--of-collections", "inner")
    lab.cohort("collection", "create", "outer", "--of-collections", "middle")
    for member in ("outer", "middle", "inner"):
        message = refused(lab, "invalid_argument", 2, "collection", "add", "inner", member)
        assert "inner" in message and member in message
    assert show(lab, "inner")["collections"] == []


def test_machines_and_collections_are_not_mixed(lab):
    lab.cohort("collection", "create", "shop", lab.machines[0].name)
    lab.cohort("collection", "create", "site", "--of-collections", "shop")
    refused(lab, "not_found", 3, "collection", "add", "site", lab.machines[1].name)
    refused(lab, "not_found", 3, "collection", "add", "shop", "site")


def test_a_collection_inside_another_is_not_deleted(lab):
    lab.cohort("collection", "create", "shop", lab.machines[0].name)
    lab.cohort("collection", "create", "site", "--of-collections", "shop")
    assert "site" in refused(lab, "invalid_state", 5, "collection", "delete", "shop")
    assert listed(lab) == ["shop", "site"]


@pytest.mark.parametrize("by", ["last name", "uuid"])
def test_a_vanished_machine_stays_visible_and_can_be_removed(lab, by):
    vanishing = bare_machine(lab, f"geht bald {by}")
    name, uuid, one = vanishing.name, vanishing.uuid, lab.machines[0]
    lab.cohort("collection", "create", "shop", one.name, name)
    vanishing.undefine()
    missing = {"id": uuid, "name": name, "missing": True, "power": None, "persistent": None}
    assert missing in show(lab, "shop")["machines"]
    assert "missing" in lab.cohort("collection", "show", "shop", json=False).out
    assert name in refused(lab, "not_found", 3, "snapshot", "take", "shop")
    lab.cohort("collection", "remove", "shop", name if by == "last name" else uuid)
    assert members(lab, "shop") == [one.name]


def test_a_renamed_machine_is_still_a_member(lab):
    renamed = bare_machine(lab, "before")
    lab.cohort("collection", "create", "shop", renamed.name)
    renamed.domain.rename("cohort-test-after", 0)
    renamed = lab.adopt("cohort-test-after")
    assert [(each["name"], each["missing"]) for each in show(lab, "shop")["machines"]] == [(renamed.name, False)]
    lab.cohort("collection", "remove", "shop", renamed.name)
    assert members(lab, "shop") == []


def test_a_collection_with_snapshots_is_not_deleted(lab):
    lab.cohort("collection", "create", "shop", lab.machines[0].name)
    lab.cohort("snapshot", "take", "shop", "--name", "one")
    assert show(lab, "shop")["snapshots"] == 1
    refused(lab, "invalid_state", 5, "collection", "delete", "shop")
    lab.cohort("snapshot", "delete", "one")
    lab.cohort("collection", "delete", "shop")
    assert listed(lab) == []
