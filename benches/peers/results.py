"""What the scripts about semivalues and interactions share: the twenty games, exact values, the file of results."""

import argparse
import gzip
import json
import math
from pathlib import Path

import numpy as np
from scipy.special import betaln

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benches/peers/interactions.json"
OF_THE_FIVE = ["bike_rf", "diabetes_r2", "forest_digits", "sent14"]
KINDS = [
    "datav15_rf_adult", "distilbert14", "dv10_rf_bike", "featsel12_dt_bike",
    "local14_gb_adult", "resnet14", "soum15_30_5", "vit9",
]  # fmt: skip
# The twenty games: four of the set `five` of the bench `accuracy`, and two instances of each of eight kinds.
GAMES = OF_THE_FIVE + [f"{kind}__{instance}" for kind in KINDS for instance in (1, 2)]
BUDGETS = [250, 500, 1000, 2000]
BETAS = [(16, 1), (4, 1)]


def read_table(name):
    """The values of all coalitions of a game, by bit mask."""
    if name in OF_THE_FIVE:
        return np.frombuffer((ROOT / f"tests/data/accuracy/{name}.f64").read_bytes(), "<f8")
    return np.frombuffer(gzip.decompress((ROOT / f"benches/data/published/{name}.f64.gz").read_bytes()), "<f8")


def beta_weights(n, alpha, beta):
    """p(s) = B(s + β, n − 1 − s + α) / B(α, β) for s from 0 to n − 1 (Kwon & Zou 2022)."""
    sizes = np.arange(n)
    return np.exp(betaln(sizes + beta, n - 1 - sizes + alpha) - betaln(alpha, beta))


def semivalue(table, weights):
    """The values of all players, from all 2^n values of the game and the weight of each size."""
    masks = np.arange(len(table))
    sizes = np.array([mask.bit_count() for mask in range(len(table))])  # numpy 1 has no bitwise_count
    values = []
    for player in range(len(weights)):
        without = masks[masks >> player & 1 == 0]
        values.append(weights[sizes[without]] @ (table[without | 1 << player] - table[without]))
    return np.array(values)


def relative_error(values, exact):
    """The squared errors' sum over the sum of squares of the exact values."""
    return float(np.sum((values - exact) ** 2) / np.sum(exact**2))


def measure_semivalues(estimators, description):
    """Measures all estimators on each game, saves the errors and prints tables: the program of two scripts.

    `estimators(table, weights, budget, seed)` yields names and values.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--seeds", type=int, default=3, help="how many times each estimate is made")
    parser.add_argument("--games", nargs="*", default=GAMES, help="names of games, in place of all twenty")
    parser.add_argument("--table", action="store_true", help="only print what the file has")
    options = parser.parse_args()
    for game in [] if options.table else options.games:
        table = read_table(game)
        n = len(table).bit_length() - 1
        for alpha, beta in BETAS:
            weights = beta_weights(n, alpha, beta)
            exact = semivalue(table, weights)
            errors = {}
            for budget in [budget for budget in BUDGETS if budget < len(table)]:
                for seed in range(options.seeds):
                    for name, values in estimators(table, weights, budget, seed):
                        error = relative_error(values, exact)
                        errors.setdefault(name, {}).setdefault(str(budget), []).append(error)
            means = {
                name: {budget: float(f"{np.mean(each):.4g}") for budget, each in of_estimator.items()}
                for name, of_estimator in errors.items()
            }
            save(f"Beta({alpha}, {beta})", {game: means})
        print(f"{game} done", flush=True)
    print_semivalues()


def save(section, of_games):
    """Adds what was measured to a section of the file of results, or puts it in the place of what is there."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for game, of_game in of_games.items():
        for estimator, of_estimator in of_game.items():
            known = results.setdefault(section, {}).setdefault(game, {}).setdefault(estimator, {})
            known.update(of_estimator)
    RESULTS.write_text(json.dumps(results, indent=0, sort_keys=True) + "\n")


def print_semivalues():
    """Prints the geometric means over games of what the file has: each estimator, and the best of each game."""
    results = json.loads(RESULTS.read_text())
    for section in [f"Beta({alpha}, {beta})" for alpha, beta in BETAS]:
        of_games = results.get(section, {})
        counts = [len(errors_of(of_games, names_of(of_games), budget)) for budget in BUDGETS]
        heads = [f"{budget} ({count} games)" for budget, count in zip(BUDGETS, counts)]
        print(f"\n| {section} | {' | '.join(heads)} |\n|---|{'--:|' * len(heads)}")
        names = names_of(of_games)
        rows = {
            name: [geometric_mean(errors_of(of_games, [name], budget)) for budget in BUDGETS] for name in names
        }
        for name, row in sorted(rows.items(), key=lambda row: row[1][1]):
            print(f"| {name} | {' | '.join(f'{error:.2e}' for error in row)} |")
        best = [geometric_mean(errors_of(of_games, names, budget)) for budget in BUDGETS]
        print(f"| best of each game | {' | '.join(f'{error:.2e}' for error in best)} |")


def names_of(of_games):
    """The estimators that any of these games has errors of."""
    return sorted({name for of_game in of_games.values() for name in of_game})


def errors_of(of_games, names, budget):
    """The least error of the estimators named, of each game that has more coalitions than the budget."""
    key = str(budget)
    errors = [[of_game[name][key] for name in names if key in of_game.get(name, {})] for of_game in of_games.values()]
    return [min(each) for each in errors if each]


def geometric_mean(errors):
    return math.exp(np.mean(np.log(errors))) if errors else math.nan
