"""Beta-Shapley values by pyDVL, on the games and budgets of semivalues.py.

    pip install -r benches/peers/pydvl.txt && python3 benches/peers/semivalues_pydvl.py

Apart from semivalues.py, since pyDVL 0.10 needs a numpy before version 2. Takes ten minutes on one thread, and writes
to interactions.json. The method is `BetaShapleyValuation`, once with each of these samplers: random permutations, the
same with each one's reverse, sizes drawn evenly, and smaller sizes more often ("harmonic").

pyDVL can remember the values of coalitions (`cache_backend`), so a repeated one counts once. It checks whether to stop
after each order, or each marginal contribution: it may pass the budget by up to n − 1 evaluations. A run also stops
after 20 times as many calls as the budget.
"""

import warnings

import numpy as np
from pydvl.utils.status import Status
from pydvl.valuation import (
    AntitheticPermutationSampler,
    BetaShapleyValuation,
    ConstantSampleSize,
    Dataset,
    HarmonicSampleSize,
    PermutationSampler,
    StratifiedSampler,
)
from pydvl.valuation.samplers import RandomSizeIteration, SequentialIndexIteration
from pydvl.valuation.stopping import StoppingCriterion
from pydvl.valuation.utility.base import UtilityBase

from results import BETAS, beta_weights, measure_semivalues

MOST_CALLS = 20


class TableUtility(UtilityBase):
    """A game whose values are known, which counts calls and distinct coalitions."""

    def __init__(self, table):
        self.table, self.calls, self.asked = table, [0], set()

    def __call__(self, sample):
        mask = 0 if sample is None else int((1 << sample.subset.astype(np.int64)).sum())
        self.calls[0] += 1
        self.asked.add(mask)
        return float(self.table[mask])


class Spent(StoppingCriterion):
    """Stops when the evaluations are used up."""

    def __init__(self, utility, budget):
        super().__init__(modify_result=False)
        self.utility, self.budget = utility, budget

    def _check(self, result):
        is_over = len(self.utility.asked) >= self.budget or self.utility.calls[0] >= MOST_CALLS * self.budget
        return Status.Converged if is_over else Status.Pending


def stratified(sizes, seed):
    return StratifiedSampler(
        sample_sizes=sizes(),
        sample_sizes_iteration=RandomSizeIteration,
        index_iteration=SequentialIndexIteration,
        seed=seed,
    )


SAMPLERS = {
    "permutations": lambda seed: PermutationSampler(seed=seed),
    "permutations and reverses": lambda seed: AntitheticPermutationSampler(seed=seed),
    "even sizes": lambda seed: stratified(ConstantSampleSize, seed),
    "harmonic sizes": lambda seed: stratified(HarmonicSampleSize, seed),
}


def estimators(table, weights, budget, seed):
    n = len(weights)
    data = Dataset(np.zeros((n, 1)), np.zeros(n))
    alpha, beta = next(pair for pair in BETAS if np.allclose(weights, beta_weights(n, *pair)))
    for name, sampler in SAMPLERS.items():
        utility = TableUtility(table)
        valuation = BetaShapleyValuation(
            utility, sampler(seed), Spent(utility, budget), alpha=alpha, beta=beta, progress=False
        ).fit(data)
        assert len(utility.asked) < budget + n
        yield f"pyDVL, {name}", valuation.result.values


def main():
    # pyDVL takes the logarithm of marginal contributions of zero.
    warnings.filterwarnings("ignore", category=RuntimeWarning)
    measure_semivalues(estimators, "Beta-Shapley values by pyDVL.")


if __name__ == "__main__":
    main()
