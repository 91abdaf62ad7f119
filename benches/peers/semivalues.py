"""Beta-Shapley values from a sample of coalitions, by what shapiq, xgboost and numpy offer, on twenty games.

    pip install -r benches/peers/interactions.txt && python3 benches/peers/semivalues.py

Needs Python 3.12, takes ten minutes on one thread, writes to interactions.json and prints Markdown tables.
An error is the squared errors' sum over players, relative to the sum of squares of the exact values: the mean of three
seeds, and then the geometric mean over the games that have more coalitions than the budget. Each distinct coalition
counts as one evaluation. semivalues_pydvl.py adds pyDVL to the same file.

No estimator of shapiq 1.8 has Beta-Shapley values, or semivalues by weights. So here its estimators are given them:

* SVARM, SHAPIQ: shapiq's, with the method that has the weights of an index overridden.
* trees: RegressionMSR (Witter et al. 2025) for any semivalue. shapiq's sampler, xgboost with its defaults as shapiq has
  them; the trees' exact values are those of the table of all 2^n predictions. "corrected" adds an estimate of the
  residuals' values from the same sample, with shapiq's weights (each coalition by its chance and its repetitions), and
  "corrected by size" one from the mean over the distinct coalitions of each size.
* permutations: marginal contributions along random orders, reweighted by position; "by size" means by player and size,
  of which the weighted sum is taken over the sizes that were met.
* marginals: players in turn, a size by the semivalue's law, and a random coalition of it.

How coalition sizes are drawn: "own" is the estimator's default, "even" draws all sizes equally often, "paired" each
coalition with its complement, "beta" in proportion to the semivalue's total weight on a size.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import warnings
from functools import lru_cache

import numpy as np
from scipy.special import comb
from shapiq.approximator import SHAPIQ, SVARM
from shapiq.approximator.sampling import CoalitionSampler
from xgboost import XGBRegressor

from results import measure_semivalues


def size_law(weights):
    """The chance of each size of a coalition of the other players."""
    return weights * comb(len(weights) - 1, np.arange(len(weights)))


def total_weights(weights):
    """The semivalue's total weight on all coalitions of each size, over all players."""
    n = len(weights)
    sizes = np.arange(n + 1)
    with_player, without = np.append(0, weights), np.append(weights, 0)
    return comb(n, sizes) * (sizes * with_player + (n - sizes) * without)


class Evaluations:
    """A game that counts distinct coalitions up to a budget."""

    def __init__(self, table, budget):
        self.table, self.left, self.known = table, budget, np.zeros(len(table), bool)

    def affordable(self, masks):
        """How many of the first of these can be asked for, and asks for them. They must be distinct."""
        spent = np.cumsum(~self.known[masks])
        count = int(np.searchsorted(spent, self.left, side="right"))
        self.known[masks[:count]] = True
        self.left -= int(spent[count - 1]) if count else 0
        return count


def permutations(table, weights, budget, seed):
    """Means of reweighted marginal contributions, and means by player and size."""
    n, law, rng = len(weights), size_law(weights), np.random.default_rng(seed)
    game = Evaluations(table, budget)
    game.affordable(np.array([0, len(table) - 1]))
    sums, counts = np.zeros((n, n)), np.zeros((n, n))
    # Orders that ask for nothing new cost nothing; the bound on their number is for budgets near 2^n.
    for _ in range(20 * budget // n):
        order = rng.permutation(n)
        masks = np.cumsum(1 << order)
        count = game.affordable(masks)
        steps = np.diff(table[masks[:count]], prepend=table[0])
        sums[order[:count], np.arange(count)] += steps
        counts[order[:count], np.arange(count)] += 1
        if game.left == 0:
            break
    yield "permutations", (sums * law * n).sum(axis=1) / np.maximum(counts.sum(axis=1), 1)
    means = sums / np.maximum(counts, 1)
    yield "permutations, by size", (means * law).sum(axis=1) / ((counts > 0) * law).sum(axis=1)


def marginals(table, weights, budget, seed):
    """Means of marginal contributions to random coalitions."""
    n, law, rng = len(weights), size_law(weights), np.random.default_rng(seed)
    game = Evaluations(table, budget)
    sums, counts = np.zeros(n), np.zeros(n)
    for draw in range(20 * budget):
        player = draw % n
        others = np.delete(np.arange(n), player)
        mask = int((1 << rng.choice(others, rng.choice(n, p=law / law.sum()), replace=False)).sum())
        if game.affordable(np.array([mask, mask | 1 << player])) < 2:
            break
        sums[player] += table[mask | 1 << player] - table[mask]
        counts[player] += 1
    yield "marginals", sums / np.maximum(counts, 1)


def weighted(estimator, weights):
    """An estimator of shapiq's with the weights of a semivalue."""

    class Weighted(estimator):
        def _log_weight(self, _index, coalition_size, interaction_size):
            # shapiq asks for the empty interaction too, and does not use the answer.
            return float(np.log(weights[coalition_size])) if interaction_size == 1 else -np.inf

    return Weighted


def monte_carlo(table, weights, budget, seed):
    """SVARM and SHAPIQ of shapiq."""
    n = len(weights)
    laws = {"own": None, "even": np.ones(n + 1), "beta": total_weights(weights)}
    for estimator, arguments in [(SVARM, {}), (SHAPIQ, {"max_order": 1})]:
        for law, sizes in laws.items():
            asked = []

            def game(rows):
                asked.append(rows.astype(np.int64) @ (1 << np.arange(n)))
                return table[asked[-1]]

            result = weighted(estimator, weights)(
                n=n, index="SV", random_state=seed, sampling_weights=sizes, **arguments
            ).approximate(budget, game)
            asked = np.concatenate(asked)
            assert len(asked) == len(set(asked)) == budget
            yield f"{estimator.__name__}, {law}", np.array([result[(player,)] for player in range(n)])


class Fit:
    """Trees fitted to a sample of a game: all 2^n predictions, and the sample with its residuals and weights."""

    def __init__(self, table, sizes, paired, budget, seed):
        n = len(table).bit_length() - 1
        sampler = CoalitionSampler(n, sizes, pairing_trick=paired, random_state=seed)
        sampler.sample(budget)
        rows = sampler.coalitions_matrix
        self.masks = rows.astype(np.int64) @ (1 << np.arange(n))
        assert len(set(self.masks)) == len(rows) == budget
        # shapiq fits values less v(∅) to the rows as they are.
        values = table[self.masks] - table[0]
        model = XGBRegressor(random_state=seed, n_jobs=1).fit(rows, values)
        everything = (np.arange(len(table))[:, None] >> np.arange(n) & 1).astype(bool)
        self.predictions = model.predict(everything).astype(float)
        residuals = values - self.predictions[self.masks]
        self.residuals = residuals - residuals[self.masks == 0]
        drawn = np.bincount(rows.sum(axis=1), minlength=n + 1)
        self.corrections = {
            "trees corrected": np.exp(sampler.log_sampling_adjustment_weights),
            "trees corrected by size": (comb(n, np.arange(n + 1)) / np.maximum(drawn, 1))[rows.sum(axis=1)],
        }

    def values(self, weights):
        """The trees' values, and these with the residuals' estimated values added."""
        # The semivalue as a weighted sum of values of coalitions, by size, of those with the player and those without.
        n = len(weights)
        with_player, without = np.append(0, weights), np.append(weights, 0)
        sizes = np.bitwise_count(np.arange(len(self.predictions)))
        members = (np.arange(len(self.predictions))[:, None] >> np.arange(n) & 1).astype(bool)
        factors = np.where(members, with_player[sizes][:, None], -without[sizes][:, None])
        alone = self.predictions @ factors
        yield "trees", alone
        for name, each in self.corrections.items():
            yield name, alone + (self.residuals * each) @ factors[self.masks]


@lru_cache(maxsize=64)
def even_fit(table, budget, paired, seed):
    """A fit that serves all semivalues."""
    table = np.frombuffer(table, "<f8")
    return Fit(table, np.ones(len(table).bit_length()), paired, budget, seed)


def trees(table, weights, budget, seed):
    """RegressionMSR for a semivalue."""
    fits = {
        "even": even_fit(table.tobytes(), budget, False, seed),
        "even, paired": even_fit(table.tobytes(), budget, True, seed),
        "beta": Fit(table, total_weights(weights), False, budget, seed),
    }
    for law, fit in fits.items():
        for name, values in fit.values(weights):
            yield f"{name}, {law}", values


def estimators(table, weights, budget, seed):
    for estimator in (permutations, marginals, monte_carlo, trees):
        yield from estimator(table, weights, budget, seed)


def main():
    # shapiq warns where it will draw many coalitions that it has already.
    warnings.filterwarnings("ignore", message="Sampling might be inefficient")
    measure_semivalues(estimators, "Beta-Shapley values by shapiq, xgboost and numpy.")


if __name__ == "__main__":
    main()
