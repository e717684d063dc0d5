"""What the project says of itself is true: files, lists and sizes that could drift apart."""

import re
import sys
import tomllib
from pathlib import Path

import machines
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent


def text_of(name):
    return (ROOT / name).read_text("utf-8")


@pytest.fixture(scope="module")
def project():
    return tomllib.loads(text_of("pyproject.toml"))["project"]


def test_every_picture_has_a_licence_line_and_every_line_a_picture():
    rows = re.findall(r"^\| (\S+\.\w+) \|(.*)\|(.*)\|(.*)\|$", text_of("images/LICENSES.md"), re.M)
    listed = {row[0] for row in rows}
    images = ROOT / "images"
    pictures = {
        path.relative_to(images).as_posix()
        for path in [*images.iterdir(), *(images / "lessons").iterdir()]
        if path.suffix in (".png", ".jpg", ".webp")
    }
    assert listed == pictures
    assert all(cell.strip() for row in rows for cell in row)


def test_binder_installs_what_pyproject_asks_for(project):
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *extras["cpu"], *extras["lab"], *extras["dev"]]
    installed = re.findall(r'^ {6}- "(.*)"$', text_of("environment.yml"), re.M)
    assert installed == ["-c constraints.txt", *asked]


def pinned_versions():
    """{package: its versions in constraints.txt}: more than one only where systems differ."""
    versions = {}
    for line in text_of("constraints.txt").splitlines():
        if not line.startswith("#"):
            requirement = Requirement(line)
            assert re.fullmatch(r"==[\w.]+", str(requirement.specifier)), "one version, no address"
            version = str(requirement.specifier).removeprefix("==")
            versions.setdefault(canonicalize_name(requirement.name), []).append(version)
    return versions


def test_the_tested_versions_are_among_those_allowed(project):
    extras = project["optional-dependencies"]
    asked = [line for name in extras if name != "gpu" for line in extras[name]]
    pinned = pinned_versions()
    for requirement in map(Requirement, [*project["dependencies"], *asked]):
        for version in pinned[canonicalize_name(requirement.name)]:
            assert version in requirement.specifier, requirement.name


WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_read_and_names_every_action_by_its_commit(path):
    workflow = path.read_text("utf-8")
    assert re.search(r"^permissions:( read-all|\n  contents: read)$", workflow, re.M)
    actions = re.findall(r"uses: (.*)", workflow)
    assert actions
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}  # v[\d.]+", action) for action in actions)


def test_the_workflow_runs_commands_of_the_makefile():
    workflow = text_of(".github/workflows/test.yml")
    targets = re.findall(r"make: \[?([a-z-]+)", workflow)
    assert {"test", "test-core", "test-long", "test-machines"} <= set(targets)
    assert set(re.findall(r"MACHINES=([\w-]+)", workflow)) <= set(machines.MACHINES)
    for path in WORKFLOWS:
        targets += re.findall(r"make ([a-z][a-z-]+)", path.read_text("utf-8"))
    for target in targets:
        assert re.search(rf"^{target}:.*##", text_of("Makefile"), re.M), target


def run_machines(names, code, logs):
    return machines.main(names, command=(sys.executable, "-c", code), logs=logs)


def test_a_red_machine_does_not_stop_the_next(tmp_path, capsys):
    code = "import os; print('seen:', os.environ.get('NST_PRECISION')); raise SystemExit(3)"
    assert run_machines(["avx2", "busy"], code, tmp_path) == 1
    table = capsys.readouterr().out
    assert re.search(r"\| avx2 \|.*\| red", table)
    assert re.search(r"\| busy \|.*\| red", table)
    assert "seen: float32" in (tmp_path / "avx2.log").read_text()


def test_a_green_machine_is_told_what_make_is_told(tmp_path, capsys):
    assert run_machines(["lowest"], "import sys; print(sys.argv[1:])", tmp_path) == 0
    assert "green" in capsys.readouterr().out
    assert (
        "['test', 'VERSIONS=lowest', 'VENV=.venv-lowest']" in (tmp_path / "lowest.log").read_text()
    )


def test_tensorflow_is_no_core_dependency(project):
    assert not [name for name in project["dependencies"] if name.startswith("tensorflow")]


def test_ci_runs_the_readmes_test_command():
    assert "make test" in text_of(".ci/run")
    assert re.search(r"^make test\b", text_of("README.md"), re.M)


def test_commands_in_the_readme_exist():
    makefile = text_of("Makefile")
    for target in re.findall(r"^make ([\w-]+)", text_of("README.md"), re.M):
        assert re.search(rf"^{target}:.*##", makefile, re.M), target


def test_the_repositorys_address_stands_in_one_place():
    """Lessons have it from there: `test_it_opens_in_colab`."""
    files = [
        p
        for pattern in ("*.md", "*.toml", "*.cff", "*.yml", "docs/*", "notebooks/*.py", "web/*")
        for p in ROOT.glob(pattern)
    ]
    holders = [path.name for path in files if path.is_file() and "OWNER" in path.read_text("utf-8")]
    assert holders == ["README.md"]


def test_every_public_name_is_there_and_documented():
    import nst_tutorial

    for name in nst_tutorial.__all__:
        assert getattr(nst_tutorial, name).__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'gram'"):
        getattr(nst_tutorial, "gram")  # noqa: B009


def test_the_version_is_said_once(project):
    import nst_tutorial

    assert project["dynamic"] == ["version"]
    assert f"version: {nst_tutorial.__version__}\n" in text_of("CITATION.cff")
