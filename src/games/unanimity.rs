//! Games as sums of what sets of players can do together.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::GameError;
use crate::weights::{Ratio, bernoulli, checked_binomial};
use crate::{Attribution, Coalition, Error, Game, Index, Interactions, Value};

/// A sum of unanimity games: for each **term**, a set T of players and an amount, a coalition that has all of T gets
/// the amount.
///
/// Every game is such a sum, in one way: the amounts are its Möbius coefficients (Harsanyi dividends), so this is also
/// how a sparse Möbius form is entered. Results take time in proportion to the sizes of the terms and to n/64 for each,
/// not to 2^n. A term takes n/8 bytes of memory, from 129 players on.
///
/// ```
/// use shapley::games::Unanimity;
///
/// // Ann and Bob are worth 2 together, each of the three 1 alone, and all three quarrel.
/// let game = Unanimity::new(3, [(vec![0, 1], 2.0), (vec![0], 1.0), (vec![1], 1.0), (vec![2], 1.0), (vec![0, 1, 2], -1.5)])?;
/// assert_eq!(game.shapley().values(), [1.5, 1.5, 0.5]);
/// # Ok::<(), shapley::games::GameError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Unanimity<V> {
    num_players: usize,
    /// Ascending, each set once.
    terms: Vec<(Coalition, V)>,
    zero: V,
}

impl<V: Value> Unanimity<V> {
    /// The terms of a game of `num_players` players: sets of players, as anything that yields them, and amounts, of
    /// either sign.
    ///
    /// Amounts of the same set are added up. The empty set's is worth as much to every coalition, the empty one too.
    ///
    /// # Errors
    ///
    /// [`NoPlayers`](GameError::NoPlayers); [`TooManyPlayers`](GameError::TooManyPlayers) beyond
    /// [`Coalition::MAX_PLAYERS`]; [`NoTerms`](GameError::NoTerms), since nothing says then what values are;
    /// [`NoSuchPlayer`](GameError::NoSuchPlayer) if a term names one; and [`Amount`](GameError::Amount) if an amount is
    /// not finite, or the sum of their sizes does not fit the type.
    pub fn new<T>(num_players: usize, terms: impl IntoIterator<Item = (T, V)>) -> Result<Self, GameError>
    where
        T: IntoIterator<Item: Borrow<usize>>,
    {
        GameError::check_players(num_players)?;
        let mut sums: BTreeMap<Coalition, V> = BTreeMap::new();
        let mut size = 0.0;
        for (index, (players, amount)) in terms.into_iter().enumerate() {
            // So nothing that is made of amounts that are floats can overflow.
            size += amount.magnitude();
            let fits = || amount.zip_with(&amount, |_, _| size).is_finite();
            // Ratios of any size may be larger than floats.
            let is_larger_than_floats = !f64::is_finite(amount.magnitude());
            if !(amount.is_finite() && (is_larger_than_floats || fits())) {
                return Err(GameError::Amount { index });
            }
            if is_larger_than_floats {
                size = 0.0;
            }
            let mut set = Coalition::empty(num_players);
            for player in players {
                let player = *player.borrow();
                if player >= num_players {
                    return Err(GameError::NoSuchPlayer { what: "term", index, player, players: num_players });
                }
                set.insert(player);
            }
            match sums.entry(set) {
                Entry::Occupied(mut sum) => sum.get_mut().add_assign(&amount),
                Entry::Vacant(place) => _ = place.insert(amount),
            }
        }
        let Some(amount) = sums.values().next() else { return Err(GameError::NoTerms {}) };
        let mut zero = amount.clone();
        zero.sub_assign(amount);
        Ok(Self { num_players, terms: sums.into_iter().collect(), zero })
    }

    /// The terms, each set once.
    #[must_use]
    pub fn terms(&self) -> &[(Coalition, V)] {
        &self.terms
    }

    /// The Shapley values: each term's amount, in equal parts, to the players of its set (Harsanyi 1963, "A simplified
    /// bargaining model for the n-person cooperative game", Int. Econ. Rev. 4(2) 194–220, doi:10.2307/2525487).
    ///
    /// # Panics
    ///
    /// If a value does not fit the type, as fractions of integers of a fixed size may not; floats, and fractions of
    /// integers of any size, always do.
    pub fn shapley(&self) -> Attribution<V> {
        self.shared_out(|size| Share::of(1, size as i128))
    }

    /// The Banzhaf values: of each term's amount, 2^(1−|T|) to each of its players.
    ///
    /// # Panics
    ///
    /// If a value does not fit the type, as those of [`shapley`](Self::shapley).
    pub fn banzhaf(&self) -> Attribution<V> {
        self.shared_out(|size| Share { fraction: Ratio::ONE, halvings: size - 1 })
    }

    /// Any index of interaction, for all sets of at most `order` players, as [`interactions`](crate::interactions) has
    /// them.
    ///
    /// A term T gives to each set S ⊆ T of at most k players, k being the order, and nothing to others. Of its amount,
    /// with t = |T| and s = |S|:
    ///
    /// | index | share |
    /// |---|---|
    /// | Möbius | 1 if S = T |
    /// | Shapley (SII) | 1/(t−s+1) |
    /// | Banzhaf (BII) | 2^(s−t) |
    /// | k-SII | Σ for l = s, …, min(k, t) of C(t−s, l−s) B₍l−s₎ / (t−l+1), B being the Bernoulli numbers; of S = ∅, 1 if T = ∅ |
    /// | Shapley–Taylor (STII) | 1/C(t, k) if s = k; else 1 if S = T |
    /// | FSII | 1 if S = T; if t > k, (−1)^(k−s) s/(k+s) C(k, s) C(t−1, k) / C(t+k−1, k+s) |
    /// | FBII | 1 if S = T; if t > k, (−1)^(k−s) 2^(s−t) C(t−s−1, k−s) |
    ///
    /// (Grabisch & Roubens 1999, doi:10.1007/s001820050125; Sundararajan, Dhamdhere & Agarwal 2020, ICML, PMLR 119;
    /// Tsai, Yeh & Ravikumar 2023, JMLR 24(94).) Takes Σ over the terms of the number of their subsets of at most k
    /// players, and room for a value of every set of at most k players.
    ///
    /// # Errors
    ///
    /// [`Order`](Error::Order) if the order is not from 1 to n; if there are more than 2^26 sets of up to 128 players,
    /// or of more players as many as take the same memory, 1 GiB (so that beyond some 90 000 players there is no
    /// order); or if a share does not fit 128 bits, as those of terms of hundreds of players and orders above 10 do
    /// not.
    pub fn interactions(&self, index: Index, order: usize) -> Result<Interactions<V>, Error> {
        let sets = |order: usize| {
            (0..=order).map(|size| checked_binomial(self.num_players, size)).try_fold(0_i128, |a, b| a.checked_add(b?))
        };
        let words = self.num_players.div_ceil(64).max(2) as i128;
        let few = |order: usize| sets(order).and_then(|sets| sets.checked_mul(words)).is_some_and(|all| all <= 1 << 27);
        let share = |size: usize, of: usize, order: usize| share(index, order, size, of);
        let fits = |order: usize| {
            self.terms
                .iter()
                .all(|(set, _)| (0..=order.min(set.len())).all(|size| share(size, set.len(), order).is_some()))
        };
        if !((1..=self.num_players).contains(&order) && few(order) && fits(order)) {
            let limit = (1..=self.num_players).take_while(|&order| few(order)).filter(|&order| fits(order)).last();
            return Err(Error::Order { order, players: self.num_players, limit: limit.unwrap_or(0) });
        }
        let mut values: BTreeMap<Coalition, V> = BTreeMap::new();
        let everyone: Vec<usize> = (0..self.num_players).collect();
        subsets(self.num_players, &everyone, order, &mut |set| _ = values.insert(set.clone(), self.zero.clone()));
        for (term, amount) in &self.terms {
            let members: Vec<usize> = term.iter().collect();
            let shares: Vec<V> = (0..=order.min(members.len()))
                .map(|size| {
                    let mut part = amount.clone();
                    share(size, members.len(), order).expect("it was looked at before").scale(&mut part);
                    part
                })
                .collect();
            subsets(self.num_players, &members, order, &mut |set| {
                if let Some(value) = values.get_mut(set) {
                    value.add_assign(&shares[set.len()]);
                }
            });
        }
        Interactions::from_values(index, order, self.num_players, values.into_iter().collect())
    }

    /// A share of each term's amount to each of its players.
    fn shared_out(&self, share: impl Fn(usize) -> Share) -> Attribution<V> {
        let mut values = vec![self.zero.clone(); self.num_players];
        let (mut baseline, mut grand) = (self.zero.clone(), self.zero.clone());
        for (set, amount) in &self.terms {
            grand.add_assign(amount);
            if set.is_empty() {
                baseline.add_assign(amount);
                continue;
            }
            let mut part = amount.clone();
            share(set.len()).scale(&mut part);
            set.iter().for_each(|player| values[player].add_assign(&part));
        }
        for value in values.iter().chain([&baseline, &grand]) {
            assert!(
                value.is_finite(),
                "a value of this game does not fit its type: fractions of larger integers would"
            );
        }
        Attribution::new(values, baseline, grand, 0)
    }
}

impl<V: Value> Game for Unanimity<V> {
    type Value = V;

    fn num_players(&self) -> usize {
        self.num_players
    }

    fn value(&self, coalition: &Coalition) -> V {
        let mut value = self.zero.clone();
        for (_, amount) in self.terms.iter().filter(|(set, _)| set.is_subset(coalition)) {
            value.add_assign(amount);
        }
        value
    }

    /// Looks at each term's players once. Amounts are added in the order in which sets become complete, so that values
    /// can differ in the last bits from those of `value`.
    fn walk(&self, order: &[usize], values: &mut Vec<V>) {
        let mut complete_at: Vec<Vec<usize>> = vec![Vec::new(); order.len()];
        let mut place = vec![usize::MAX; self.num_players];
        order.iter().enumerate().for_each(|(step, &player)| place[player] = step);
        let mut value = self.zero.clone();
        for (term, (set, amount)) in self.terms.iter().enumerate() {
            match set.iter().map(|player| place[player]).max() {
                None => value.add_assign(amount),
                Some(usize::MAX) => {}
                Some(step) => complete_at[step].push(term),
            }
        }
        values.extend(complete_at.iter().map(|terms| {
            terms.iter().for_each(|&term| value.add_assign(&self.terms[term].1));
            value.clone()
        }));
    }
}

/// A part of an amount: a fraction, halved so many times.
struct Share {
    fraction: Ratio,
    halvings: usize,
}

impl Share {
    fn of(numerator: i128, denominator: i128) -> Self {
        Self { fraction: Ratio::new(numerator, denominator), halvings: 0 }
    }

    fn scale<V: Value>(&self, value: &mut V) {
        if !self.fraction.is_one() {
            self.fraction.scale(value);
        }
        let mut left = self.halvings;
        while left > 0 {
            let now = left.min(100);
            value.scale(1, 1 << now);
            left -= now;
        }
    }
}

/// What a set of `s` players has of the amount of a term of `t` that it is in: the table at
/// [`Unanimity::interactions`].
fn share(index: Index, k: usize, s: usize, t: usize) -> Option<Share> {
    let whole = || Some(Share::of(i128::from(s == t), 1));
    let sign = if (k - s).is_multiple_of(2) { 1 } else { -1 };
    match index {
        Index::Moebius => whole(),
        Index::Shapley => Some(Share::of(1, (t - s + 1) as i128)),
        Index::Banzhaf => Some(Share { fraction: Ratio::ONE, halvings: t - s }),
        Index::KShapley if s == 0 => whole(),
        Index::KShapley => {
            let numbers = bernoulli(k - s)?;
            let mut sum = Ratio::ZERO;
            for (more, &number) in numbers.iter().enumerate().take(t - s + 1) {
                let part = Ratio::new(checked_binomial(t - s, more)?, (t - s - more + 1) as i128);
                sum = sum.plus(part.times(number)?)?;
            }
            Some(Share { fraction: sum, halvings: 0 })
        }
        Index::ShapleyTaylor if s == k => Some(Share::of(1, checked_binomial(t, k)?)),
        Index::FaithfulShapley if t > k => {
            // C(t-1, k) / C(t+k-1, k+s), factor by factor.
            let up = (t - k..t).chain(1..=k + s).map(|factor| Ratio::new(factor as i128, 1));
            let down = (1..=k).chain(t - s..t + k).map(|factor| Ratio::new(1, factor as i128));
            let first = Ratio::new(sign * s as i128 * checked_binomial(k, s)?, (k + s) as i128);
            let fraction = interleaved(up, down).try_fold(first, Ratio::times)?;
            Some(Share { fraction, halvings: 0 })
        }
        Index::FaithfulBanzhaf if t > k => {
            Some(Share { fraction: Ratio::new(sign * checked_binomial(t - s - 1, k - s)?, 1), halvings: t - s })
        }
        _ => whole(),
    }
}

/// One of each in turn, so that a product of them stays small.
fn interleaved<T>(a: impl Iterator<Item = T>, b: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
    let (mut a, mut b) = (a.fuse(), b.fuse());
    let mut next = false;
    std::iter::from_fn(move || {
        next = !next;
        if next { a.next().or_else(|| b.next()) } else { b.next().or_else(|| a.next()) }
    })
}

/// All subsets of at most `most` of the players.
fn subsets(num_players: usize, players: &[usize], most: usize, visit: &mut impl FnMut(&Coalition)) {
    fn add(set: &mut Coalition, players: &[usize], most: usize, visit: &mut impl FnMut(&Coalition)) {
        visit(set);
        if most == 0 {
            return;
        }
        for (k, &player) in players.iter().enumerate() {
            set.insert(player);
            add(set, &players[k + 1..], most - 1, visit);
            set.remove(player);
        }
    }
    add(&mut Coalition::empty(num_players), players, most, visit);
}
