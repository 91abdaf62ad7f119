"""RegressionMSR of shapiq against `Surrogate`, on the same ten instances of `vit9`, `distilbert14` and `resnet14`.

    pip install -r benches/peers/regression_msr.txt && python3 benches/peers/regression_msr.py

Needs Python 3.12, takes one to three minutes on one thread, and prints a Markdown table. The errors in
`published.json` are means over thirty instances, of which the repository has ten. Here both sides are measured on
the ten.

An error is the mean squared error of a Shapley value: the mean over players, instances and seeds. "Published" is the
error here divided by the published one of the same mode. The ratio is the error of `Surrogate` divided by that of the
better mode. The error of `Surrogate` comes from `--ours FILE`, which the bench `accuracy` writes with `--json FILE`, or
else from docs/benchmarks.md.

shapiq counts v(∅), v(N) and each further coalition once, as this crate does. The script stops where shapiq asks for
other than `budget` coalitions, or for one twice.

RegressionMSR runs with shapiq's defaults, which draw size s in proportion to 1/√(s(n − s)). With `--even` it draws
all sizes equally often, as the published runs did by PolySHAP's scripts. Those drew coalitions without replacement,
which shapiq 1.8 cannot.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import gzip
import json
import math
import warnings
from pathlib import Path

import numpy as np
import xgboost  # noqa: F401  Without it shapiq would only warn, and fit another model.
from shapiq.approximator import RegressionMSR

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "benches/data/published"
KINDS = ["vit9", "distilbert14", "resnet14"]
INSTANCES = range(1, 11)
MODES = {"paired": True, "unpaired": False}
# The geometric mean is over budgets up to this.
MOST_EVALUATIONS = 2000


def read_table(kind, instance):
    """The values of all coalitions, by bit mask."""
    return np.frombuffer(gzip.decompress((DATA / f"{kind}__{instance}.f64.gz").read_bytes()), "<f8")


def exact_values(table):
    """The Shapley values of a game, from all its 2^n values."""
    n = len(table).bit_length() - 1
    masks = np.arange(len(table))
    weights = np.array([1 / (n * math.comb(n - 1, size)) for size in range(n)])
    values = []
    for player in range(n):
        without = masks[masks >> player & 1 == 0]
        values.append(weights[np.bitwise_count(without)] @ (table[without | 1 << player] - table[without]))
    return np.array(values)


def estimate(table, budget, paired, weights, seed):
    """RegressionMSR's values after `budget` evaluations."""
    n = len(table).bit_length() - 1
    asked = []

    def game(rows):
        asked.append(rows.astype(np.int64) @ (1 << np.arange(n)))
        return table[asked[-1]]

    result = RegressionMSR(
        n=n, index="SV", pairing_trick=paired, sampling_weights=weights, random_state=seed
    ).approximate(budget, game)
    asked = np.concatenate(asked)
    assert len(asked) == len(set(asked)) == budget, f"{len(asked)} evaluations instead of {budget}, or some repeated"
    assert {0, len(table) - 1} <= set(asked), "v(∅) or v(N) is not among the evaluations"
    return np.array([result[(player,)] for player in range(n)])


def mean_squared_error(games, budget, paired, even, seeds):
    """The mean over players, instances and seeds."""
    errors = []
    for instance, (table, exact) in zip(INSTANCES, games):
        weights = np.ones(len(exact) + 1) if even else None
        for seed in range(seeds):
            values = estimate(table, budget, paired, weights, 1000 * instance + seed)
            errors.append(np.mean((values - exact) ** 2))
    return np.mean(errors)


def errors_from_bench(file):
    """The errors of `Surrogate` by kind and evaluations, from what the bench `accuracy` saved."""
    errors = {}
    for cell in json.loads(file.read_text()):
        if cell["kind"] in KINDS and cell["solver"] == "surrogate":
            errors.setdefault((cell["kind"], cell["evaluations"]), []).append(cell["mse"])
    for (kind, evaluations), each in errors.items():
        assert len(each) == len(INSTANCES), f"{len(each)} instances of {kind} at {evaluations} evaluations"
    return {key: np.mean(each) for key, each in errors.items()}


def errors_from_docs():
    """The errors of `Surrogate` by kind and evaluations, from the table in docs/benchmarks.md."""
    errors = {}
    lines = (ROOT / "docs/benchmarks.md").read_text().splitlines()
    start = lines.index("### Games that the literature measures on")
    for line in lines[start + 1 :]:
        if line.startswith("#"):
            break
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] == "kind":
            column = next(i for i, cell in enumerate(cells) if cell.startswith("`Surrogate`"))
        elif cells[0] in KINDS:
            errors[cells[0], int(cells[1])] = float(cells[column])
    return errors


def geometric_mean(ratios):
    return math.exp(np.mean(np.log(ratios)))


def main():
    parser = argparse.ArgumentParser(description="RegressionMSR of shapiq against `Surrogate`, on the same games.")
    parser.add_argument("--seeds", type=int, default=3, help="how many times each estimate is made")
    parser.add_argument("--even", action="store_true", help="sample all coalition sizes evenly")
    parser.add_argument("--ours", type=Path, metavar="FILE", help="what the bench `accuracy` saved with --json")
    options = parser.parse_args()

    # shapiq warns where it will draw many coalitions that it has already.
    warnings.filterwarnings("ignore", message="Sampling might be inefficient")
    published = json.loads((DATA / "published.json").read_text())
    ours = errors_from_bench(options.ours) if options.ours else errors_from_docs()
    ratios = {}
    print("| kind | evaluations | paired | published | unpaired | published | `Surrogate` | ratio |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for kind in KINDS:
        tables = [read_table(kind, instance) for instance in INSTANCES]
        games = [(table, exact_values(table)) for table in tables]
        budgets = sorted(int(budget) for budget in published[kind]["RegressionMSR paired"])
        for budget in [budget for budget in budgets if budget < len(tables[0])]:
            row, errors = [kind, str(budget)], []
            for mode, paired in MODES.items():
                error = mean_squared_error(games, budget, paired, options.even, options.seeds)
                errors.append(error)
                row += [f"{error:.2e}", f"{error / published[kind][f'RegressionMSR {mode}'][str(budget)]:.2f}"]
            # Budgets below 2n + 2 are too small for `Surrogate`.
            if (kind, budget) in ours:
                error = ours[kind, budget]
                ratios[kind, budget] = error / min(errors)
                row += [f"{error:.2e}", f"{ratios[kind, budget]:.2f}"]
            else:
                row += ["-", "-"]
            print(f"| {' | '.join(row)} |", flush=True)
    small = [ratio for (_, budget), ratio in ratios.items() if budget <= MOST_EVALUATIONS]
    behind = [f"{kind} at {budget}" for (kind, budget), ratio in ratios.items() if ratio > 1]
    print(f"\nGeometric mean of {len(small)} ratios up to {MOST_EVALUATIONS} evaluations: {geometric_mean(small):.2f}.")
    print(f"RegressionMSR is better at: {', '.join(behind) or 'none'}.")


if __name__ == "__main__":
    main()
