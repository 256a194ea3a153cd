"""A forest as flat arrays that anybody may have written, all trees asked at once.

LightGBM's own text is not kept: its reader trusts what it reads.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from intertask.errors import IntertaskError
from intertask.signals import Arrays

MOST_NODES = 1_000_000
DEEPEST = 64  # steps from a root; LightGBM's trees of 64 leaves have fewer
LARGEST = 1e6


@dataclass(frozen=True)
class Forest:
    """The summed leaves of all trees.

    Args:
        roots: int32 [trees], places of the first nodes.
        facts: int32 [nodes], which number of a row a node looks at.
        bounds: float32 [nodes]; up to it the way leads left.
        ways: int32 [nodes, 2], places of the nodes below, later ones; a leaf leads to itself.
        values: float32 [nodes], of leaves.
    """

    roots: NDArray[np.int32]
    facts: NDArray[np.int32]
    bounds: NDArray[np.float32]
    ways: NDArray[np.int32]
    values: NDArray[np.float32]

    @classmethod
    def empty(cls) -> "Forest":
        """No trees."""
        none = np.zeros(0, np.int32)
        return cls(none, none, np.zeros(0, np.float32), np.zeros((0, 2), np.int32), np.zeros(0, np.float32))

    @property
    def is_empty(self) -> bool:
        """Whether there is no tree."""
        return not len(self.roots)

    def say(self, rows_NF: NDArray[np.float32]) -> NDArray[np.float32]:
        """The sum over the trees, [N]."""
        if self.is_empty:
            return np.zeros(len(rows_NF), np.float32)
        nodes_NT = np.tile(self.roots, (len(rows_NF), 1))
        rows_N1 = np.arange(len(rows_NF))[:, None]
        for _ in range(DEEPEST):
            right_NT = rows_NF[rows_N1, self.facts[nodes_NT]] > self.bounds[nodes_NT]
            below_NT = self.ways[nodes_NT, right_NT.astype(np.int32)]
            if (below_NT == nodes_NT).all():
                break
            nodes_NT = below_NT
        return np.asarray(self.values[nodes_NT].sum(1))

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Its arrays by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def of_lightgbm(cls, told: Mapping[str, Any]) -> "Forest":
        """The forest of LightGBM's `dump_model`."""
        nodes: list[tuple[int, float, int, int, float]] = []

        def add(node: Mapping[str, Any]) -> int:
            place = len(nodes)
            nodes.append((0, 0.0, place, place, float(node.get("leaf_value", 0.0))))
            if "split_feature" in node:
                left, right = add(node["left_child"]), add(node["right_child"])
                # Facts are single precision: rounded down, a bound parts them as it did.
                bound = np.float32(node["threshold"])
                if float(bound) > float(node["threshold"]):
                    bound = np.nextafter(bound, np.float32(-np.inf))
                nodes[place] = (int(node["split_feature"]), float(bound), left, right, 0.0)
            return place

        roots = [add(tree["tree_structure"]) for tree in told["tree_info"]]
        if not nodes:
            return cls.empty()
        facts, bounds, left, right, values = (np.array(part) for part in zip(*nodes, strict=True))
        return cls(
            np.array(roots, np.int32),
            facts.astype(np.int32),
            bounds.astype(np.float32),
            np.stack([left, right], 1).astype(np.int32),
            values.astype(np.float32),
        )

    @classmethod
    def of(cls, arrays: Arrays, num_facts: int, where: str) -> Self:
        """The forest of these arrays.

        Raises:
            IntertaskError: They are of none, or lead in circles or outside.
        """
        nodes = len(arrays["values"]) if "values" in arrays and arrays["values"].ndim == 1 else 0
        trees = len(arrays["roots"]) if "roots" in arrays and arrays["roots"].ndim == 1 else 0
        forms = {
            "roots": ("int32", (trees,)),
            "facts": ("int32", (nodes,)),
            "bounds": ("float32", (nodes,)),
            "ways": ("int32", (nodes, 2)),
            "values": ("float32", (nodes,)),
        }
        for name in sorted(arrays.keys() | forms.keys()):
            found = None if name not in arrays else (arrays[name].dtype.name, arrays[name].shape)
            if found != forms.get(name):
                raise IntertaskError(f"{where} {name}", f"{forms.get(name, 'no such array')}", f"{found}")
        ways = cast("NDArray[np.int32]", arrays["ways"])
        limits = {
            "roots": (arrays["roots"], nodes),
            "facts": (arrays["facts"], num_facts),
            "ways": (ways, nodes),
        }
        for name, (array, stop) in limits.items():
            own = cast("NDArray[np.int32]", array)
            if own.size and not 0 <= int(own.min()) <= int(own.max()) < stop:
                raise IntertaskError(f"{where} {name}", f"numbers of 0 to {stop - 1}", "others")
        if nodes > MOST_NODES or (ways < np.arange(nodes)[:, None]).any():
            raise IntertaskError(f"{where} ways", "ways to later nodes", "a way back, or too many nodes")
        values = cast("NDArray[np.float32]", arrays["values"])
        if nodes and float(np.abs(values).max()) > LARGEST:
            raise IntertaskError(f"{where} values", f"numbers of at most {LARGEST:g}", "larger ones")
        return cls(
            cast("NDArray[np.int32]", arrays["roots"]),
            cast("NDArray[np.int32]", arrays["facts"]),
            cast("NDArray[np.float32]", arrays["bounds"]),
            ways,
            values,
        )
