//! Everything linear in a game, from one sample of its coalitions.

use std::borrow::Borrow;
use std::ops::ControlFlow;

use super::design::PairedDesign;
use super::fit::Fit;
use super::functional::Functional;
use super::quota::Form;
use super::run::{self, of_exact};
use super::solve::outputs;
use super::{Surrogate, generator};
use crate::results::{Method, Origin, Pairs};
use crate::{
    Attribution, Coalition, Error, Estimate, Index, InteractionEstimate, Interactions, Progress, Semivalue, Stopped,
    Summary, TryGame, Value,
};

/// More players than this have too many pairs to be sure of each in a minute.
pub(crate) const MOST_PLAYERS_OF_PAIRS: usize = 500;

/// A sample of a game, and models of it: values of all semivalues, and interactions of all indices, from the same
/// evaluations. [`Surrogate::summary`](crate::Surrogate::summary) makes it.
///
/// ```
/// use shapley::{Index, Semivalue, Surrogate};
///
/// let game = shapley::from_fn(14, |s| (s.iter().map(|k| k as f64).sum::<f64>() / 30.0).tanh());
/// let summary = Surrogate::new(400).summary(&game, 2)?; // 400 evaluations, and no more
/// let shapley = summary.values(&Semivalue::shapley())?;
/// let banzhaf = summary.values(&Semivalue::banzhaf())?;
/// let pairs = summary.interactions(Index::ShapleyTaylor)?;
/// assert!(shapley.values()[13] > shapley.values()[5] && banzhaf.values()[13] > banzhaf.values()[5]);
/// assert!(pairs.get(&[12, 13]).is_some_and(|both| *both < 0.0)); // the curve flattens
/// # Ok::<(), shapley::Error>(())
/// ```
///
/// It holds the models' matrices: for each output of a game some megabytes after hundreds of evaluations, and up to 220
/// after 4000 or more.
#[derive(Debug)]
#[must_use]
pub struct SampleSummary<V> {
    estimate: Estimate<V>,
    order: usize,
    seed: u64,
    known: Known<V>,
}

#[derive(Debug)]
enum Known<V> {
    /// A model of each output; none of an output that had one value alone.
    Sample(Vec<Option<Fit>>),
    All(Box<Summary<V>>),
}

impl<V: Value> SampleSummary<V> {
    /// Of an estimate by pairs.
    pub(super) fn of<E>(estimate: &Estimate<V>, order: usize) -> Result<Self, Error<E>> {
        let players = estimate.values().len();
        check_order(players, order)?;
        let Origin::Pairs(pairs) = estimate.origin() else {
            return Err(not_of_pairs(estimate));
        };
        if estimate.stopped() == Stopped::Exact {
            return Err(not_of_pairs(estimate));
        }
        let rows = pairs.asked.iter().map(|pair| pair.coalition.clone()).collect();
        let design = PairedDesign::of(players, Form::of(pairs.method), pairs.expected.clone(), rows);
        let [baseline, grand] = estimate.ends();
        let fit = |output| Fit::new(design.clone(), output, true, &mut generator(pairs.seed, 1));
        let fits = outputs(&pairs.asked, [&baseline, &grand]).into_iter().map(fit).collect();
        Ok(Self { estimate: estimate.clone(), order, seed: pairs.seed, known: Known::Sample(fits) })
    }

    /// Of all values of a game.
    pub(super) fn of_all(estimate: Estimate<V>, summary: Summary<V>, order: usize, seed: u64) -> Self {
        Self { estimate, order, seed, known: Known::All(Box::new(summary)) }
    }

    /// The estimate that the summary is of: the Shapley values of [`Surrogate::estimate`](crate::Surrogate::estimate),
    /// or what [`summary_of`](crate::Surrogate::summary_of) was given, which may be `KernelShap`'s.
    pub fn estimate(&self) -> &Estimate<V> {
        &self.estimate
    }

    /// The largest number of players whose interactions are in it.
    #[must_use]
    pub fn order(&self) -> usize {
        self.order
    }

    /// The values of a semivalue, with standard errors.
    ///
    /// # Errors
    ///
    /// [`WeightLength`](Error::WeightLength) if the weights are for another number of players;
    /// [`Overflow`](Error::Overflow).
    pub fn values(&self, semivalue: &Semivalue) -> Result<Estimate<V>, Error> {
        let players = self.estimate.values().len();
        let Origin::Pairs(pairs) = self.estimate.origin() else { return Err(not_of_pairs(&self.estimate)) };
        let is_shapley = *semivalue == Semivalue::shapley();
        if is_shapley && pairs.method == Method::Surrogate {
            return Ok(self.estimate.clone());
        }
        let method = if is_shapley { Method::Surrogate } else { Method::Semivalue };
        let [baseline, grand] = self.estimate.ends();
        let evaluations = self.estimate.evaluations();
        let fits = match &self.known {
            Known::Sample(fits) => fits,
            Known::All(summary) => {
                let values = summary.values(semivalue)?.into_values();
                return Ok(of_exact(Attribution::new(values, baseline, grand, evaluations), method, self.seed));
            }
        };
        let functional = Functional::semivalue(semivalue, players)?;
        let (mut values, std_errors) = self.apply(fits, &functional);
        if is_shapley {
            // They sum to that already, but for rounding.
            let over = 1.0 / players as f64;
            let mut missing = grand.zip_with(&baseline, |grand, baseline| over * (grand - baseline));
            for value in &values {
                missing = missing.zip_with(value, |missing, value| missing - over * value);
            }
            values.iter_mut().for_each(|value| *value = value.zip_with(&missing, |value, missing| value + missing));
        }
        for (player, value) in values.iter().enumerate() {
            if !value.is_finite() {
                return Err(Error::Overflow { coalition: Coalition::from_players(players, [player]) });
            }
        }
        let attribution = Attribution::new(values, baseline, grand, evaluations);
        let origin = Origin::Pairs(Pairs { method, ..pairs.clone() });
        Ok(Estimate::new(attribution, std_errors, self.estimate.stopped(), origin))
    }

    /// The interactions of all sets of at most [`order`](Self::order) players, with standard errors.
    ///
    /// # Errors
    ///
    /// [`Overflow`](Error::Overflow).
    pub fn interactions(&self, index: Index) -> Result<InteractionEstimate<V>, Error> {
        let players = self.estimate.values().len();
        let (values, std_errors) = match &self.known {
            Known::All(summary) => {
                let values = summary.interactions(index)?;
                let zeros = values.iter().map(|(set, value)| (set, value.zip_with(value, |_, _| 0.0))).collect();
                (values, zeros)
            }
            Known::Sample(fits) => {
                let (mut values, mut std_errors) = (Vec::new(), Vec::new());
                for order in 0..=self.order {
                    let functional = Functional::index(index, self.order, order, players);
                    let coalition = |set: &[usize; 2]| Coalition::from_players(players, set[..order].iter().copied());
                    let sets: Vec<Coalition> = functional.sets().iter().map(coalition).collect();
                    let (of_sets, errors) = self.apply(fits, &functional);
                    let of_sets = match (index, order) {
                        // What was asked for needs no model.
                        (Index::Shapley | Index::Banzhaf | Index::FaithfulBanzhaf, _) | (_, 1..) => of_sets,
                        (_, 0) => vec![self.estimate.attribution().baseline().clone()],
                    };
                    values.extend(sets.iter().cloned().zip(of_sets));
                    std_errors.extend(sets.into_iter().zip(errors));
                }
                if matches!(index, Index::KShapley | Index::ShapleyTaylor | Index::FaithfulShapley) {
                    self.meet_the_sum(&mut values);
                }
                (Interactions::from_values(index, self.order, players, values)?, std_errors)
            }
        };
        let std_errors = Interactions::from_values(index, self.order, players, std_errors)?;
        Ok(InteractionEstimate::new(values, std_errors, self.estimate.evaluations(), self.estimate.stopped()))
    }

    /// Shares out what values that are to sum to v(N) lack: sets of each size are shrunk by a factor of their own. The
    /// largest sets get it, since those below may be known exactly.
    fn meet_the_sum(&self, values: &mut [(Coalition, V)]) {
        let [_, grand] = self.estimate.ends();
        let count = values.iter().filter(|(set, _)| set.len() == self.order).count() as f64;
        let mut missing = grand.zip_with(&grand, |grand, _| grand / count);
        for (_, value) in values.iter() {
            missing = missing.zip_with(value, |missing, value| missing - value / count);
        }
        for (_, value) in values.iter_mut().filter(|(set, _)| set.len() == self.order) {
            *value = value.zip_with(&missing, |value, missing| value + missing);
        }
    }

    /// Values and standard errors of a function of all outputs.
    fn apply(&self, fits: &[Option<Fit>], functional: &Functional) -> (Vec<V>, Vec<V>) {
        // Whatever else was asked of the summary, each function has the same random numbers.
        let random = || generator(self.seed, 4);
        let solved: Vec<_> = fits.iter().map(|fit| fit.as_ref().map(|fit| fit.of(functional, &mut random()))).collect();
        let [baseline, _] = self.estimate.ends();
        let level = |value: f64| if functional.order == 0 { value * functional.mass() } else { 0.0 };
        let assemble = |set: usize| {
            let mut outputs = solved.iter();
            let values = baseline.zip_with(&baseline, |value, _| match outputs.next() {
                Some(Some(found)) => found.values[set],
                _ => level(value),
            });
            let mut outputs = solved.iter();
            let errors = baseline.zip_with(&baseline, |_, _| match outputs.next() {
                Some(Some(found)) => found.std_errors[set],
                _ => 0.0,
            });
            (values, errors)
        };
        (0..functional.sets().len()).map(assemble).unzip()
    }
}

impl Surrogate {
    /// A [summary](Self::summary) of an estimate that there is, without another evaluation: of one that was resumed,
    /// loaded from a file or made by many ranks; of [`KernelShap`](crate::KernelShap), too, whose pairs the models are then fitted to.
    ///
    /// ```
    /// use shapley::{Index, Surrogate};
    ///
    /// let game = shapley::from_fn(12, |s| (s.iter().map(|k| k as f64).sum::<f64>() / 20.0).tanh());
    /// let estimate = Surrogate::new(200).estimate(&game)?;
    /// let pairs = Surrogate::summary_of(&estimate, 2)?.interactions(Index::Shapley)?;
    /// assert_eq!(pairs.evaluations(), estimate.evaluations());
    /// # Ok::<(), shapley::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Order`](Error::Order), and [`Mismatch`](Error::Mismatch) if the estimate is exact, which has no pairs, or one
    /// of [`Permutation`](crate::Permutation).
    pub fn summary_of<V: Value>(estimate: impl Borrow<Estimate<V>>, order: usize) -> Result<SampleSummary<V>, Error> {
        SampleSummary::of(estimate.borrow(), order)
    }
}

impl<F: Fn(&Progress) -> ControlFlow<()> + Sync> Surrogate<F> {
    /// Everything linear in the game, from the same evaluations: values of all semivalues, and interactions of at most
    /// `order` players, 1 or 2, of all indices.
    ///
    /// A [precision](Self::precision) is that of the Shapley values. Beside what [`estimate`](Self::estimate) fits, the even half of the pairs, (v(S) + v(N∖S)) / 2, has models, which
    /// takes as long again. Pairs of players take, for 100 of them, a second or two an index. The Shapley values are
    /// those of `estimate`, bit for bit. docs/surrogate.md has the mathematics, docs/benchmarks.md the errors, and how
    /// often intervals covered: least where small coalitions count most and were not all asked for, as for Möbius and
    /// Shapley-Taylor pairs.
    ///
    /// # Errors
    ///
    /// Those of [`estimate`](Self::estimate), and [`Order`](Error::Order) unless the order is 1 or 2, and no larger than
    /// the number of players; of more than 500 players, 1.
    pub fn summary<G: TryGame + ?Sized>(
        &self,
        game: &G,
        order: usize,
    ) -> Result<SampleSummary<G::Value>, Error<G::Error>> {
        run::summary(game, order, &self.options, &self.settings)
    }

    /// The values of a semivalue: Banzhaf, Beta-Shapley, or others. Nothing makes them sum to what exact ones do. The
    /// estimate is not one to [resume](Self::resume) with: resume one of Shapley values, and make a
    /// [summary of that](Self::summary_of).
    ///
    /// ```
    /// use shapley::{Semivalue, Surrogate};
    ///
    /// let game = shapley::from_fn(16, |s| (s.len() as f64).sqrt() + f64::from(u8::from(s.contains(3))));
    /// let banzhaf = Surrogate::new(300).semivalue(&game, &Semivalue::banzhaf())?;
    /// assert!((banzhaf.values()[3] - banzhaf.values()[5] - 1.0).abs() < 1e-3);
    /// # Ok::<(), shapley::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`estimate`](Self::estimate), and [`WeightLength`](Error::WeightLength) if the weights are for another
    /// number of players, which is looked at first.
    pub fn semivalue<G: TryGame + ?Sized>(
        &self,
        game: &G,
        semivalue: &Semivalue,
    ) -> Result<Estimate<G::Value>, Error<G::Error>> {
        if *semivalue == Semivalue::shapley() {
            return self.estimate(game);
        }
        run::check_players(game.num_players())?;
        semivalue.size_distribution::<G::Error>(game.num_players())?;
        self.summary(game, 1)?.values(semivalue).map_err(|error| error.map(|never| match never {}))
    }

    /// The interactions of an index, of at most `order` players, 1 or 2.
    ///
    /// # Errors
    ///
    /// Those of [`summary`](Self::summary).
    pub fn interactions<G: TryGame + ?Sized>(
        &self,
        game: &G,
        index: Index,
        order: usize,
    ) -> Result<InteractionEstimate<G::Value>, Error<G::Error>> {
        self.summary(game, order)?.interactions(index).map_err(|error| error.map(|never| match never {}))
    }
}

/// Refuses orders of interactions that there are no models for.
pub(super) fn check_order<E>(players: usize, order: usize) -> Result<(), Error<E>> {
    let limit = if players > MOST_PLAYERS_OF_PAIRS { 1 } else { players.min(2) };
    if (1..=limit).contains(&order) { Ok(()) } else { Err(Error::Order { order, players, limit }) }
}

fn not_of_pairs<V, E>(estimate: &Estimate<V>) -> Error<E> {
    let what = if estimate.stopped() == Stopped::Exact { "an exact answer" } else { estimate.solver() };
    Error::Mismatch { what: "the estimate", ours: "one of pairs of coalitions".to_owned(), theirs: what.to_owned() }
}
