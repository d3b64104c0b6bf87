#!/usr/bin/python3
"""Checks the rules that keep the folders of src/ apart and the files small.

  tests/layers.py [ROOT]

- An #include "folder/…" only follows the arrows of ARROWS (docs/design/layers.md explains them), and so does the link
  line of the folder's CMake target.
- Headers of a library are only included in the folder that wraps it.
- Fakes (service/testing, cli/testing) are for tests alone.
- Files stay within their number of lines; headers have #pragma once; each test and each source is in its build list, and each
  build list is reached from the one at the root.
"""
import re
import sys
from pathlib import Path

# folder -> the folders it may include, besides itself
ARROWS = {
    "base": set(),
    "domain": {"base"},
    "cim": {"base"},
    "codec": {"base", "cim"},
    "http": {"base"},
    "provider": {"base", "domain", "cim", "service"},
    "disk": {"base"},
    "package": {"base", "disk", "domain"},
    "service": {"base", "domain", "package"},
    "store": {"base", "domain", "service"},
    "hypervisor": {"base", "domain", "service"},
    "client": {"base", "domain", "disk", "package", "service", "store", "hypervisor"},
    "cli": {"base", "domain", "package", "service", "client"},
    "daemon": {"base", "domain", "cim", "codec", "http", "service", "store", "hypervisor", "provider", "client", "cli"},
}

# start of an #include <…> -> the folders that may have it
LIBRARIES = {
    "libvirt/": {"hypervisor"},
    "libxml/": {"codec", "hypervisor"},
    "sqlite3": {"store"},
    "SQLiteCpp/": {"store"},
    "CLI/": {"cli", "daemon"},
    "openssl/": {"base", "http"},
    "boost/": {"http"},
    "gssapi/": {"http"},
    "security/": {"http"},
    "zlib.h": {"disk"},
    "zstd.h": {"disk"},
    "liburing": {"disk"},
    "libnbd.h": {"disk"},
    "systemd/": {"daemon"},
    "prometheus/": {"daemon"},
    "nlohmann/": {"disk", "package", "hypervisor", "cli"},
}

LINES = {".cc": 500, ".h": 250}
TEST_LINES = 800
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
LINK = re.compile(r"\bcohort_(\w+)\b")
LIBRARY_CALL = re.compile(r"cohort_library\(\s*(\w+)([^)]*)\)", re.DOTALL)


def is_test(path):
    return path.stem.endswith("_test") or "testing" in path.parts


def folder_of(path, source):
    return path.relative_to(source).parts[0]


def check_include(folder, name, for_test):
    """What is wrong with a folder's #include "name"; nothing if it may be."""
    target = name.split("/")[0]
    if "/" not in name or target not in ARROWS:
        return f'"{name}" does not begin with a folder of src/'
    if "/testing/" in name and not for_test:
        return f'"{name}" is for tests alone'
    if target != folder and target not in ARROWS[folder]:
        return f'"{name}": {folder} may not use {target}'
    return None


def check_library(folder, name):
    for start, folders in LIBRARIES.items():
        if name.startswith(start) and folder not in folders:
            return f"<{name}> belongs in {', '.join(sorted(folders))}"
    return None


def check_includes(path, text, source):
    folder = folder_of(path, source)
    for own, system in INCLUDE.findall(text):
        problem = check_include(folder, own, is_test(path)) if own else check_library(folder, system)
        if problem:
            yield f"{path}: {problem}"


def check_size(path, text):
    limit = TEST_LINES if is_test(path) else LINES[path.suffix]
    lines = text.count("\n")
    if lines > limit:
        yield f"{path}: {lines} lines; {limit} is the limit: an idea in it has no name yet"


def check_header(path, text):
    if path.suffix == ".h" and "#pragma once" not in text.splitlines():
        yield f"{path}: no #pragma once"


def names_in(build_list):
    """The words of a CMakeLists.txt, comments left out."""
    text = re.sub(r"#.*", "", build_list.read_text())
    return set(re.split(r'[\s()"]+', text))


def check_built(source, files):
    listed = {}
    for path in files:
        if path.suffix != ".cc":
            continue
        for above in path.parents:
            build_list = above / "CMakeLists.txt"
            if build_list not in listed:
                listed[build_list] = names_in(build_list) if build_list.exists() else set()
            if str(path.relative_to(above)) in listed[build_list]:
                break
            if above == source:
                yield f"{path}: no CMakeLists.txt names it, so it is not built"
                break


def check_reached(root):
    """A folder with a build list that no folder above adds is not built, and its tests never run."""
    for build_list in sorted([*root.glob("src/**/CMakeLists.txt"), *root.glob("tests/**/CMakeLists.txt"),
                              *root.glob("fuzz/CMakeLists.txt")]):
        folder = build_list.parent
        added = (re.findall(r"add_subdirectory\(\s*([^\s)]+)", re.sub(r"#.*", "", above.read_text()))
                 for above in (parent / "CMakeLists.txt" for parent in folder.parents) if above.exists()
                 and above.is_relative_to(root))
        if not any(str(folder).endswith("/" + name) for names in added for name in names):
            yield f"{build_list}: no add_subdirectory reaches it, so it is not built"


def check_links(source):
    for build_list in sorted(source.glob("*/CMakeLists.txt")):
        for name, arguments in LIBRARY_CALL.findall(re.sub(r"#.*", "", build_list.read_text())):
            for target in LINK.findall(arguments):
                if name in ARROWS and target in ARROWS and target != name and target not in ARROWS[name]:
                    yield f"{build_list}: {name} may not link {target}"


def sources(source):
    return sorted(path for path in source.rglob("*") if path.suffix in LINES and path.is_file())


def problems(root):
    """Every breach of the rules below ROOT/src, as a sentence."""
    source = root / "src"
    files = sources(source)
    for path in files:
        if folder_of(path, source) not in ARROWS:
            yield f"{path}: its folder is not in the table of layers"
            continue
        text = path.read_text()
        yield from check_includes(path, text, source)
        yield from check_size(path, text)
        yield from check_header(path, text)
    yield from check_built(source, files)
    yield from check_reached(root)
    yield from check_links(source)
    if not files:
        yield f"{source}: no sources"


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    found = list(problems(root))
    for problem in found:
        print(problem)
    print(f"layers: {len(sources(root / 'src'))} files, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
