"""The Python client as a package: it stands alone, and is short."""

import ast
import sys
from pathlib import Path

import fanfare_client

from tests.architecture.test_rules_of_the_house import FILE_LINES, FUNCTION_LINES

PACKAGE = Path(fanfare_client.__file__).parent
MODULES = {path.stem: ast.parse(path.read_text()) for path in sorted(PACKAGE.glob("*.py"))}


def imported(tree: ast.Module) -> set[str]:
    """The packages that a module imports from."""
    nodes = list(ast.walk(tree))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in plain | named}


def test_it_needs_httpx_and_pyjwt_alone() -> None:
    needed = set().union(*(imported(tree) for tree in MODULES.values()))
    assert needed - sys.stdlib_module_names == {"fanfare_client", "httpx", "jwt"}
    assert (PACKAGE / "py.typed").exists()


def test_it_is_short() -> None:
    assert len(MODULES) == 6
    for name, tree in MODULES.items():
        assert (PACKAGE / f"{name}.py").read_text().count("\n") <= FILE_LINES
        assert ast.get_docstring(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert (node.end_lineno or 0) - node.lineno < FUNCTION_LINES, (name, node.name)


def test_what_both_clients_have_says_the_same() -> None:
    """Alike in their names and arguments; they differ in awaiting alone."""
    module = MODULES["client"]
    kinds = {node.name: node for node in module.body if isinstance(node, ast.ClassDef)}
    signatures = [
        {
            node.name: ast.unparse(node.args)
            for node in kinds[name].body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("__")
        }
        for name in ("Client", "AsyncClient")
    ]
    assert signatures[0] == signatures[1]
