"""Rules of the architecture, as checkers over source text: each returns a line for every place that breaks it."""

import ast
import re
from collections.abc import Iterator

_PURE_IMPORT = re.compile(
    r"(__future__|abc|bisect|collections|dataclasses|decimal|difflib|enum|fractions|functools|itertools|math|msgspec|"
    r"operator|re|statistics|types|typing|drift_engine\.core|drift_engine\.strategies)(\.|$)"
)
_IMPURE_CALL = re.compile(r"__import__|breakpoint|compile|eval|exec|globals|hash|id|input|locals|open|print|vars")
_MUTATOR = re.compile(r"__setattr__|add|append|clear|discard|extend|insert|pop|popitem|remove|setdefault|sort|update")
_PLACE = re.compile(
    r"(?i:files\.pythonhoste[d]|pypi\.or[g]/simple|--(?:extra-)?index-ur[l]|trusted-hos[t]|artifactor[y]|npmj[s]\.|"
    r"nexu[s]\.|goprox[y]|devp[i])|/(?:wor[k]|roo[t]|far[m])/|/hom[e]/\w|/User[s]/\w|[A-Z]:\\User[s]"
)
_WHOLE_MATH = {"gcd", "isqrt", "lcm"}
_EVERYTHING = {"Exception", "BaseException"}
_STATE = {"state", "_state", "engine_state", "_engine_state"}


def impurities(source: str) -> list[str]:
    """Imports outside the short list of pure ones, and calls that look at or touch the world."""
    tree = ast.parse(source)
    found = [f"{line}: imports {name}" for line, name in _imports(tree) if not _PURE_IMPORT.match(name)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and _IMPURE_CALL.fullmatch(node.func.id):
            found.append(f"{node.lineno}: calls {node.func.id}()")
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}:
            found.append(f"{node.lineno}: reads the clock by .{node.attr}")
    return found


def inexact(source: str, allowed: frozenset[str] = frozenset()) -> list[str]:
    """Float literals, true division, ``float()``, ``round()`` and inexact maths outside the functions named."""
    found = []
    for line, scope, node in _scoped(ast.parse(source)):
        if scope not in allowed and (what := _inexact(node)):
            found.append(f"{line}: {what} in {scope or 'the module'}")
    return found


def constructions(source: str, name: str) -> list[str]:
    """Places that can make a value of the type ``name``: calls, types passed to decoders, aliases."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _last_name(node.func) not in {"isinstance", "issubclass"}:
            mentioned = [node.func, *node.args, *(keyword.value for keyword in node.keywords)]
            if name in map(_last_name, mentioned):
                found.append(f"{node.lineno}: makes {name}")
        if isinstance(node, ast.Assign) and _last_name(node.value) == name:
            found.append(f"{node.lineno}: gives {name} another name")
        if isinstance(node, ast.ImportFrom) and any(each.name == name and each.asname for each in node.names):
            found.append(f"{node.lineno}: imports {name} under another name")
    return found


def state_writes(source: str) -> list[str]:
    """Assignments, deletions and mutating calls on anything reached through the engine's state."""
    tree = ast.parse(source)
    states = _STATE | _annotated(tree, "EngineState")
    found: list[str] = []
    for node in ast.walk(tree):
        written = [target for target in _targets(node) if _is_inside(target, states)]
        found.extend(f"{target.lineno}: writes {ast.unparse(target)}" for target in written)
        if isinstance(node, ast.Call) and _mutates(node, states):
            found.append(f"{node.lineno}: calls {ast.unparse(node.func)}()")
    return found


def swallowed(source: str) -> list[str]:
    """``except`` clauses that do nothing, and ``suppress`` of everything."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ExceptHandler) and all(_idle(statement) for statement in node.body):
            found.append(f"{node.lineno}: except does nothing")
        if isinstance(node, ast.Call) and _suppresses_everything(node):
            found.append(f"{node.lineno}: suppresses everything")
    return found


def places(text: str) -> list[str]:
    """Paths of a machine and hosts of package registries."""
    lines = enumerate(text.splitlines(), 1)
    return [f"{number}: {line.strip()[:80]}" for number, line in lines if _PLACE.search(line)]


def _imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")


def _scoped(node: ast.AST, line: int = 0, scope: str = "") -> Iterator[tuple[int, str, ast.AST]]:
    for child in ast.iter_child_nodes(node):
        inner, at = scope, getattr(child, "lineno", line)
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            inner = f"{scope}.{child.name}".lstrip(".")
        yield at, inner, child
        yield from _scoped(child, at, inner)


def _inexact(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
        return f"float {node.value}"
    if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
        return "true division"
    if isinstance(node, ast.Call) and _last_name(node.func) in {"float", "round"}:
        return f"{_last_name(node.func)}()"
    if isinstance(node, ast.Attribute) and _last_name(node.value) == "math" and node.attr not in _WHOLE_MATH:
        return f"math.{node.attr}"
    if isinstance(node, ast.ImportFrom) and node.module == "math":
        return ", ".join(f"math.{alias.name}" for alias in node.names if alias.name not in _WHOLE_MATH)
    return ""


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _annotated(tree: ast.AST, name: str) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation is not None and _last_name(node.annotation) == name:
            found.add(node.arg)
        if isinstance(node, ast.AnnAssign) and _last_name(node.annotation) == name:
            found.add(_last_name(node.target))
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _last_name(node.value.func) == name:
            found |= {_last_name(target) for target in node.targets}
    return found - {""}


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return [each for target in node.targets for each in _unpacked(target)]
    if isinstance(node, ast.AugAssign | ast.AnnAssign | ast.For | ast.AsyncFor):
        return _unpacked(node.target)
    return list(node.targets) if isinstance(node, ast.Delete) else []


def _unpacked(target: ast.expr) -> list[ast.expr]:
    if isinstance(target, ast.Tuple | ast.List):
        return [each for element in target.elts for each in _unpacked(element)]
    return [target.value] if isinstance(target, ast.Starred) else [target]


def _is_inside(target: ast.expr, names: set[str]) -> bool:
    return isinstance(target, ast.Attribute | ast.Subscript) and _reached_from(target.value, names)


def _reached_from(node: ast.expr, names: set[str]) -> bool:
    while isinstance(node, ast.Attribute | ast.Subscript):
        if _last_name(node) in names:
            return True
        node = node.value
    return _last_name(node) in names


def _mutates(node: ast.Call, states: set[str]) -> bool:
    if isinstance(node.func, ast.Name):
        return node.func.id in {"setattr", "delattr"} and _reached_from(node.args[0], states)
    if not isinstance(node.func, ast.Attribute) or not _MUTATOR.fullmatch(node.func.attr):
        return False
    if node.func.attr == "__setattr__":
        return any(_reached_from(each, states) for each in node.args[:1])
    return _is_inside(node.func.value, states)


def _idle(statement: ast.stmt) -> bool:
    constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return constant or isinstance(statement, ast.Pass)


def _suppresses_everything(node: ast.Call) -> bool:
    return _last_name(node.func) == "suppress" and bool({_last_name(each) for each in node.args} & _EVERYTHING)
