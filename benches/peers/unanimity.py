"""Sums of 300 unanimity games of many players, with exact Shapley interactions, from a generator that repeats anywhere.

Instance k (from 1) of n players: the state x is 1000 n + k, and each draw puts 6364136223846793005 x +
1442695040888963407 modulo 2^64 in its place (Knuth's linear congruential generator). A draw below m is the new state's
upper 32 bits times m, shifted right by 32. A term draws its size below 6, plus one; then players below n, until it has
so many, those that it has already being skipped; then its amount, 2 (x >> 11) / 2^53 - 1. A set may come twice: amounts
add up. A coalition gets the amounts of the terms that it has all players of. Who repeats it can check instance 1 of 60
players: its first term is players 1, 12 and 48 (of 0 to 59) with -0.7747884373457061, and v(N) is -1.7652108093956.

`python3 benches/peers/unanimity.py N K` prints an instance: N, and then amount and players of each term.
"""

import sys
from itertools import combinations

import numpy as np

TERMS = 300
MOST_IN_A_TERM = 6


class Random:
    """Knuth's linear congruential generator."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (6364136223846793005 * self.state + 1442695040888963407) % 2**64
        return self.state

    def below(self, most):
        return (self.next() >> 32) * most >> 32

    def signed(self):
        return 2 * (self.next() >> 11) / 2**53 - 1


def terms(n, instance):
    """Players and amounts of the terms."""
    random = Random(1000 * n + instance)
    result = []
    for _ in range(TERMS):
        size = 1 + random.below(MOST_IN_A_TERM)
        players = []
        while len(players) < size:
            player = random.below(n)
            if player not in players:
                players.append(player)
        result.append((sorted(players), random.signed()))
    return result


class Unanimity:
    """An instance: its values for rows of zeros and ones, and the exact interactions."""

    def __init__(self, n, instance):
        self.n, self.terms = n, terms(n, instance)
        self.members = np.zeros((TERMS, n))
        for row, (players, _) in zip(self.members, self.terms):
            row[players] = 1
        self.sizes = self.members.sum(axis=1)
        self.amounts = np.array([amount for _, amount in self.terms])

    def __call__(self, rows):
        return (np.asarray(rows, float) @ self.members.T == self.sizes) @ self.amounts

    def pairs(self):
        """The Shapley interactions of all pairs: of a term of t players, its amount over t - 1 for each pair in it."""
        result = dict.fromkeys(combinations(range(self.n), 2), 0.0)
        for players, amount in self.terms:
            for pair in combinations(players, 2):
                result[pair] += amount / (len(players) - 1)
        return result


def main():
    n, instance = map(int, sys.argv[1:])
    print(n)
    for players, amount in terms(n, instance):
        print(repr(amount), *players)


if __name__ == "__main__":
    main()
