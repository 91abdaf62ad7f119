"""Shapley interactions of pairs of 60 and 100 players, by the estimators of shapiq, on sums of unanimity games.

    pip install -r benches/peers/interactions.txt && python3 benches/peers/interactions.py

Needs Python 3.12, takes some hours on one thread, writes to interactions.json as it goes and prints a Markdown
table. unanimity.py has the games and their exact values. An error is the squared errors' sum over all pairs, relative
to the sum of squares of the exact values: 1 is what an estimate of zero for every pair has. "Of ten" says how many of
the ten strongest pairs are among the ten strongest estimated.

Each run has a process of its own and three minutes of a processor. What took more than a minute, or failed, on one
instance runs on no further one. shapiq's estimators are as they are by default, but for what the name says: "pair" asks
for complements too, "hpo" searches the trees' settings. interactions.json has some slow runs on one instance only, and
lacks SVARMIQ, SPEX and ProxySPEX with hpo where the table does not show them.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import json
import multiprocessing
import resource
import signal
import time
import warnings
from itertools import product

import numpy as np
import shapiq.approximator as shapiq
from lightgbm import LGBMRegressor
from xgboost import XGBRegressor

from results import RESULTS, relative_error, save
from unanimity import Unanimity

SECTION = "SII of pairs, many players"
PLAYERS = [60, 100]
INSTANCES = [1, 2, 3]
BUDGETS = [2000, 20_000]
MOST_SECONDS = 180
REPEATED_BELOW = 60


def xgboost(seed):
    return XGBRegressor(random_state=seed, n_jobs=1)


def lightgbm(seed):
    return LGBMRegressor(random_state=seed, n_jobs=1, verbose=-1)


def made_by(name, **settings):
    """Makes an estimator of Shapley interactions from the number of players and a seed."""

    def make(n, seed):
        made = {key: value(seed) if callable(value) else value for key, value in settings.items()}
        return getattr(shapiq, name)(n=n, max_order=2, index="SII", random_state=seed, **made)

    return make


ESTIMATORS = {
    "ProxySHAP": made_by("ProxySHAP", proxy_model=xgboost),
    "ProxySHAP(adjusted)": made_by("ProxySHAP", proxy_model=xgboost, adjustment=True),
    "ProxySHAP(adjusted, 5 folds)": made_by("ProxySHAP", proxy_model=xgboost, adjustment=True, k_folds=5),
    "ProxySHAP(linear, adjusted)": made_by("ProxySHAP", proxy_model="linear", adjustment=True),
    "ProxySHAP(hpo)": made_by("ProxySHAP", hpo=True),
    "ProxySHAP(hpo, adjusted)": made_by("ProxySHAP", hpo=True, adjustment=True),
    "ProxySPEX(no hpo)": made_by("ProxySPEX", proxy_model=lightgbm),
    "ProxySPEX(no hpo, xgboost)": made_by("ProxySPEX", proxy_model=xgboost),
    "ProxySPEX": made_by("ProxySPEX"),
    "SPEX": made_by("SPEX"),
    "SHAPIQ": made_by("SHAPIQ"),
    "SHAPIQ+pair": made_by("SHAPIQ", pairing_trick=True),
    "SVARMIQ": made_by("SVARMIQ"),
    "SVARMIQ+pair": made_by("SVARMIQ", pairing_trick=True),
    "PermutationSamplingSII": made_by("PermutationSamplingSII"),
    "KernelSHAPIQ": made_by("KernelSHAPIQ"),
    "InconsistentKernelSHAPIQ": made_by("InconsistentKernelSHAPIQ"),
}


def run(name, n, instance, budget, answer):
    """Makes an estimate, and sends what is measured of it."""
    warnings.filterwarnings("ignore")
    silence = os.open(os.devnull, os.O_WRONLY)  # LightGBM prints lines for each of thousands of trees
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS + 1))
    game = Unanimity(n, instance)
    asked = []

    def counted(rows):
        asked.extend(row.tobytes() for row in np.packbits(np.atleast_2d(rows).astype(bool), axis=1))
        return game(np.atleast_2d(rows))

    try:
        result = ESTIMATORS[name](n, instance).approximate(budget, counted)
        seconds = time.process_time()
        exact = game.pairs()
        found = {tuple(sorted(set_)): value for set_, value in result.dict_values.items() if len(set_) == 2}
        estimated = np.array([float(found.get(pair, 0)) for pair in exact])
        values = np.array(list(exact.values()))
        largest = np.argsort(-np.abs(estimated), kind="stable")[:10]
        strongest = [set(np.argsort(-np.abs(values))[:10]), set(largest[estimated[largest] != 0])]
        answer.send({
            "error": float(f"{relative_error(estimated, values):.4g}"),
            "of ten": len(strongest[0] & strongest[1]),
            "seconds": seconds,
            "asked": len(asked),
            "distinct": len(set(asked)),
        })
    except Exception as error:
        answer.send({"failed": f"{type(error).__name__}: {error}"[:200]})


def measure(*arguments):
    """What `run` sends, or that it took too long or died."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=run, args=(*arguments, theirs))
    process.start()
    theirs.close()
    try:
        return ours.recv()
    except EOFError:
        process.join()
        is_slow = process.exitcode == -signal.SIGXCPU
        return {"failed": f"more than {MOST_SECONDS} s" if is_slow else f"exit code {process.exitcode}"}
    finally:
        process.kill()
        process.join()


def print_table():
    """Prints what the file has: means over instances."""
    results = json.loads(RESULTS.read_text())[SECTION]
    print("| n | evaluations | estimator | instances | error | of ten |\n|--:|--:|---|--:|--:|--:|")
    for n in PLAYERS:
        for budget in BUDGETS:
            rows = []
            for name in ESTIMATORS:
                games = [results.get(f"unanimity{n}_{instance}", {}) for instance in INSTANCES]
                cells = [game[name][str(budget)] for game in games if str(budget) in game.get(name, {})]
                good = [cell for cell in cells if "error" in cell]
                if good:
                    means = [np.mean([cell[key] for cell in good]) for key in ("error", "of ten")]
                    rows.append((means[0], f"{len(good)} | {means[0]:.3g} | {means[1]:.1f}", name))
                elif cells:
                    rows.append((np.inf, f"0 | {cells[0]['failed']} | -", name))
            for _, text, name in sorted(rows):
                print(f"| {n} | {budget} | {name} | {text} |")


def main():
    parser = argparse.ArgumentParser(description="Shapley interactions of many players by shapiq.")
    parser.add_argument("--estimators", nargs="*", default=list(ESTIMATORS), help="names, in place of all")
    parser.add_argument("--players", nargs="*", type=int, default=PLAYERS, help="numbers of players")
    parser.add_argument("--instances", nargs="*", type=int, default=INSTANCES, help="instances of games")
    parser.add_argument("--budgets", nargs="*", type=int, default=BUDGETS, help="numbers of evaluations")
    parser.add_argument("--table", action="store_true", help="only print what the file has")
    options = parser.parse_args()
    slow = set()
    runs = product(options.instances, options.budgets, options.players, options.estimators)
    for instance, budget, n, name in [] if options.table else runs:
        if (name, n, budget) in slow:
            continue
        cell = measure(name, n, instance, budget)
        if cell.pop("seconds", MOST_SECONDS) > REPEATED_BELOW:
            slow.add((name, n, budget))
        save(SECTION, {f"unanimity{n}_{instance}": {name: {str(budget): cell}}})
        print(name, n, instance, budget, cell, flush=True)
    print_table()


if __name__ == "__main__":
    main()
