//! Sets of few players.

/// All sets of at most `order` of the players.
pub(crate) fn sets(players: usize, order: usize) -> impl Iterator<Item = u64> {
    (0..1_u64 << players).filter(move |set| set.count_ones() as usize <= order)
}
