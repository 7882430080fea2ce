"""Depth of the stack from what gcc's -fcallgraph-info=su writes: frames of functions, and who calls whom."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

_NODE = re.compile(r'^node: \{ title: "([^"]+)" label: "[^"]*?\\n(\d+) bytes \(([^)]+)\)')
_EDGE = re.compile(r'^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')
_INDIRECT = "__indirect_call"


@dataclass
class Graph:
    """`frames`: bytes of each function that was compiled. A static function's name has its file before it."""

    frames: dict[str, int] = field(default_factory=dict)
    calls: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def read(cls, files: Iterable[Path]) -> Graph:
        """Of all these .ci files. ValueError where a frame has no fixed size or a call no known target."""
        graph = cls()
        for file in files:
            for line in file.read_text().splitlines():
                if node := _NODE.match(line):
                    if node[3] != "static":
                        raise ValueError(f"the frame of {node[1]} is {node[3]}")
                    graph.frames[node[1]] = int(node[2])
                elif edge := _EDGE.match(line):
                    if edge[2] == _INDIRECT:
                        raise ValueError(f"{edge[1]} calls through a pointer")
                    graph.calls[edge[1]].add(edge[2])
        return graph

    @property
    def leaves(self) -> set[str]:
        """Functions that are called, but were not compiled here: they count as nothing."""
        return {name for called in self.calls.values() for name in called} - set(self.frames)

    def deepest(self, root: str) -> tuple[int, list[str]]:
        """Bytes of the deepest chain of calls from root, and the chain. ValueError when functions call each other in
        a circle."""
        known: dict[str, tuple[int, list[str]]] = {}

        def walk(name: str, above: list[str]) -> tuple[int, list[str]]:
            if name in above:
                raise ValueError("recursion: " + " > ".join([*above, name]))
            if name not in known:
                below = [walk(called, [*above, name]) for called in self.calls.get(name, ()) if called in self.frames]
                depth, path = max(below, default=(0, []))
                known[name] = (self.frames[name] + depth, [name, *path])
            return known[name]

        return walk(root, [])
