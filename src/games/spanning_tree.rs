//! Connecting everybody to a source.

use super::GameError;
use crate::{Coalition, Game};

/// A cost game: a coalition costs as much as the cheapest network that connects its members to a source, each directly or
/// through other members (a minimum spanning tree of the members and the source).
///
/// Nodes 0 to n − 1 are the players, node n is the source. (Claus & Kleitman 1973, "Cost allocation for a spanning tree",
/// Networks 3(4) 289–304, doi:10.1002/net.3230030402; Bird 1976, "On cost allocation for a spanning tree: a game theoretic
/// approach", Networks 6(4) 335–350, doi:10.1002/net.3230060404.) There is no closed form of the Shapley value; but a
/// [walk](Game::walk) is fast: with one more member, the cheapest tree is made of the edges of the tree before and those of the
/// new member.
///
/// ```
/// use shapley::games::MinimumSpanningTree;
///
/// // Two houses, 3 and 4 from the well, and 1 from each other.
/// let pipes = MinimumSpanningTree::new(2, [(0, 2, 3.0), (1, 2, 4.0), (0, 1, 1.0)])?;
/// assert_eq!(shapley::exact(&pipes)?.values(), [1.5, 2.5]);
/// # Ok::<(), shapley::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct MinimumSpanningTree {
    /// The edges of each player to players of smaller number and to the source.
    edges: Vec<Edge>,
    /// The numbers of the edges of each player, ascending.
    of_player: Vec<Vec<usize>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Edge {
    cost: f64,
    ends: [usize; 2],
}

impl MinimumSpanningTree {
    /// A graph of n players and the source, node n, by its edges: two nodes and a cost each. Between nodes without an edge
    /// there is no connection; of several edges the cheapest counts.
    ///
    /// # Errors
    ///
    /// [`NoPlayers`](GameError::NoPlayers); [`NoSuchPlayer`](GameError::NoSuchPlayer) if an edge names a node above n;
    /// [`Loop`](GameError::Loop) if it connects a node to itself; [`Number`](GameError::Number) if a cost is negative or not
    /// finite, or the costs of all edges have no finite sum; [`NoWayToSource`](GameError::NoWayToSource) if a player has no edge
    /// to the source: alone it would cost infinitely much.
    pub fn new(num_players: usize, edges: impl IntoIterator<Item = (usize, usize, f64)>) -> Result<Self, GameError> {
        if num_players == 0 {
            return Err(GameError::NoPlayers {});
        }
        let mut all = Vec::new();
        let mut total = 0.0;
        for (index, (a, b, cost)) in edges.into_iter().enumerate() {
            let player = a.max(b);
            if player > num_players {
                return Err(GameError::NoSuchPlayer { what: "edge", index, player, players: num_players });
            }
            if a == b {
                return Err(GameError::Loop { index, node: a });
            }
            total += cost;
            if !(cost >= 0.0 && f64::is_finite(total)) {
                let allowed = "finite, as their sum, and not negative";
                return Err(GameError::Number { what: "the cost of edge", index, value: cost, allowed });
            }
            all.push(Edge { cost, ends: [a, b] });
        }
        // Before memory for all players: there may be more of them than edges.
        let of_source = |edge: &Edge| edge.ends.contains(&num_players).then(|| edge.ends[0].min(edge.ends[1]));
        let mut connected: Vec<usize> = all.iter().filter_map(of_source).collect();
        connected.sort_unstable();
        connected.dedup();
        if connected.len() < num_players {
            let player = connected.iter().enumerate().position(|(place, &player)| place != player);
            return Err(GameError::NoWayToSource { player: player.unwrap_or(connected.len()) });
        }
        // The cheapest first, equal ones in one order.
        all.sort_by(|a, b| a.cost.total_cmp(&b.cost).then(a.ends.cmp(&b.ends)));
        let mut of_player = vec![Vec::new(); num_players];
        for (number, edge) in all.iter().enumerate() {
            for end in edge.ends {
                if let Some(numbers) = of_player.get_mut(end) {
                    numbers.push(number);
                }
            }
        }
        Ok(Self { edges: all, of_player })
    }

    /// The tree of the cheapest of these edges, whose numbers ascend.
    fn cheapest(&self, edges: impl Iterator<Item = usize>, members: usize, parents: &mut [usize]) -> Vec<usize> {
        parents.iter_mut().enumerate().for_each(|(node, parent)| *parent = node);
        let mut tree = Vec::with_capacity(members);
        for number in edges {
            let [a, b] = self.edges[number].ends.map(|end| root(parents, end));
            if a != b {
                parents[a] = b;
                tree.push(number);
                if tree.len() == members {
                    break;
                }
            }
        }
        tree
    }

    /// In the order of the edges, so that a tree has one cost however it was found.
    fn cost(&self, tree: &[usize]) -> f64 {
        tree.iter().fold(0.0, |sum, &number| sum + self.edges[number].cost) // an empty `sum` is -0
    }
}

/// The node that stands for all that are connected with a node.
fn root(parents: &mut [usize], mut node: usize) -> usize {
    while parents[node] != node {
        parents[node] = parents[parents[node]];
        node = parents[node];
    }
    node
}

impl Game for MinimumSpanningTree {
    type Value = f64;

    fn num_players(&self) -> usize {
        self.of_player.len()
    }

    /// Looks at all edges of the graph, the cheapest first, until the tree is whole.
    fn value(&self, coalition: &Coalition) -> f64 {
        let source = self.num_players();
        let is_in = |node: usize| node == source || coalition.contains(node);
        let edges = (0..self.edges.len()).filter(|&number| self.edges[number].ends.into_iter().all(is_in));
        self.cost(&self.cheapest(edges, coalition.len(), &mut vec![0; source + 1]))
    }

    /// Looks, for each player that comes, at the player's edges and those of the tree so far.
    fn walk(&self, order: &[usize], values: &mut Vec<f64>) {
        let source = self.num_players();
        let mut is_in = vec![false; source + 1];
        is_in[source] = true;
        let mut parents = vec![0; source + 1];
        let mut tree: Vec<usize> = Vec::new();
        for (before, &player) in order.iter().enumerate() {
            is_in[player] = true;
            let new =
                self.of_player[player].iter().copied().filter(|&n| self.edges[n].ends.iter().all(|&end| is_in[end]));
            tree = self.cheapest(merged(tree.iter().copied(), new), before + 1, &mut parents);
            values.push(self.cost(&tree));
        }
    }
}

/// Two ascending sequences as one.
fn merged(a: impl Iterator<Item = usize>, b: impl Iterator<Item = usize>) -> impl Iterator<Item = usize> {
    let (mut a, mut b) = (a.peekable(), b.peekable());
    std::iter::from_fn(move || match (a.peek(), b.peek()) {
        (Some(first), Some(second)) if second < first => b.next(),
        (Some(_), _) => a.next(),
        (None, _) => b.next(),
    })
}
