"""CSV files for tests: scikit-learn's data, and tables with texts and missing values."""

import csv

import numpy as np

# Name: whether it is a regression.
REAL = {"diabetes": True, "wine": False, "breast_cancer": False, "digits": False}
MADE = {"penguins": False, "tips": True}


def write(path, header, rows):
    """Write rows as a CSV file; None is an empty field."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def rows_of(name):
    """(header, rows) of a table; the target is the column "target" of scikit-learn's data,
    "species" of penguins, "tip" of tips."""
    return {"penguins": penguins, "tips": tips}[name]() if name in MADE else of_sklearn(name)


def target_of(name):
    return {"penguins": "species", "tips": "tip"}.get(name, "target")


def of_sklearn(name):
    from sklearn import datasets

    data = getattr(datasets, f"load_{name}")()
    target = data.target
    if name in ("wine", "breast_cancer"):
        target = data.target_names[target]
    order = np.random.default_rng(0).permutation(len(target))
    rows = [[*map(float, data.data[i]), target[i]] for i in order]
    return [*map(str, data.feature_names), "target"], rows


def penguins(n=344, seed=0):
    """A classification like seaborn's table of this name: two columns of texts, missing values."""
    rng = np.random.default_rng(seed)
    means = {
        "Adelie": (38.8, 18.3, 190, 3700),
        "Chinstrap": (48.8, 18.4, 196, 3733),
        "Gentoo": (47.5, 15.0, 217, 5076),
    }
    islands = {"Adelie": ["Biscoe", "Dream", "Torgersen"], "Chinstrap": ["Dream"],
               "Gentoo": ["Biscoe"]}  # fmt: skip
    rows = []
    for species in rng.choice([*means], n, p=[0.44, 0.2, 0.36]):
        numbers = np.array(means[species]) + rng.normal(size=4) * (2.7, 1.0, 6.5, 450)
        shown = [f"{x:.1f}" if rng.random() > 0.02 else "NA" for x in numbers]
        sex = rng.choice(["male", "female", ""], p=[0.49, 0.48, 0.03])
        rows.append([species, rng.choice(islands[species]), *shown, sex])
    header = ["species", "island", "bill length", "bill depth", "flipper length", "mass", "sex"]
    return header, rows


def tips(n=400, seed=0):
    """A regression like seaborn's table of this name, with quoted texts and missing values."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(n):
        bill, size = rng.gamma(4, 5) + 3, int(rng.integers(1, 7))
        day = rng.choice(["Thur", "Fri", "Sat", "Sun, holidays"])
        time = "Dinner" if day != "Thur" or rng.random() < 0.1 else "Lunch"
        smoker = rng.choice(["Yes", "No"], p=[0.4, 0.6])
        rate = 0.15 + 0.03 * (time == "Dinner") - 0.02 * (smoker == "Yes")
        tip = bill * rate + 0.2 * size + rng.normal() * 0.4
        shown = f"{bill:.2f}" if rng.random() > 0.03 else ""
        rows.append([shown, smoker, day, time, size, f"{tip:.2f}"])
    return ["total_bill", "smoker", "day", "time", "size", "tip"], rows
