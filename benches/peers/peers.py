"""Exact Shapley values and interactions of a game whose 2^n values are known: shapiq and shap against this crate.

    pip install -r benches/peers/requirements.txt && python3 benches/peers/peers.py

Builds and runs the crate's side (src/bin/table.rs) by `cargo`, takes about a minute, and prints a Markdown table. All
three sides get the same random tables and one thread, and must agree to 1e-9. What each does within the time taken, the
least of the runs begun within a second:

* shapiq: `ExactComputer(...)(index, order)`. Its list of coalitions and their values are made before.
* shap: `shap.explainers.Exact` for one row. It takes a model and no table, so it builds 2^n masked rows, asks the model
  for them (here a look-up in the table, all rows at once) and sums. Compiled code and Gray codes are there before. At
  n = 16 the sums alone are about 3 % of its time for SV and 40 % for STII.
* ours: `Exact::new().threads(1)` and `solve` or `interactions` of order 2 on a `Table`.

SV are Shapley values, SII pairwise Shapley interactions, STII pairwise Shapley-Taylor interactions. The interactions
that shap calls exact are STII, each divided between the two halves of a matrix; it has no SII.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import json
import subprocess
import tempfile
import time
from itertools import combinations
from pathlib import Path

import numpy as np
import shap
from shapiq import ExactComputer

MANIFEST = Path(__file__).resolve().parent / "Cargo.toml"
SIZES = [10, 12, 14, 16]
SECONDS = 1.0


def sets(n, sizes):
    """The sets of players that have these sizes, by size and then in lexicographic order."""
    return [players for size in sizes for players in combinations(range(n), size)]


def least(prepare, run):
    """The least time of `run(prepare())`, without that of `prepare`, and the result: once, or while time is left."""
    times = []
    begun = time.perf_counter()
    while not times or time.perf_counter() - begun < SECONDS:
        prepared = prepare()
        start = time.perf_counter()
        result = run(prepared)
        times.append(time.perf_counter() - start)
    return min(times), result


def lookup(table):
    """A model, or a game, that reads each row of zeros and ones as a bit mask."""
    bits = 1 << np.arange(len(table).bit_length() - 1)
    return lambda rows: table[rows.astype(np.int64) @ bits]


def time_ours(table):
    """By index: seconds and values, those of sets of no player left out."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.bin"
        path.write_bytes(table.astype("<f8").tobytes())
        command = ["cargo", "run", "--release", "--quiet", "--manifest-path", MANIFEST, "--bin", "table", "--", path]
        answer = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return {
        index: (part["seconds"], np.array(part["values"][0 if index == "SV" else 1 :]))
        for index, part in answer.items()
    }


def time_shapiq(table, n, index):
    """Seconds and values. A computer remembers what it has computed, so every run has a new one."""
    order = 1 if index == "SV" else 2
    seconds, result = least(
        lambda: ExactComputer(lookup(table), n_players=n, evaluate_game=True), lambda computer: computer(index, order)
    )
    return seconds, np.array([result[players] for players in sets(n, range(1, order + 1))])


def time_shap(table, n, index):
    """Seconds and values, or None for an index that shap does not have."""
    if index == "SII":
        return None
    explainer = shap.explainers.Exact(lookup(table), shap.maskers.Independent(np.zeros((1, n))))
    order = 1 if index == "SV" else 2
    row = np.ones((1, n))

    def run(_=None):
        return explainer(row, max_evals=2**n, interactions=order, silent=True).values[0]

    run()  # compiles, and makes the Gray codes
    seconds, values = least(lambda: None, run)
    if order == 1:
        return seconds, values
    pairs = [values[i, j] + values[j, i] for i, j in sets(n, [2])]
    return seconds, np.concatenate([np.diag(values), pairs])


def main():
    print("| n | index | shapiq, s | shap, s | ours, s | shapiq / ours | shap / ours |")
    print("|--:|---|--:|--:|--:|--:|--:|")
    for n in SIZES:
        table = np.random.default_rng(n).random(2**n)
        for index, (seconds, values) in time_ours(table).items():
            times, ratios = [], []
            for name, peer in [("shapiq", time_shapiq), ("shap", time_shap)]:
                result = peer(table, n, index)
                if result is None:
                    times.append("-")
                    ratios.append("-")
                    continue
                assert len(result[1]) == len(values), (name, n, index)
                difference = np.abs(result[1] - values).max()
                assert difference <= 1e-9, f"{name} differs by {difference} in {index} at n = {n}"
                times.append(f"{result[0]:.4f}")
                ratios.append(f"{result[0] / seconds:,.0f}")
            print(f"| {n} | {index} | {' | '.join(times)} | {seconds:.7f} | {' | '.join(ratios)} |", flush=True)


if __name__ == "__main__":
    main()
