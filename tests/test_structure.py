"""The package as CONTRIBUTING shows it: who may import whom, and how little a transfer needs."""

import ast
import importlib
import re
from functools import cache
from pathlib import Path

import pytest

import nst_tutorial
import nst_tutorial.fast

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "nst_tutorial"
# Each may import what stands above it here, and its own room.
FLOORS = (
    {"runtime", "conventions.known"},
    {"images", "conventions", "control.colors"},
    {"config", "losses"},
    {"scales"},
    {"extractors", "optimizers"},
    {"lbfgs", "objective"},
    {"transfer"},
    {"control"},
    {"runs", "plots"},
    {"conventions.convert", "fast", "study", "widgets", "checks"},
    {"cli"},
)
# What `checks` may see.
LESSONS = {"images", "extractors", "losses", "scales", "runtime", "control.colors"}


@cache
def modules():
    """{name without "nst_tutorial.": path} of all modules; a room goes by its own name."""
    names = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        names[".".join(part for part in parts if part != "__init__")] = path
    return names


@cache
def imports_of(name):
    """The modules of the package that a module names in any import, within functions too."""
    found = set()
    for node in ast.walk(ast.parse(modules()[name].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return {home for one in found if (home := home_of(one)) is not None}


def home_of(dotted):
    """The module that a dotted name is of; None for one outside the package."""
    package, _, name = dotted.partition(".")
    if package != "nst_tutorial":
        return None
    name = homes().get(name, name)
    while name and name not in modules():
        name = name.rpartition(".")[0]
    return name or None  # the package itself imports nothing until it is asked


@cache
def homes():
    """{name that the package itself offers: the module it is of}, as its stub has them."""
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text("utf-8"))
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    return {
        alias.name: node.module.removeprefix("nst_tutorial.")
        for node in imports
        for alias in node.names
    }


def closure_of(name):
    """All that is imported when a module is, with the rooms' own files."""
    seen, new = set(), {name}
    while new:
        one = new.pop()
        seen.add(one)
        new |= (imports_of(one) | ({one.rpartition(".")[0]} - {""})) - seen
    return seen


def floor_of(name):
    for number, rooms in enumerate(FLOORS):
        if name in rooms:
            return number
    room = name.partition(".")[0]
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def room_of(name):
    return name.partition(".")[0]


def lines_of(names):
    return sum(len(modules()[name].read_text("utf-8").splitlines()) for name in names)


@pytest.mark.parametrize("name", sorted(modules().keys() - {"", "__main__"}))
def test_imports_lead_down(name):
    for other in imports_of(name):
        same_room = room_of(other) == room_of(name)
        assert floor_of(other) < floor_of(name) + same_room, f"{name} must not import {other}"


def test_checks_see_the_lessons_alone():
    for name in modules():
        if room_of(name) == "checks":
            others = {room_of(other) for other in imports_of(name) - LESSONS}
            assert others <= LESSONS | {"checks"}, name


def test_the_graph_is_read_as_python_reads_it():
    """Otherwise the tests above would hold of anything."""
    assert {"objective", "losses", "lbfgs", "runtime.backend"} <= closure_of("transfer")
    assert home_of("nst_tutorial.stylize") == "runs.run"
    assert home_of("nst_tutorial.losses.gram_matrix") == "losses"
    assert floor_of("cli.commands") > floor_of("runs.tiles") > floor_of("runtime.files")


SCRIPTS = [
    path for room in ("benchmarks", "training", "images") for path in ROOT.glob(f"{room}/*.py")
]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_import_what_is_there(path):
    """Nobody runs them every day. An import of what is not there is an error."""
    assert not check_imports(path.read_text("utf-8"))


PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
every_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)


@every_page
def test_pages_import_what_is_there(path):
    for block in re.findall(r"```python\n(.*?)```", path.read_text("utf-8"), re.S):
        assert not check_imports(block)


@every_page
def test_pages_link_to_what_is_there(path):
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith(("http", "#")):
            assert (path.parent / target.split("#")[0]).exists(), target


def check_imports(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and room_of(node.module) == "nst_tutorial":
            for alias in node.names:
                if not hasattr(importlib.import_module(node.module), alias.name):
                    importlib.import_module(f"{node.module}.{alias.name}")


def test_a_transfer_stands_on_little():
    """As docs/package.md says."""
    closure = closure_of("transfer")
    assert not {room_of(name) for name in closure} & {"runs", "images", "extractors", "plots"}
    assert lines_of(closure) <= 2200
    assert "2,200 lines" in (ROOT / "docs" / "package.md").read_text("utf-8")


def test_contributing_lists_the_package():
    """Every file at the top and every room has its line, and no other has one."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    listed = re.findall(
        r"^    (\w+(?:\.py|/)) ", text.partition("## How the package is laid out")[2], re.M
    )
    rooms = {f"{path.parent.name}/" for path in PACKAGE.glob("*/__init__.py")}
    files = {path.name for path in PACKAGE.glob("*.py")}
    assert sorted(listed) == sorted(rooms | files)
    assert len(files) <= 12


def test_contributing_lists_the_way_of_a_photograph():
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## What happens in a call")[2]
    steps = re.findall(r"^\d+\. `([\w/]+)\.py`", text.partition("\n## ")[0], re.M)
    names = [step.replace("/", ".") for step in steps]
    assert len(names) <= 8
    assert set(names) <= closure_of("runs.run")
    assert {"losses", "objective", "transfer", "extractors"} <= set(names)


def public_functions(body):
    """Functions and methods without a leading underscore, and those that Python itself calls."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node.body)
        elif isinstance(node, ast.FunctionDef) and re.match(r"__|[^_]", node.name):
            yield node


def lacks_of(function):
    """Which parameters of a function have no annotation; "return" where it says no type."""
    own = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    own += filter(None, (function.args.vararg, function.args.kwarg))
    named = {arg.arg: arg.annotation for arg in own if arg.arg not in ("self", "cls")}
    return [name for name, type in {**named, "return": function.returns}.items() if type is None]


@pytest.mark.parametrize("name", sorted(modules()))
def test_public_functions_say_their_types(name):
    for function in public_functions(ast.parse(modules()[name].read_text("utf-8")).body):
        assert not lacks_of(function), f"{function.name}, line {function.lineno}"


def test_lacking_types_are_found():
    """Otherwise the test above would hold of anything."""
    code = "class A:\n  def f(self, a: int, *b, c=1): ...\n  def _g(x): ...\ndef h() -> int: ..."
    functions = public_functions(ast.parse(code).body)
    assert {one.name: lacks_of(one) for one in functions} == {"f": ["c", "b", "return"], "h": []}


@pytest.mark.parametrize("lazy", [nst_tutorial, nst_tutorial.fast], ids=lambda lazy: lazy.__name__)
def test_type_checkers_see_the_names_that_are_there(lazy):
    stub = ast.parse(Path(lazy.__file__).with_suffix(".pyi").read_text("utf-8"))
    imported = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    listed = {alias.asname: node.module for node in imported for alias in node.names}
    assert listed == {name: getattr(lazy, name).__module__ for name in lazy.__all__}
