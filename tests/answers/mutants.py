"""Wrong answers drawn by machine: our functions with one operator, constant or slice changed."""

import ast
import copy
import inspect
from types import SimpleNamespace

import numpy as np

NUMPY_OPS = SimpleNamespace(  # in place of keras.ops: it is many times faster
    **{name: getattr(np, name) for name in (
        "sum", "square", "where", "power", "shape", "reshape", "matmul", "swapaxes", "ones_like",
        "zeros_like",
    )},
    cast=np.asarray,
    convert_to_tensor=np.asarray,
    stop_gradient=lambda x: x,
)  # fmt: skip
OPERATORS = {
    ast.Add: [ast.Sub, ast.Mult],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div, ast.Add],
    ast.Div: [ast.Mult],
    ast.Pow: [ast.Mult],
    ast.MatMult: [ast.Mult],
    ast.Gt: [ast.GtE, ast.Lt],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.And: [ast.Or],
    ast.Or: [ast.And],
}
CALLS = {"sum": ["mean", "max"], "square": ["abs"]}


def changes(node):
    """Yield functions that each change one node in place."""
    for field in ("op", "ops"):
        found = getattr(node, field, None)
        for kind in OPERATORS.get(type(found[0] if isinstance(found, list) else found), []):
            yield lambda n, field=field, kind=kind: setattr(
                n, field, [kind()] if field == "ops" else kind()
            )
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        for other in (node.value + 1, node.value - 1, node.value * 2, -node.value):
            yield lambda n, other=other: setattr(n, "value", other)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield lambda n: setattr(n, "op", ast.UAdd())
    if isinstance(node, ast.Slice):
        for end in ("lower", "upper", "step"):
            if getattr(node, end):
                yield lambda n, end=end: setattr(n, end, None)
    if isinstance(node, ast.Attribute):
        for other in CALLS.get(node.attr, []):
            yield lambda n, other=other: setattr(n, "attr", other)
    if isinstance(node, ast.BinOp) and not isinstance(node.op, (ast.Add, ast.Mult)):
        yield lambda n: n.__dict__.update(left=n.right, right=n.left)


def mutants(name, module, parts, **others):
    """Yield (what was changed, function): `name` of the module, one of its `parts` mutated.

    The module's `others` are replaced by what is given.
    """
    body = ast.parse(inspect.getsource(module)).body
    whole = [compiled(statement, module) for statement in body]
    for top, statement in enumerate(body):
        if title(statement) not in parts:
            continue
        for place, node in enumerate(ast.walk(statement)):
            for number, change in enumerate(changes(node)):
                mutated = copy.deepcopy(statement)
                change(list(ast.walk(mutated))[place])
                space = {"__name__": module.__name__}
                for code in [*whole[:top], compiled(mutated, module), *whole[top + 1 :]]:
                    exec(code, space)
                space.update(others)
                line = getattr(node, "lineno", statement.lineno)
                yield f"{title(statement)}:{line}:{place}.{number}", space[name]


def compiled(statement, module):
    tree = ast.fix_missing_locations(ast.Module([statement], []))
    return compile(tree, module.__file__, "exec")


def title(statement):
    if isinstance(statement, ast.FunctionDef):
        return statement.name
    return getattr(getattr(statement, "targets", [None])[0], "id", None)
