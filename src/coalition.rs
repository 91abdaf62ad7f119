//! Sets of players.

use std::cmp::Ordering;
use std::fmt;
use std::iter::FusedIterator;
use std::ops::ControlFlow;

use smallvec::SmallVec;

const WORD_BITS: usize = u64::BITS as usize;

/// A coalition: a set of the players `0..n` that knows `n`.
///
/// Up to 128 players need no heap allocation; [solvers take](Self::MAX_PLAYERS) up to 2²⁴. Two coalitions are equal
/// when they have the same members *and* the same number of players. They are ordered by the number of players, then as
/// the numbers whose binary digits they are (player 0 is the lowest bit): the order of [`Table`](crate::Table).
///
/// ```
/// use shapley::Coalition;
///
/// let mut coalition = Coalition::from_players(5, [0, 2]);
/// assert!(coalition.insert(4));
/// assert_eq!(coalition.to_string(), "{0, 2, 4}");
/// assert_eq!(coalition.complement(), Coalition::from_players(5, [1, 3]));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Coalition {
    /// Player `i` is bit `i % 64` of word `i / 64`. Canonical: always `ceil(n / 64)` words, and the bits at and above
    /// `n` are zero, so that equality, order and hash follow from the words whatever the history of insertions.
    words: SmallVec<[u64; 2]>,
    num_players: usize,
}

impl Coalition {
    /// The most players of a game that solvers take: 2²⁴, more than 16 million. Some take fewer, and ready-made games
    /// that have their number of players from data take as many as fit in memory.
    ///
    /// A coalition of that many players takes 2 MiB, and [`Permutation`](crate::Permutation) 1 to 3 GB for each thread.
    pub const MAX_PLAYERS: usize = 1 << 24;

    /// The empty coalition of a game of `num_players`. It takes a bit of memory for each.
    ///
    /// # Panics
    ///
    /// If there is no memory for it, as for every other way to make a coalition of so many players.
    #[must_use]
    pub fn empty(num_players: usize) -> Self {
        let len = num_players.div_ceil(WORD_BITS);
        let mut words = SmallVec::new();
        // What cannot be had would end the process.
        assert!(words.try_reserve(len).is_ok(), "there is no memory for a coalition of {num_players} players");
        words.resize(len, 0);
        Self { words, num_players }
    }

    /// The grand coalition: all of `num_players`.
    #[must_use]
    pub fn grand(num_players: usize) -> Self {
        Self::empty(num_players).complement()
    }

    /// The coalition of `members`, in any order; a member given twice counts once.
    ///
    /// # Panics
    ///
    /// If a member is not below `num_players`.
    #[must_use]
    pub fn from_players(num_players: usize, members: impl IntoIterator<Item = usize>) -> Self {
        let mut coalition = Self::empty(num_players);
        for player in members {
            coalition.insert(player);
        }
        coalition
    }

    /// Makes this the coalition whose members are the bits of `mask`; for games of at most 64 players, and masks
    /// below `2^num_players`.
    #[inline]
    pub(crate) fn set_mask(&mut self, mask: u64) {
        debug_assert!(self.num_players <= WORD_BITS);
        debug_assert!(mask & !last_word(self.num_players) == 0);
        if let Some(word) = self.words.first_mut() {
            *word = mask;
        }
    }

    /// Shows `visit` the non-empty prefixes of an order, as one coalition that grows, until it breaks.
    ///
    /// # Panics
    ///
    /// If a player of the order is not below `num_players`.
    #[inline]
    pub(crate) fn grow<B>(
        num_players: usize,
        order: &[usize],
        mut visit: impl FnMut(&Coalition) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let mut prefix = Coalition::empty(num_players);
        if num_players > WORD_BITS {
            // Two prefixes in turn. The one to be shown next is written before this one is read: to read several words
            // at once of which one was written just before, as `len` does, stalls the processor.
            let Some(&first) = order.first() else { return ControlFlow::Continue(()) };
            let mut other = prefix.clone();
            let (mut prefix, mut next) = (&mut prefix, &mut other);
            prefix.insert(first);
            for two in order.windows(2) {
                next.insert(two[0]);
                next.insert(two[1]);
                visit(prefix)?;
                std::mem::swap(&mut prefix, &mut next);
            }
            return visit(prefix);
        }
        // The one word is kept in a register: to read it back from the coalition takes longer than all the rest.
        let mut mask = 0;
        order.iter().try_for_each(|&player| {
            assert!(player < num_players, "player {player} does not exist: there are {num_players}");
            mask |= 1 << player;
            prefix.set_mask(mask);
            visit(&prefix)
        })
    }

    /// The coalition whose members are the bits of `mask`: player i is bit i, as in a [`Table`](crate::Table).
    ///
    /// # Panics
    ///
    /// If `mask` has a bit that is not below `num_players`.
    #[must_use]
    pub fn from_mask(num_players: usize, mask: u64) -> Self {
        let highest = u64::BITS - mask.leading_zeros();
        assert!(
            highest as usize <= num_players,
            "mask {mask:#b} has players that do not exist: there are {num_players}"
        );
        let mut coalition = Self::empty(num_players);
        if let Some(word) = coalition.words.first_mut() {
            *word = mask;
        }
        coalition
    }

    /// The members as bits, player i being bit i: a coalition's place in a [`Table`](crate::Table). `None` if there are
    /// more than 64 players.
    #[must_use]
    #[inline]
    pub fn mask(&self) -> Option<u64> {
        (self.num_players <= WORD_BITS).then(|| self.words.first().copied().unwrap_or(0))
    }

    /// The members as ⌈n/8⌉ bytes: player i is bit i mod 8 of byte i / 8. A key for a store that keeps bytes.
    ///
    /// ```
    /// let coalition = shapley::Coalition::from_players(11, [0, 2, 9]);
    /// assert_eq!(coalition.bytes().collect::<Vec<u8>>(), [0b101, 0b10]);
    /// ```
    pub fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        self.words.iter().flat_map(|word| word.to_le_bytes()).take(self.num_players.div_ceil(8))
    }

    /// The members as words: player i is bit i mod 64 of word i / 64. Bits at and above n are zero.
    #[inline]
    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    /// The number of players of the game: the size of the universe, not of this set.
    #[must_use]
    #[inline]
    pub fn num_players(&self) -> usize {
        self.num_players
    }

    /// The number of members.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether nobody is a member.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// Whether everybody is a member.
    #[must_use]
    #[inline]
    pub fn is_grand(&self) -> bool {
        self.len() == self.num_players
    }

    /// Whether `player` is a member: `false` for a player that does not exist.
    #[must_use]
    #[inline]
    pub fn contains(&self, player: usize) -> bool {
        self.words.get(player / WORD_BITS).is_some_and(|word| word >> (player % WORD_BITS) & 1 == 1)
    }

    /// Adds `player`; `true` if it was absent.
    ///
    /// # Panics
    ///
    /// If `player` is not below the number of players.
    #[inline]
    pub fn insert(&mut self, player: usize) -> bool {
        assert!(player < self.num_players, "player {player} does not exist: there are {}", self.num_players);
        let word = &mut self.words[player / WORD_BITS];
        let bit = 1 << (player % WORD_BITS);
        let absent = *word & bit == 0;
        *word |= bit;
        absent
    }

    /// Removes `player`; `true` if it was a member. A player that does not exist is not a member.
    #[inline]
    pub fn remove(&mut self, player: usize) -> bool {
        let present = self.contains(player);
        if present {
            self.words[player / WORD_BITS] &= !(1 << (player % WORD_BITS));
        }
        present
    }

    /// The members, ascending.
    #[must_use]
    #[inline]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = usize> + FusedIterator + Clone + fmt::Debug + '_ {
        self.players()
    }

    #[inline]
    fn players(&self) -> Players<'_> {
        Players { rest: &self.words, word: 0, next_base: 0 }
    }

    /// The players that are not members.
    #[must_use]
    pub fn complement(&self) -> Self {
        let mut words: SmallVec<_> = self.words.iter().map(|word| !word).collect();
        if let Some(last) = words.last_mut() {
            *last &= last_word(self.num_players);
        }
        Self { words, num_players: self.num_players }
    }

    /// Whether every member is a member of `other`. Coalitions of games of different sizes are compared by their
    /// members alone.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        let others = other.words.iter().copied().chain(std::iter::repeat(0));
        self.words.iter().zip(others).all(|(&mine, theirs)| mine & !theirs == 0)
    }
}

/// The bits that the last word of a set of `num_players` may have.
fn last_word(num_players: usize) -> u64 {
    match num_players % WORD_BITS {
        0 if num_players == 0 => 0,
        0 => u64::MAX,
        used => (1 << used) - 1,
    }
}

impl PartialOrd for Coalition {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Coalition {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_words = || self.words.iter().rev().cmp(other.words.iter().rev());
        self.num_players.cmp(&other.num_players).then_with(by_words)
    }
}

impl fmt::Display for Coalition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (k, player) in self.iter().enumerate() {
            if k > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{player}")?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Coalition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Coalition({self} of {})", self.num_players)
    }
}

impl<'a> IntoIterator for &'a Coalition {
    type Item = usize;
    type IntoIter = Players<'a>;

    #[inline]
    fn into_iter(self) -> Players<'a> {
        self.players()
    }
}

impl IntoIterator for Coalition {
    type Item = usize;
    type IntoIter = std::vec::IntoIter<usize>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter().collect::<Vec<_>>().into_iter()
    }
}

/// The members of a coalition, ascending.
#[derive(Clone, Debug)]
#[expect(unnameable_types, reason = "an iterator of `&Coalition` needs no name at the root")]
pub struct Players<'a> {
    /// The words not yet begun.
    rest: &'a [u64],
    /// What is left of the current word.
    word: u64,
    /// The first player of the next word.
    next_base: usize,
}

impl Iterator for Players<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.word == 0 {
            let (&word, rest) = self.rest.split_first()?;
            self.word = word;
            self.rest = rest;
            self.next_base += WORD_BITS;
        }
        let bit = self.word.trailing_zeros() as usize;
        self.word &= self.word - 1;
        Some(self.next_base - WORD_BITS + bit)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = std::iter::once(&self.word).chain(self.rest).map(|word| word.count_ones() as usize).sum();
        (left, Some(left))
    }
}

impl ExactSizeIterator for Players<'_> {}
impl FusedIterator for Players<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_canonical_after_any_history() {
        for n in [0, 1, 63, 64, 65, 127, 128, 129, 1000] {
            let mut there_and_back = Coalition::grand(n);
            (0..n).for_each(|player| assert!(there_and_back.remove(player)));
            assert_eq!(there_and_back.words, Coalition::empty(n).words);
            assert_eq!(there_and_back.words.len(), n.div_ceil(64));
            assert_eq!(Coalition::grand(n).len(), n);
            assert_eq!(Coalition::grand(n).words.last().copied().unwrap_or(0), last_word(n));
        }
    }

    #[test]
    fn members_come_ascending_by_reference_and_by_value() {
        for n in [0, 1, 63, 64, 65, 130, 300] {
            let set = Coalition::from_players(n, (0..n).step_by(3));
            assert_eq!(set.iter().len(), set.clone().into_iter().len());
            assert_eq!(set.iter().collect::<Vec<_>>(), (0..n).step_by(3).collect::<Vec<_>>());
            assert_eq!(set.into_iter().collect::<Vec<_>>(), (0..n).step_by(3).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_order_is_shown_prefix_by_prefix() {
        for n in [1, 5, 64, 65, 129, 200] {
            let order: Vec<usize> = (0..n).map(|k| (k * 7 + 3) % n).collect();
            for count in [0, 1, 2, 3, n / 2, n] {
                let order = &order[..count.min(n)];
                let mut shown = Vec::new();
                let end: ControlFlow<()> = Coalition::grow(n, order, |prefix| {
                    shown.push(prefix.clone());
                    ControlFlow::Continue(())
                });
                let prefix = |size: usize| Coalition::from_players(n, order[..size].iter().copied());
                assert!(end.is_continue() && shown.iter().eq((1..=order.len()).map(prefix).collect::<Vec<_>>().iter()));
                for last in 1..=order.len() {
                    let mut seen = 0;
                    let end = Coalition::grow(n, order, |prefix| {
                        seen += 1;
                        if prefix.len() == last { ControlFlow::Break(last) } else { ControlFlow::Continue(()) }
                    });
                    assert_eq!((end, seen), (ControlFlow::Break(last), last));
                }
            }
        }
    }

    #[test]
    fn up_to_128_players_stay_inline() {
        assert!(!Coalition::grand(128).words.spilled());
        assert!(Coalition::grand(129).words.spilled());
        assert_eq!(size_of::<Coalition>(), 32);
    }

    #[test]
    #[should_panic(expected = "there are 3")]
    fn masks_have_no_other_players() {
        let _ = Coalition::from_mask(3, 0b1000);
    }

    #[test]
    fn masks_are_the_words() {
        let mut coalition = Coalition::empty(7);
        coalition.set_mask(0b100_0101);
        assert_eq!(coalition, Coalition::from_players(7, [0, 2, 6]));
        assert_eq!(coalition, Coalition::from_mask(7, 0b100_0101));
        assert_eq!(coalition.mask(), Some(0b100_0101));
        assert_eq!(Coalition::grand(64).mask(), Some(u64::MAX));
        assert_eq!(Coalition::empty(0).mask(), Some(0));
        assert_eq!(Coalition::empty(65).mask(), None);
        assert_eq!(Coalition::from_mask(200, 0b101), Coalition::from_players(200, [0, 2]));
    }
}
