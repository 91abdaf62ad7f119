"""Reads results of the Rust crate shapley into Python's shap, whose plots then work with them.

    python docs/to_shap.py result.json --names not,very,good --plot waterfall --out picture.png

The file is an attribution or an estimate, in JSON, as docs/results.md describes it. Needs numpy and shap; --plot needs
matplotlib. Checked with shap 0.51.
"""

import argparse
import json

import numpy
import shap

VERSION = 1


def explanation(path, names=None, data=None, output=None):
    """The shap.Explanation of a file: values of shape (players,), or (players, outputs) for several outputs.

    output: one of several outputs, counted from 0; shap's plots want one.
    names: a name for each player. data: what shap prints beside each, its feature value for instance; names if absent.
    Standard errors of an estimate come as error_std; where there was one sample only they are infinite.
    """
    with open(path, encoding="utf-8") as file:
        result = json.load(file)
    if result.get("version") != VERSION:
        raise ValueError(f"version {result.get('version')}: this reads version {VERSION}")
    if "values" not in result or "baseline" not in result:
        raise ValueError("this is neither an attribution nor an estimate")
    values = numpy.array(result["values"], dtype=float)
    players = len(values)
    names = [f"player {i}" for i in range(players)] if names is None else list(names)
    data = names if data is None else data
    for what, given in [("names", names), ("data", data)]:
        if len(given) != players:
            raise ValueError(f"{len(given)} {what} for {players} players")
    errors = None
    if "std_errors" in result:
        errors = numpy.array([numpy.inf if e is None else e for e in result["std_errors"]], dtype=float)
    base = numpy.array(result["baseline"], dtype=float)
    if output is not None:
        if not base.ndim:
            raise ValueError("the result has one output: there is none to choose")
        if not 0 <= output < len(base):
            raise ValueError(f"no output {output}: there are {len(base)}, and the first is 0")
        values, base = values[:, output], base[output]
        errors = errors if errors is None else errors[:, output]
    return shap.Explanation(
        values=values,
        base_values=base if base.ndim else float(base),
        data=numpy.array(data),
        feature_names=names,
        error_std=errors,
    )


def main():
    parser = argparse.ArgumentParser(description="Draws a result of the crate shapley with shap.")
    parser.add_argument("file")
    parser.add_argument("--names", help="the players' names, with commas between")
    parser.add_argument("--output", type=int, help="which of several outputs, from 0")
    parser.add_argument("--plot", choices=["bar", "waterfall", "force"], help="which plot")
    parser.add_argument("--out", default="picture.png", help="the picture's file")
    arguments = parser.parse_args()
    names = arguments.names.split(",") if arguments.names else None
    found = explanation(arguments.file, names, output=arguments.output)
    if arguments.plot is None:
        print(found)
        return
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as pyplot

    if arguments.plot == "force":
        shap.plots.force(found.base_values, found.values, feature_names=found.feature_names, matplotlib=True, show=False)
    else:
        getattr(shap.plots, arguments.plot)(found, show=False)
    pyplot.savefig(arguments.out, bbox_inches="tight")


if __name__ == "__main__":
    main()
