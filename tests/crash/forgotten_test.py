"""libvirtd is killed when QEMU has switched a disk and nobody has written it down: it comes back with the old view.

The machine is on its overlay then, libvirt takes it to be on the frozen file, and no byte may be lost. Many of these
moments are too short to be met, so the files of libvirtd's knowledge are put back to what they were.
"""

import json
import re
import xml.etree.ElementTree as ET

import libvirt
import pytest

from harness import daemons
from harness.images import run
from harness.stopping import run_on, wait_stopped
from libvirtd_death import STATUS, forget_since, knowledge_of

WRITER, OTHERS = "the one that writes", "those that run"
POINTS = ["merge.forgotten_begun", "merge.forgotten_marked", "merge.forgotten_switched", "merge.forgotten_node_removed"]


@pytest.fixture
def host(request, site):
    """The site, with collections of the machines that run; judged at the end."""
    known = {each["name"] for each in site.cohort("collection", "list").json["collections"]}
    for name, members in ((WRITER, [site.writer]), (OTHERS, [site.writer, site.paused])):
        if name not in known:
            site.cohort("collection", "create", name, *[guest.name for guest in members])
    yield site
    if not request.node.has_failed:
        stands_as_before(site)


def stands_as_before(site):
    """Every token is there, and the next snapshot can be taken and deleted: QEMU has no nodes that stand in its way."""
    assert site.snapshots() == {}
    site.stands_on_own_files()
    site.take("afterwards", OTHERS)
    site.writer_has_written(above=site.last_token())
    site.cohort("snapshot", "delete", "afterwards")
    site.writer_has_lost_nothing()
    site.nothing_is_half_done()


def take_and_forget(site, collection=WRITER, name="forgotten"):
    knowledge = knowledge_of(site.writer, site.paused)
    site.take(name, collection)
    site.writer_has_written(above=site.last_token())
    forget_since(knowledge)
    own = set(site.writer.images.values())
    assert set(site.writer.disk_paths().values()) == own, "libvirt has forgotten the overlays"


def refused(site, *arguments):
    ran = site.cohort(*arguments, check=False)
    assert ran.rc != 0, ran.out
    return ran.json["error"]["message"]


def mend(site, ids):
    """The machine that stands still is amiss before and after."""
    ran = site.cohort("host", "doctor", *[word for id in ids for word in ("--mend", id)], check=False)
    assert ran.rc == 5 and len(ran.json["doctor"]["mended"]) == len(ids), ran
    assert {each["kind"] for each in ran.json["doctor"]["ailments"]} == {"paused_machine"}, ran


def test_qemu_is_not_asked_where_its_locks_fit_what_libvirt_says(host):
    host.writer_has_lost_nothing()  # a new QEMU: what an earlier test had to ask taints a machine for as long as it runs
    host.take("lower", OTHERS)
    host.take("upper", OTHERS)
    host.cohort("snapshot", "delete", "lower")
    host.cohort("snapshot", "delete", "upper")
    tainted = host.writer.domain.messages(libvirt.VIR_DOMAIN_MESSAGE_TAINTING)
    assert not any("monitor" in each for each in tainted), tainted


def without_mirrors(knowledge):
    changed = {path: re.sub(rb"<mirror .*?</mirror>", b"", content, flags=re.DOTALL)
               for path, content in knowledge.items()}
    assert changed != knowledge
    return changed


def test_a_commit_of_which_libvirtd_has_forgotten_the_end_waits_for_the_machine_to_stop(host):
    """It was killed when it had written down that there is a job, and not yet whereto. Nothing can end that job."""
    host.take("deleted", WRITER)
    host.writer_has_written(above=host.last_token())
    program = host.start("snapshot", "delete", "deleted", stop_at="merge.before_pivot")
    wait_stopped(program, "a deletion")
    forget_since(without_mirrors(knowledge_of(host.writer)))
    out, err = run_on(program)
    assert program.returncode == 5 and "Shut the machine down" in out, out + err
    host.writer.destroy()
    host.cohort("snapshot", "delete", "deleted")
    host.writer.start().wait_ready(timeout=400)


@pytest.mark.parametrize("ended_by", ["a switch", "an abort"])
def test_a_commit_of_which_libvirtd_has_not_noted_the_end_waits_for_the_machine_to_start_anew(host, ended_by):
    """libvirtd keeps a mirror without a job then, and refuses all work on the disk. After a switch the machine is on the
    frozen file, and would start on the overlay again."""
    writer, first = host.writer, sorted(host.writer.disk_paths())[0]
    frozen = writer.disk_paths()[first]
    host.take("deleted", WRITER)
    overlay = writer.disk_paths()[first]
    host.writer_has_written(above=host.last_token())
    program = host.start("snapshot", "delete", "deleted", stop_at="merge.before_pivot")
    wait_stopped(program, "a deletion")
    knowledge = knowledge_of(writer)
    is_switch = ended_by == "a switch"
    writer.domain.blockJobAbort(first, libvirt.VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT if is_switch else 0)
    host.writer_has_written(above=host.last_token())
    forget_since(knowledge)
    out, err = run_on(program)
    assert program.returncode == 5 and "Shut the machine down and start it" in out, out + err
    assert writer.disk_paths(inactive=True)[first] == (frozen if is_switch else overlay)
    assert [each["id"] for each in mistakes(host)] == ([f"mistaken_disk:{writer.name}/{first}"] if is_switch else [])
    found = host.cohort("host", "doctor", check=False).json["doctor"]["ailments"]
    assert "broken_snapshot" not in {each["kind"] for each in found}
    assert "Shut the machine down and start it" in refused(host, "snapshot", "delete", "deleted")
    words = "libvirt takes" if is_switch else "Shut the machine down and start it"
    assert words in refused(host, "snapshot", "take", WRITER, "--name", "next")
    host.writer_has_written(above=host.last_token())
    writer.destroy()
    writer.start().wait_ready(timeout=400)
    host.cohort("snapshot", "delete", "deleted")


def test_a_snapshot_is_taken_where_a_killed_libvirtd_has_left_nodes_in_qemu(host):
    """It had opened the overlays, and forgot; it gives the next ones the same names."""
    number = int(re.search(rb"<nodename index='(\d+)'", knowledge_of(host.writer)[STATUS / f"{host.writer.name}.xml"]).group(1))
    file = host.writer.folder / "left.qcow2"
    run("qemu-img", "create", "-q", "-f", "qcow2", file, "1M")
    file.chmod(0o666)

    def ask(command, **arguments):
        told = run("virsh", "qemu-monitor-command", host.writer.name,
                   json.dumps({"execute": command, "arguments": arguments}))
        return json.loads(told)["return"]

    for index in (number + 1, number + 2):
        ask("blockdev-add", driver="file", filename=str(file), **{"node-name": f"libvirt-{index}-storage", "read-only": True})
    ask("blockdev-add", driver="qcow2", file=f"libvirt-{number + 1}-storage",
        **{"node-name": f"libvirt-{number + 1}-format", "read-only": True})
    file.unlink()
    host.take("taken", WRITER)
    assert not any(str(file) in node["file"] for node in ask("query-named-block-nodes"))
    host.writer_has_written(above=host.last_token())
    host.cohort("snapshot", "delete", "taken")


def test_a_take_that_libvirtd_forgets_is_undone(host):
    before, knowledge = host.picture(), knowledge_of(host.writer)
    host.cohort("snapshot", "take", WRITER, kill_at="capture.after_snapshot", check=False)
    host.members_go_on()
    host.writer_has_written(above=host.last_token())
    forget_since(knowledge)
    assert host.recover().json["recovery"]["failures"] == []
    assert host.picture() == before


def test_a_snapshot_that_libvirtd_forgets_is_deleted(host):
    take_and_forget(host, OTHERS)
    host.cohort("snapshot", "delete", "forgotten")


def test_no_snapshot_is_taken_of_a_machine_about_which_libvirt_is_wrong(host):
    take_and_forget(host)
    before = host.picture()
    message = refused(host, "snapshot", "take", OTHERS, "--name", "next")
    assert "libvirt takes" in message and str(host.writer.image()) in message and "host doctor" in message
    assert host.picture() == before
    host.cohort("snapshot", "delete", "forgotten")


def test_the_doctor_merges_a_forgotten_overlay_without_a_record(host):
    take_and_forget(host)
    host.cohort("snapshot", "delete", "forgotten", "--forget-only")
    found = host.cohort("host", "doctor", check=False).json["doctor"]["ailments"]
    wanted = [each["id"] for each in found if each["kind"] == "unrecorded_overlay"]
    assert len(wanted) == len(host.writer.images), found
    mend(host, wanted)


def mistakes(site):
    found = site.cohort("host", "doctor", check=False).json["doctor"]["ailments"]
    return [each for each in found if each["kind"] == "mistaken_disk"]


def test_the_doctor_finds_a_recorded_overlay_that_libvirtd_has_forgotten_until_its_snapshot_is_deleted(host):
    assert mistakes(host) == []
    take_and_forget(host)
    snapshot = host.cohort("snapshot", "show", "forgotten").json["snapshot"]
    disks = {disk["target"]: disk for member in snapshot["members"] for disk in member["disks"]}
    found = mistakes(host)
    assert [each["id"] for each in found] == [f"mistaken_disk:{host.writer.name}/{target}" for target in disks]
    for each, disk in zip(found, disks.values()):
        assert disk["overlay"] in each["message"] and disk["frozen"]["path"] in each["message"]
        assert each["mendable"] and f"cohort snapshot delete {snapshot['id'][:8]}" in each["remedy"]
    host.cohort("snapshot", "delete", "forgotten")
    assert mistakes(host) == []


def test_a_machine_whose_definition_the_doctor_has_mended_starts_on_its_overlays(host):
    take_and_forget(host)
    ids = [each["id"] for each in mistakes(host)]
    assert len(ids) == 2
    words = [word for id in ids for word in ("--mend", id)]
    mended = host.cohort("host", "doctor", *words, check=False).json["doctor"]["mended"]
    assert len(mended) == len(ids) and all("shut the machine down" in each for each in mended)
    assert [each["id"] for each in mistakes(host)] == ids, "until the machine is off"
    host.writer_has_written(above=host.last_token())
    host.writer.destroy()
    host.writer.start().wait_ready(timeout=400)
    assert mistakes(host) == []
    host.cohort("snapshot", "delete", "forgotten")


@pytest.mark.parametrize("first", ["lower", "upper"])
def test_forgotten_snapshots_on_top_of_each_other_are_deleted_from_the_top(host, first):
    """`first` is the lowest one that libvirtd has forgotten."""
    if first == "lower":
        knowledge = knowledge_of(host.writer)
        host.take("lower", WRITER)
    else:
        host.take("lower", WRITER)
        knowledge = knowledge_of(host.writer)
    host.writer_has_written(above=host.last_token())
    host.take("upper", WRITER)
    host.writer_has_written(above=host.last_token())
    forget_since(knowledge)
    before = host.snapshots()
    assert "libvirt takes" in refused(host, "snapshot", "delete", "lower")
    assert host.snapshots() == before
    host.cohort("snapshot", "delete", "upper")
    host.writer_has_written(above=host.last_token())
    host.cohort("snapshot", "delete", "lower")


@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize("point", POINTS)
def test_a_killed_merge_goes_on(host, point, skip):
    take_and_forget(host)
    host.cohort("snapshot", "delete", "forgotten", kill_at=point, skip=skip, check=False)
    host.writer_has_written(above=host.last_token())
    assert host.recover().json["recovery"]["failures"] == []


def define_as_told(site, target):
    """What the owner is told to do with a disk whose overlay libvirt has forgotten."""
    [member] = site.cohort("snapshot", "show", "forgotten").json["snapshot"]["members"]
    [overlay] = [disk["overlay"] for disk in member["disks"] if disk["target"] == target]
    domain = ET.fromstring(site.writer.xml(inactive=True))
    [disk] = [each for each in domain.findall("devices/disk") if each.find("target").get("dev") == target]
    disk.find("source").set("file", overlay)
    disk.find("driver").set("type", "qcow2")
    site.lab.connection.defineXML(ET.tostring(domain, encoding="unicode"))


def test_a_machine_that_ends_between_mark_and_switch_loses_nothing(host):
    take_and_forget(host)
    host.cohort("snapshot", "delete", "forgotten", kill_at="merge.forgotten_marked", check=False)
    host.writer_has_written(above=host.last_token())
    host.writer.destroy()
    define_as_told(host, "vdb")  # whose merge had not begun
    assert host.recover().json.get("recovery", {"failures": []})["failures"] == []
    if "forgotten" in host.snapshots():
        host.cohort("snapshot", "delete", "forgotten")
    host.writer.start().wait_ready(timeout=400)


@pytest.mark.parametrize("point", POINTS)
def test_a_merge_outlives_a_restart_of_libvirtd(host, point):
    take_and_forget(host)
    program = host.start("snapshot", "delete", "forgotten", stop_at=point)
    wait_stopped(program, f"a deletion at {point}")
    daemons.kill("libvirtd")
    daemons.ensure()
    out, err = run_on(program)
    assert program.returncode == 0, out + err
