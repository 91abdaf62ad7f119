//! Games of real models and real cost problems, each with the source of its numbers.

use shapley::games::{Airport, Features, KNearest, MinimumSpanningTree, WeightedVoting, Words};
use shapley::{Coalition, Table, from_fn};
use smartcore::xgboost::{XGRegressor, XGRegressorParameters};
use vader_sentiment::SentimentIntensityAnalyzer;
use wines::{Wines, matrix};

use crate::Result;

/// All games, by name.
pub(crate) fn all() -> Result<Vec<(&'static str, Table<f64>)>> {
    let wines = Wines::load();
    Ok(vec![
        ("wine_forest", wine_forest(&wines)?),
        ("wine_boosted", wine_boosted(&wines)?),
        ("wine_r2", wine_r2(&wines)?),
        ("wine_value", wine_value(&wines)?),
        // Attributed to Oscar Wilde, of the first night of Lady Windermere's Fan (1892).
        ("wilde", sentence("The play was a great success, but the audience was a total failure.")?),
        // Leo Tolstoy, Anna Karenina (1878), the first sentence, as translated by Constance Garnett (1901).
        ("tolstoy", sentence("Happy families are all alike; every unhappy family is unhappy in its own way.")?),
        ("capitals", capitals()?),
        ("runway", runway()?),
        ("council", council()?),
        ("abilene", abilene()?),
        ("carbon", carbon()?),
        ("flow_shop", flow_shop()?),
        ("depots", depots()?),
    ])
}

/// What the forest of the example `features` predicts for an unseen wine (Cortez et al. 2009, Decision Support
/// Systems 47(4) 547–553), against 15 wines of those it has learnt from.
fn wine_forest(wines: &Wines) -> Result<Table<f64>> {
    let forest = wines::forest(&wines.seen, &wines.known)?;
    let model = |rows: &[f64], columns: usize| forest.predict(&matrix(rows, columns)?);
    let columns = wines.names.len();
    let instance = &wines.unseen[120 * columns..][..columns];
    Ok(Table::tabulate(&Features::new(instance, &wines.seen[..], model).background_sample(15, 3))?)
}

/// What gradient-boosted trees predict for another wine, against 25 others.
fn wine_boosted(wines: &Wines) -> Result<Table<f64>> {
    let columns = wines.names.len();
    let parameters = XGRegressorParameters::default().with_n_estimators(60).with_max_depth(4).with_learning_rate(0.1);
    let boosted = XGRegressor::fit(&matrix(&wines.seen, columns)?, &wines.known, parameters)?;
    let model = |rows: &[f64], columns: usize| boosted.predict(&matrix(rows, columns)?);
    let instance = &wines.unseen[55 * columns..][..columns];
    Ok(Table::tabulate(&Features::new(instance, &wines.seen[..], model).background_sample(25, 9))?)
}

/// Rows of which each column has mean 0 and deviation 1 among those to learn from, followed by the ones to test on.
fn standardised(wines: &Wines) -> (Vec<f64>, Vec<f64>) {
    let columns = wines.names.len();
    let (mut seen, mut unseen) = (wines.seen.clone(), wines.unseen.clone());
    for column in 0..columns {
        let numbers = || wines.seen.iter().skip(column).step_by(columns);
        let mean = numbers().sum::<f64>() / wines.known.len() as f64;
        let deviation = (numbers().map(|x| (x - mean).powi(2)).sum::<f64>() / wines.known.len() as f64).sqrt();
        for rows in [&mut seen, &mut unseen] {
            rows.iter_mut().skip(column).step_by(columns).for_each(|x| *x = (*x - mean) / deviation);
        }
    }
    (seen, unseen)
}

/// The share of the variance of unseen wines' ratings that least squares on some measurements explains (Lipovetsky
/// & Conklin 2001, Appl. Stoch. Models Bus. Ind. 17(4) 319–330, who value regressors so).
fn wine_r2(wines: &Wines) -> Result<Table<f64>> {
    let columns = wines.names.len();
    let (seen, unseen) = standardised(wines);
    let mean = wines.known.iter().sum::<f64>() / wines.known.len() as f64;
    // The normal equations of all columns, the last one being the ratings.
    let mut normal = vec![vec![0.0; columns + 1]; columns];
    for (row, rating) in seen.chunks(columns).zip(&wines.known) {
        for (a, line) in normal.iter_mut().enumerate() {
            row.iter().chain([&(rating - mean)]).zip(line).for_each(|(b, sum)| *sum += row[a] * b);
        }
    }
    let total: f64 = wines.hidden.iter().map(|rating| (rating - mean).powi(2)).sum();
    let explained = |kept: &Coalition| {
        let kept: Vec<usize> = kept.iter().collect();
        let weights =
            solve(kept.iter().map(|&a| kept.iter().chain([&columns]).map(|&b| normal[a][b]).collect()).collect());
        let error = unseen.chunks(columns).zip(&wines.hidden).map(|(row, rating)| {
            let predicted = mean + kept.iter().zip(&weights).map(|(&column, weight)| weight * row[column]).sum::<f64>();
            (predicted - rating).powi(2)
        });
        1.0 - error.sum::<f64>() / total
    };
    Ok(Table::tabulate(&from_fn(columns, explained))?)
}

/// The solution of linear equations whose last column is the right side, by elimination; the matrix is positive
/// definite.
fn solve(mut lines: Vec<Vec<f64>>) -> Vec<f64> {
    let count = lines.len();
    for pivot in 0..count {
        let line = lines[pivot].clone();
        for (_, other) in lines.iter_mut().enumerate().filter(|(k, _)| *k != pivot) {
            let factor = other[pivot] / line[pivot];
            other.iter_mut().zip(&line).for_each(|(x, y)| *x -= factor * y);
        }
    }
    lines.iter().enumerate().map(|(k, line)| line[count] / line[k]).collect()
}

/// What 14 wines to learn from are worth to a classifier by the 3 nearest neighbours, which tells wines of 6 points
/// or more from others, on 100 unseen wines (Jia et al. 2019, Proc. VLDB Endow. 12(11) 1610–1623).
fn wine_value(wines: &Wines) -> Result<Table<f64>> {
    let columns = wines.names.len();
    let (seen, unseen) = standardised(wines);
    let good = |rating: &f64| *rating >= 6.0;
    // Every 80th.
    let players: Vec<f64> = seen.chunks(columns).step_by(80).take(14).flatten().copied().collect();
    let labels: Vec<bool> = wines.known.iter().step_by(80).take(14).map(good).collect();
    let held_out: Vec<bool> = wines.hidden.iter().take(100).map(good).collect();
    Ok(Table::tabulate(&KNearest::new(3, (players, labels), (&unseen[..100 * columns], held_out))?)?)
}

/// VADER's compound score of the words of a sentence (Hutto & Gilbert 2014, ICWSM).
fn sentence(text: &str) -> Result<Table<f64>> {
    let model = SentimentIntensityAnalyzer::new();
    Ok(Table::tabulate(&Words::new(text, |text: &str| model.polarity_scores(text)["compound"]))?)
}

/// Kilometres between places on a sphere, given as degrees north and east.
fn distance((north, east): (f64, f64), (other_north, other_east): (f64, f64)) -> f64 {
    let half = |x: f64, y: f64| ((x - y).to_radians() / 2.0).sin().powi(2);
    let across = north.to_radians().cos() * other_north.to_radians().cos() * half(east, other_east);
    2.0 * 6371.0 * (half(north, other_north) + across).sqrt().asin()
}

#[rustfmt::skip]
const CAPITALS: [(f64, f64); 15] = [
    (48.86, 2.35), (52.37, 4.90), (52.52, 13.41), (41.90, 12.50), (40.42, -3.70), (38.72, -9.14), (48.21, 16.37),
    (50.08, 14.44), (52.23, 21.01), (47.50, 19.04), (55.68, 12.57), (59.33, 18.07), (37.98, 23.73), (53.35, -6.26),
    (50.85, 4.35),
];

/// Cables that connect capitals to Brussels: the cheapest tree, by length (Claus & Kleitman 1973, Networks 3(4)
/// 289–304). Coordinates as in any atlas: Paris, Amsterdam, Berlin, Rome, Madrid, Lisbon, Vienna, Prague, Warsaw,
/// Budapest, Copenhagen, Stockholm, Athens, Dublin, and Brussels as the source.
fn capitals() -> Result<Table<f64>> {
    let pairs = (0..CAPITALS.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
    let cables = pairs.map(|(a, b)| (a, b, distance(CAPITALS[a], CAPITALS[b])));
    Ok(Table::tabulate(&MinimumSpanningTree::new(CAPITALS.len() - 1, cables)?)?)
}

/// The runway that each of the types of aircraft at Birmingham in 1968–69 needs, in pounds, one movement each
/// (Littlechild & Thompson 1977, Bell J. Econ. 8, 186–204; Littlechild & Owen 1973, Manag. Sci. 20(3) 370–372).
fn runway() -> Result<Table<f64>> {
    let costs = [65899, 76725, 95200, 97200, 97436, 98142, 102_496, 104_849, 113_322, 115_440, 117_676];
    Ok(Table::tabulate(&Airport::new(costs.map(f64::from))?)?)
}

/// The Council of the European Union from 1995 to 2004: 62 of 87 votes (Act of Accession 1994; Felsenthal & Machover
/// 1998, The Measurement of Voting Power, ch. 5). Germany, France, Italy, the United Kingdom; Spain; Belgium, Greece,
/// the Netherlands, Portugal; Austria, Sweden; Denmark, Ireland, Finland; Luxembourg.
fn council() -> Result<Table<f64>> {
    Ok(Table::tabulate(&WeightedVoting::new(62, [10, 10, 10, 10, 8, 5, 5, 5, 5, 4, 4, 3, 3, 3, 2])?)?)
}

/// Who owns a link of the Abilene network of 2004 (Internet2; `abilene` of SNDlib, without the link to the second node
/// at Atlanta): 14 links, each counted as 10 Gbit/s (that from Indianapolis to Atlanta had a quarter of it), are worth
/// what they can carry from Seattle to New York. A flow game (Kalai & Zemel 1982, Math. Oper. Res. 7(3) 476–478).
fn abilene() -> Result<Table<f64>> {
    // Seattle 0, Sunnyvale 1, Los Angeles 2, Denver 3, Kansas City 4, Houston 5, Indianapolis 6, Atlanta 7, Chicago
    // 8, Washington 9, New York 10.
    #[rustfmt::skip]
    let links = [
        (0, 1), (0, 3), (1, 2), (1, 3), (2, 5), (3, 4), (4, 5), (4, 6), (5, 7), (6, 7), (6, 8), (7, 9),
        (8, 10), (9, 10),
    ];
    let carried = |kept: &Coalition| {
        let mut room = [[0_u8; 11]; 11];
        for link in kept.iter() {
            let (a, b) = links[link];
            (room[a][b], room[b][a]) = (1, 1);
        }
        let mut flow = 0;
        while augment(&mut room, 0, &mut [false; 11]) {
            flow += 1;
        }
        10.0 * f64::from(flow)
    };
    Ok(Table::tabulate(&from_fn(links.len(), carried))?)
}

/// One more unit from a node to the last one, if there is a way (Ford & Fulkerson).
fn augment(room: &mut [[u8; 11]; 11], node: usize, met: &mut [bool; 11]) -> bool {
    met[node] = true;
    if node == 10 {
        return true;
    }
    for next in 0..11 {
        if room[node][next] > 0 && !met[next] && augment(room, next, met) {
            room[node][next] -= 1;
            room[next][node] += 1;
            return true;
        }
    }
    false
}

/// What is left for a coalition of emitters when 70 % of what all claim may be emitted and the others have theirs
/// (O'Neill 1982, Math. Soc. Sci. 2(4) 345–371; for carbon, Giménez-Gómez, Teixidó-Figueras & Vilella 2016,
/// Climatic Change 136, 693–703). Claims are fossil emissions of CO2 in 2019, in tonnes times 10^7 (Global Carbon
/// Budget 2020, Friedlingstein et al., ESSD 12, 3269–3340), rounded: China, the United States, India, Russia, Japan,
/// Iran, Germany, Indonesia, South Korea, Saudi Arabia, Canada, South Africa.
fn carbon() -> Result<Table<f64>> {
    let claims = [1017.0, 528.0, 262.0, 168.0, 111.0, 78.0, 70.0, 62.0, 61.0, 58.0, 58.0, 48.0];
    let estate = 0.7 * claims.iter().sum::<f64>();
    let left = move |kept: &Coalition| (estate - kept.complement().iter().map(|who| claims[who]).sum::<f64>()).max(0.0);
    Ok(Table::tabulate(&from_fn(claims.len(), left))?)
}

#[rustfmt::skip]
const JOBS: [(u32, u32); 10] = [
    (29, 78), (43, 28), (85, 91), (71, 81), (6, 22), (47, 2), (37, 46), (86, 46), (76, 69), (13, 85),
];

/// When ten jobs are done on two machines one after the other, in the best order (Johnson 1954, Nav. Res. Logist.
/// Q. 1, 61–68; a sequencing cost game). Times are those of machines 0 and 1 in the problem of ten jobs of Fisher &
/// Thompson 1963 (`ft10` of OR-Library).
fn flow_shop() -> Result<Table<f64>> {
    let mut jobs = JOBS;
    // Johnson's order: shorter first times ascend, then shorter second times descend.
    jobs.sort_by_key(|&(first, second)| if first < second { (0, first) } else { (1, u32::MAX - second) });
    let done = move |kept: &Coalition| {
        let done = kept
            .iter()
            .map(|job| jobs[job])
            .fold((0, 0), |(first, second), (a, b)| (first + a, second.max(first + a) + b));
        f64::from(done.1)
    };
    Ok(Table::tabulate(&from_fn(jobs.len(), done))?)
}

#[rustfmt::skip]
const CITIES: [(f64, f64); 16] = [
    (40.71, -74.01), (34.05, -118.24), (41.88, -87.63), (29.76, -95.37), (33.45, -112.07), (39.95, -75.17),
    (29.42, -98.49), (32.72, -117.16), (32.78, -96.80), (37.34, -121.89), (30.27, -97.74), (30.33, -81.66),
    (32.76, -97.33), (39.96, -83.00), (39.77, -86.16), (35.23, -80.84),
];

/// Serving cities from depots: 1500 for each depot that is opened, and the kilometres from each city to the nearest
/// one (Goemans & Skutella 2004, J. Algorithms 50(2) 194–214). The sixteen largest cities of the United States in
/// the census of 2020: New York, Los Angeles, Chicago, Houston, Phoenix, Philadelphia, San Antonio, San Diego,
/// Dallas, San José, Austin, Jacksonville, Fort Worth, Columbus, Indianapolis, Charlotte; six may have a depot.
fn depots() -> Result<Table<f64>> {
    let sites = [0, 1, 2, 3, 8, 15];
    // For each set of depots, what it takes to reach each city.
    let open: Vec<[f64; 16]> = (1_usize..1 << sites.len())
        .map(|set| {
            CITIES.map(|city| {
                let ways = sites
                    .iter()
                    .enumerate()
                    .filter(|(k, _)| set >> k & 1 == 1)
                    .map(|(_, &site)| distance(city, CITIES[site]));
                ways.fold(f64::INFINITY, f64::min)
            })
        })
        .collect();
    let cost = move |kept: &Coalition| {
        let costs = (1_u32..)
            .zip(&open)
            .map(|(set, ways)| 1500.0 * f64::from(set.count_ones()) + kept.iter().map(|city| ways[city]).sum::<f64>());
        if kept.is_empty() { 0.0 } else { costs.fold(f64::INFINITY, f64::min) }
    };
    Ok(Table::tabulate(&from_fn(CITIES.len(), cost))?)
}
