"""Random packages of settings modules, in which each value tells the line that wrote it.

    python -m tests.provenance.random_settings --answers 20000 --seed 1

Each literal is used once, so the values in force say which statements wrote them. Needs nothing but
Python and dlq.
"""

from __future__ import annotations

import argparse
import importlib
import random
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from dlq.provenance.lookup import Lookup
from dlq.provenance.observer import observe
from dlq.types import Source

P, S = "LIGHTWEIGHT_QUEUE_REDIS_PORT", "LIGHTWEIGHT_QUEUE_REDIS_PREFIX"
W, M = "LIGHTWEIGHT_QUEUE_WORKERS", "LIGHTWEIGHT_QUEUE_MIDDLEWARE"
KEYS = "abcdef"


@dataclass
class Module:
    """A module while it is written. `writers`: the lines that may be named for each value."""

    name: str
    random: random.Random
    values: Iterator[int]
    writers: dict[object, set[tuple[str, int]]]
    imports: list[str]
    lines: list[str] = field(default_factory=list)
    count: int = 0
    rewritable: list[tuple[str, int]] = field(default_factory=list)
    """Literals of this file that were given to P, or to a key of W."""

    @property
    def file(self) -> str:
        return f"{self.name}.py"

    def value(self) -> int:
        """A new value, which the line writes that is added next."""
        value = next(self.values)
        self.writers[value] = {(self.file, len(self.lines) + 1)}
        return value

    def add(self, line: str) -> None:
        self.lines.append(line)

    def key(self) -> str:
        return self.random.choice(KEYS)

    def fresh(self, stem: str) -> str:
        self.count += 1
        return f"{stem}_{self.name}_{self.count}"

    def table(self, indent: str, head: str) -> None:
        """A dict over several lines; `head` ends with its opening bracket."""
        self.add(f"{indent}{head}")
        for key in self.random.sample(KEYS, self.random.randint(1, 4)):
            self.add(f"{indent}    {key!r}: {self.value()},")
        self.add(indent + {"{": "}", "(": ")"}.get(head[-1], ""))

    def statement(self, depth: int = 0) -> None:
        choice = self.random.random()
        indent = "    " * depth
        if depth == 0 and self.rewritable and choice < 0.01:
            self.rewrite()
        elif depth < 2 and choice < 0.25:
            self.block(depth, indent)
        elif choice < 0.4:
            self.helper(indent)
        else:
            self.simple(indent)

    def block(self, depth: int, indent: str) -> None:
        kind = self.random.randrange(6)
        condition = self.random.choice(["len('ab') == 2", "len('ab') == 3"])
        if kind <= 1:
            self.add(f"{indent}if {condition}:")
            self.statement(depth + 1)
            self.add(f"{indent}else:")
        elif kind == 2:
            self.add(f"{indent}for q in {self.random.sample(KEYS, 2)!r}:")
            self.add(f"{indent}    {W}[q] = {self.value()}")
            return
        elif kind == 3:
            self.add(f"{indent}try:")
            self.add(f"{indent}    {P} = int('x{next(self.values)}')")
            self.add(f"{indent}except ValueError:")
        elif kind == 4:
            self.add(f"{indent}while {condition}:")
            self.add(f"{indent}    {W}[{self.key()!r}] = {self.value()}")
            self.add(f"{indent}    break")
            self.add(f"{indent}else:")
        else:
            self.add(f"{indent}if {condition}: {P} = {self.value()}")
            self.add(f"{indent}with open(__file__):")
        self.statement(depth + 1)

    def helper(self, indent: str) -> None:
        """A function or a class, and its use."""
        name = self.fresh("helper")
        kind = self.random.randrange(6)
        if kind == 0:
            self.add(f"{indent}def {name}(table, key):")
            self.add(f"{indent}    table[key] = {self.value()}")
            self.add(f"{indent}{name}({W}, {self.key()!r})")
        elif kind == 1:
            self.add(f"{indent}def {name}():")
            self.add(f"{indent}    globals()[{P!r}] = {self.value()}")
            self.add(f"{indent}{name}()")
        elif kind == 2:
            self.add(f"{indent}def {name}():")
            self.table(indent + "    ", "return {")
            use = self.random.choice(
                ["W = f()", "W = {**W, **f()}", "W.update(f())", "W = W | f()"]
            )
            self.add(indent + use.replace("W", W).replace("f()", f"{name}()"))
        elif kind == 3:
            self.add(f"{indent}def {name}(value):")
            self.add(f"{indent}    return value")
            self.add(f"{indent}{P} = {name}({self.value()})")
        elif kind == 4:
            self.add(f"{indent}class {name}:")
            self.add(f"{indent}    {P} = {(value := self.value())}")
            self.add(
                f"{indent}globals().update((k, v) for k, v in vars({name}).items() if k == {P!r})"
            )
            self.writers[value].add((self.file, len(self.lines)))
        else:
            self.table(indent, f"{name} = {{")
            use = self.random.choice(
                ["W = {**N}", "W.update(N)", "W |= N", "W = dict(N)", "W = N", "W = {**W, **N}"]
            )
            self.add(indent + use.replace("W", W).replace("N", name))
            if self.random.random() < 0.3:
                self.add(f"{indent}{name}[{self.key()!r}] = {self.value()}")

    def rewrite(self) -> None:
        """Write a value of this file again, with the same object."""
        key, value = self.random.choice(self.rewritable)
        name, g = self.fresh("rewrite"), self.fresh("g")
        if key == P:
            texts = [
                "P = V",
                "globals()['P'] = V",
                "globals().update(P=V)",
                "globals().update({'P': V})",
                "setattr(sys.modules[__name__], 'P', V)",
                "sys.modules[__name__].P = V",
                "exec('P = V')",
                "G = globals(); G['P'] = V",
                "G = vars(sys.modules[__name__])\nG.update(P=V)",
                "for k, v in {'P': V}.items(): globals()[k] = v",
                "def F(g):\n    g['P'] = V\nF(globals())",
                "def F(k, v):\n    setattr(sys.modules[__name__], k, v)\nF('P', V)",
                "def F():\n    global P; P = V\nF()",
            ]
        else:
            texts = [
                "W['k'] = V",
                "W.update(k=V)",
                "W |= {'k': V}",
                "W.__setitem__('k', V)",
                "alias = W; alias['k'] = V",
                "globals()['W']['k'] = V",
                "exec('W[\"k\"] = V')",
                "sys.modules[__name__].W['k'] = V",
                "def F(table):\n    table['k'] = V\nF(W)",
                "def F(table, key):\n    table[key] = V\nF(W, 'k')",
                "def F(table, other):\n    table.update(other)\nF(W, {'k': V})",
            ]
        if self.random.random() < 0.02:  # after which nothing is known of any name
            texts = ["exec(str('P') + ' = V')" if key == P else "exec(str('W') + '[\"k\"] = V')"]
        names = {"P": P, "W": W, "V": str(value), "k": key if key != P else "k"}
        names |= {"F": name, "G": g}
        text = re.sub(r"\b[PWVFGk]\b", lambda f: names[f[0]], self.random.choice(texts))
        first = len(self.lines) + 1
        self.lines += text.split("\n")
        self.writers[value] = {(self.file, line) for line in range(first, len(self.lines) + 1)}

    def simple(self, indent: str) -> None:
        key = self.key()
        other = self.random.choice(self.imports) if self.imports else self.name
        texts = [
            "P = V",
            "P = int('V')",
            "_ = 1; P = V",
            "Q, P = 0, V",
            "Q = P = V",
            "P: int = V",
            "exec('P = V')",
            "globals()['P'] = V",
            "globals().update(P=V)",
            "setattr(sys.modules[__name__], 'P', V)",
            "if (P := V): pass",
            "W['k'] = V",
            "W['k'] = int('V')",
            "W.update({'k': V})",
            "W.update(k=V)",
            "W |= {'k': V}",
            "W = {**W, 'k': V}",
            "W = dict(W, k=V)",
            "W = W | {'k': V}",
            "W.setdefault('k', V)",
            "W.pop('k', None)",
            "W.__setitem__('k', V)",
            "exec('W[\"k\"] = V')",
            "W.update({q: V for q in 'kk'})",
            "alias = W; alias['k'] = V",
            "globals()['W']['k'] = V",
            "globals().update(W=dict(W, k=V))",
            "globals()['W'] = {**W, 'k': V}",
            "setattr(sys.modules[__name__], 'W', {**W, 'k': V})",
            "M.append(V)",
            "M.insert(0, V)",
            "M += [V]",
            "M = [*M, V]",
            "M = [V] + M",
            "M.extend([V])",
            "M[:] = [V]",
            "M = list(M)",
            "S += 'V;'",
            "S = S + 'V;'",
        ]
        if self.imports:
            texts += [
                "OTHER.P = V",
                "OTHER.W['k'] = V",
                "from .OTHER import P",
                "from .OTHER import *",
            ]
            texts += ["from .OTHER import W", "P = OTHER.P * 0 + V", "W = {**OTHER.W, 'k': V}"]
        chosen = self.random.choice(texts)
        text = chosen.replace("OTHER", other)
        if f"{other}." in text and f".{other} " not in text:
            self.add(f"{indent}from . import {other}")
        value = self.value() if "V" in text else 0
        if value and "OTHER" not in chosen and text[0] in "P_Qesgi" and "P" in text:
            self.rewritable.append((P, value))
        elif value and not self.imports and "W" in text and "setdefault" not in text:
            self.rewritable.append((key, value))
        names = {"P": P, "W": W, "M": M, "S": S, "V": str(value), "k": key}
        self.add(indent + re.sub(r"\b[PWMSVk]\b|(?<=')kk(?=')", lambda f: names[f[0][0]], text))


def package(generator: random.Random, directory: Path) -> dict[object, set[tuple[str, int]]]:
    """Write a package `conf`; give the lines that may be named for each value."""
    values = iter(range(generator.choice([1, generator.randrange(10_000, 20_000)]), sys.maxsize))
    writers: dict[object, set[tuple[str, int]]] = {}
    names = [f"m{number}" for number in range(generator.randint(0, 4))] + ["settings"]
    for index, name in enumerate(names):
        module = Module(name, generator, values, writers, names[:index])
        module.add("import sys")
        if module.imports and generator.random() < 0.8:
            for other in generator.sample(module.imports, generator.randint(1, min(2, index))):
                module.add(f"from .{other} import *")
        else:
            module.table("", f"{W} = {{")
            module.add(f"{M} = [{module.value()}, {module.value()}]")
            module.add(f"{P} = {module.value()}")
            module.add(f"{S} = '{module.value()};'")
        for _ in range(generator.randint(1, 12)):
            module.statement()
        (directory / module.file).write_text("\n".join(module.lines) + "\n", encoding="utf-8")
    (directory / "__init__.py").touch()
    return writers


class Tally(NamedTuple):
    answers: Counter[str]
    wrong: list[str]


def ask(generator: random.Random, directory: Path, tally: Tally) -> None:
    """Compare what is said about one package with what it did."""
    root = directory / "conf"
    root.mkdir()
    writers = package(generator, root)
    sys.path.insert(0, str(directory))
    importlib.invalidate_caches()
    try:
        module, recorder = observe(lambda: importlib.import_module("conf.settings"), (P, S, W, M))
    finally:
        sys.path.remove(str(directory))
        for name in [name for name in sys.modules if name.partition(".")[0] == "conf"]:
            del sys.modules[name]
    assert recorder is not None
    lookup = Lookup(recorder, Source("django"))
    for name in (P, S, W, M):
        value = getattr(module, name)
        location = lookup.in_module(vars(module), name, value)
        if name == P:
            judge(tally, directory, name, location and location.source, writers[value])
        elif name == S:
            last = int(value.split(";")[-2])
            judge(tally, directory, name, location and location.source, writers[last])
        else:
            for key, item in value.items() if name == W else enumerate(value):
                source = location and location.item(str(key))
                judge(tally, directory, f"{name}[{key}]", source, writers[item])


def judge(
    tally: Tally, directory: Path, what: str, source: Source | None, lines: set[tuple[str, int]]
) -> None:
    if source is None or source.file is None or source.line is None:
        tally.answers["without a line"] += 1
    elif (Path(source.file).name, source.line) in lines:
        tally.answers["right"] += 1
    else:
        tally.answers["wrong"] += 1
        tally.wrong.append(
            f"{directory}: {what} is written at {sorted(lines)}, not {source.location}"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--answers", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--keep", action="store_true", help="keep the packages that are answered wrong"
    )
    options = parser.parse_args()
    tally = run(options.answers, options.seed, keep=options.keep)
    total = sum(tally.answers.values())
    for wrong in tally.wrong[:20]:
        print(wrong)
    print(
        f"seed {options.seed}: {total} answers, {tally.answers['wrong']} wrong lines,"
        f" {100 * (1 - tally.answers['without a line'] / total):.2f} % with a line"
    )
    sys.exit(bool(tally.wrong))


def run(answers: int, seed: int, *, keep: bool = False) -> Tally:
    tally = Tally(Counter(), [])
    generator = random.Random(seed)
    while sum(tally.answers.values()) < answers:
        directory = Path(tempfile.mkdtemp(prefix="settings-")).resolve()
        before = len(tally.wrong)
        ask(generator, directory, tally)
        if not keep or len(tally.wrong) == before:
            shutil.rmtree(directory)
    return tally


if __name__ == "__main__":
    main()
